// The kernels of each instruction set, and what every op accepts.
#pragma once
#include "cpu.h"
#include "kernel.h"

namespace simdnn {

struct OpInfo {
  const char* name;
  int min_in, max_in, n_out;
  Check check;
};

const OpInfo& op_info(int op);
const KernelTable& kernel_table(Isa isa);

// GFLOP/s of one core doing nothing but float32 fused multiply-adds in registers; 0 for the reference level.
double fma_peak(Isa isa);

}  // namespace simdnn
