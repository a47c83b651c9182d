// Looks for infinities and NaN at the speed of memory; only when there is one does the reference say where.
#include "../reference/reference.h"
#include "each.h"
#include "isa.h"

namespace simdnn {
namespace {

void assert_finite(const Args& args) {
  const float* in = data<float>(args.in[0]);
  int32_t found = 0;
  parallel(args, args.in[0].size, kGrain, [&](int64_t begin, int64_t end) {
    vf zeros = {};  // 0 x is NaN for those and stays it in a sum
    each(begin, end, [&](auto at) { zeros = fma(at.load(in), vf{}, zeros); });
    const float total = sum(zeros);
    if (total != total) __atomic_store_n(&found, 1, __ATOMIC_RELAXED);
  });
  if (found) reference::assert_finite<float>(args);
}

}  // namespace

void SIMDNN_FOR_ISA(override_guard)(KernelTable& table) { table.f32[op_assert_finite] = assert_finite; }

}  // namespace simdnn
