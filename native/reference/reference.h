// Every op, slow and obviously right: what the fast kernels are tested against, and what runs where there is none.
// Numbers are computed in double and rounded to T once, at the end; nothing is parallel.
// NaN goes through every op that computes, also maximum, max, clip and relu, so that it is seen where it ends up.
#pragma once
#include "../kernel.h"

namespace simdnn::reference {

// Ops that only move data take T from nowhere but the column of the table they stand in: they go by the views' dtypes.
#define OP(name, ...) \
  template <class T>  \
  void name(const Args&);
#include "../ops.inc"
#undef OP

}  // namespace simdnn::reference
