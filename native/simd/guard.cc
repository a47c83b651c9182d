// Looks for infinities and NaN at the speed of memory; only when there is one does the reference say where.
#include "../reference/reference.h"
#include "each.h"
#include "isa.h"

namespace simdnn {
namespace {

void assert_finite(const Args& args) {
  const float* in = data<float>(args.in[0]);
  int32_t found = 0;
  each_piece(args, args.in[0].size, kGrain, [&](int64_t begin, int64_t end) {
    vi bad = {};
    each(begin, end, [&](auto at) {
      const vf x = at.load(in);
      bad |= bits(x - x);  // 0, or NaN where x is not finite
    });
    if (any(bad != 0)) __atomic_store_n(&found, 1, __ATOMIC_RELAXED);
  });
  if (found) reference::assert_finite<float>(args);
}

}  // namespace

void SIMDNN_FOR_ISA(override_guard)(KernelTable& table) { table.f32[op_assert_finite] = assert_finite; }

}  // namespace simdnn
