// The form of the GEMM for a C of one row, times a B of contiguous rows: a few rows of B pass at a time, in the order of memory,
// over sums in the first-level cache. A tile would read B in columns, which no prefetcher follows.
#pragma once
#include "product.h"

namespace simdnn {
namespace {

constexpr int kRowSteps = 8;          // of k in a pass
constexpr int64_t kRowFloats = 1024;  // of C between two turns over k
constexpr int64_t kRowItem = 8 * kLanes;

// Adds to sum[j] the product of A with column j of B, over `passes` times `steps` numbers of k. The first pass of all adds to nothing.
template <int steps>
static void row_passes(int64_t passes, int64_t columns, const float* a, int64_t a_column, const float* b, int64_t b_row, float* sum, bool adds) {
  for (; passes > 0; passes--, adds = true) {
    vf x[steps];
    SIMDNN_UNROLL for (int p = 0; p < steps; p++) x[p] = kept(broadcast(a[p * a_column]));
    const float* from[2] = {b, b + 5 * b_row};  // five rows from one pointer, as in tile.h
    const auto pass = [&](auto begin) __attribute__((always_inline)) {
      each(
          0, columns, [&](auto at) __attribute__((always_inline)) {
            vf y = begin(sum + at.i);
            SIMDNN_UNROLL for (int p = 0; p < steps; p++) y = fma(x[p], at.load(from[p / 5] + p % 5 * b_row), y);
            store(sum + at.i, y);
          });
    };
    if (adds) {
      pass([](const float* s) { return load(s); });
    } else {
      pass([](const float*) { return vf{}; });
    }
    a += steps * a_column, b += steps * b_row;
  }
}

using RowPasses = void (*)(int64_t passes, int64_t columns, const float* a, int64_t a_column, const float* b, int64_t b_row, float* sum, bool adds);
constexpr RowPasses kRowPasses[kRowSteps + 1] = {nullptr,       row_passes<1>, row_passes<2>, row_passes<3>, row_passes<4>,
                                                 row_passes<5>, row_passes<6>, row_passes<7>, row_passes<8>};

struct Row {
  const Gemm& g;

  static bool pays(const Gemm& g) { return g.m == 1 && g.n >= 8 * kLanes && g.k > kRowSteps && g.b.column == 1; }

  int64_t scratch_floats() const { return 0; }

  void compute(int64_t j, int64_t columns) const {
    alignas(64) float sum[kRowFloats + kLanes];
    const int64_t passes = g.k / kRowSteps, rest = g.k % kRowSteps;
    const Matrix b = at(g.b, 0, j), last_b = at(g.b, passes * kRowSteps, j);
    kRowPasses[kRowSteps](passes, columns, g.a.data, g.a.column, b.data, b.row, sum, false);
    if (rest > 0) kRowPasses[rest](1, columns, at(g.a, 0, passes * kRowSteps).data, g.a.column, last_b.data, b.row, sum, true);
    const Target target = target_at(g.target, 0, j, true);
    put(target, sum, 0, 1, columns);
    activate(g, target, 1, columns);
  }

  void run(const Args& args) const {
    const int64_t items = (g.n + kRowItem - 1) / kRowItem;
    parallel(args, items, gemm_grain(g, items), [&](int64_t begin, int64_t end) {
      const int64_t last = smaller(end * kRowItem, g.n);
      for (int64_t j = begin * kRowItem; j < last; j += kRowFloats) compute(j, smaller(kRowFloats, last - j));
    });
  }
};

}  // namespace
}  // namespace simdnn
