// Measures the float FMA rate of one core with operands in registers: the ceiling that benchmarks quote. Not a kernel.
#include <time.h>

#include "isa.h"
#include "vec.h"

namespace simdnn {
namespace {

constexpr int kChains = kLanes == 8 ? 12 : 24;  // more than latency times throughput, fewer than there are registers
constexpr int kTurns = 20000;                   // about 50 µs

double seconds() {
  timespec now;
  timespec_get(&now, TIME_UTC);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

// GFLOP/s, the best of many short runs.
double SIMDNN_FOR_ISA(fma_peak)() {
  double best = 0;
  float sink = 0;
  for (int run = 0; run < 200; run++) {
    vf chain[kChains];
    SIMDNN_UNROLL for (int i = 0; i < kChains; i++) chain[i] = broadcast(static_cast<float>(run + i));
    vf x = broadcast(0.999f);
    const double start = seconds();
    for (int turn = 0; turn < kTurns; turn++) {
      SIMDNN_UNROLL for (int i = 0; i < kChains; i++) chain[i] = fma(chain[i], x, x);
    }
    vf total{};
    SIMDNN_UNROLL for (int i = 0; i < kChains; i++) total = total + chain[i];
    sink += sum(total);
    // Makes the answer depend on the sums before the clock is read.
    const double elapsed = seconds() - start + (sink == 0.5f ? 1 : 0);
    const double rate = 2e-9 * kLanes * kChains * kTurns / elapsed;
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace simdnn
