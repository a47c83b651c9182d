// Which views and attributes an op accepts: the wall between a program, which may be hostile, and kernels, which trust
// their arguments. Checks see shapes, dtypes and attributes but not the data: an index is checked by the kernel that uses it.
//
// Given: every view lies inside its storage, rank <= kMaxRank, dims >= 0, size = product of dims; n_in and n_out lie within
// ops.inc's bounds; attrs holds n_attrs values. Nothing is given about overlap, so a kernel reads an index once, checks it
// and uses that copy: an output may lie on top of the index.
// A kernel may count on: flags being 0 or 1, enums in range, dims that it divides by (features, classes) not being 0.
#pragma once
#include "../kernel.h"

namespace simdnn::check {

// null when everything fits, else what does not. Which column of the kernel table then runs is no matter of safety for ops
// that work for several dtypes: their kernels go by the views.
#define OP(name, fewest, most, outputs, check) const char* check(const Args&);
#include "../ops.inc"
#undef OP

}  // namespace simdnn::check
