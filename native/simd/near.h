// The form of the GEMM for a B that is near, so that it is read in place again and again: strip by strip, which reads B and writes
// C in the order of memory. No plan, which would take longer than the smallest products.
#pragma once
#include "pack.h"
#include "product.h"

namespace simdnn {
namespace {

struct Near {
  const Gemm& g;
  static constexpr int64_t kMost = 2 * kWorthwhile - 1;     // multiply-adds that are for one thread
  static constexpr int64_t kCloseFloats = 3 * kNearFloats;  // of B that the first-level cache has most of
  static constexpr int64_t kMiddleFloats = 1 << 16;         // of B that stay in the second-level cache while C passes

  // Rows of B, or of an A that stands transposed, that prefetchers and the translation of addresses can follow at the same time.
  static int64_t streams(const Gemm& g) { return kRegisters == 32 && g.a.column == 1 ? 128 : 64; }
  static bool packs(const Gemm& g) { return g.b.column != 1 || (!kCheapMaskedLoads && g.n % kLanes != 0); }
  static bool pays(const Gemm& g) {
    const int64_t floats = g.k * g.n;
    return floats <= kCloseFloats || (floats <= kMiddleFloats && g.k <= streams(g));
  }
  // Before all forms that plan.
  static bool pays_at_once(const Gemm& g) {
    if (g.k <= 12 && g.m * g.n > 1024) return false;
    if (packs(g)) return gemm_work(g) <= kWorthwhile && pays(g);
    return gemm_work(g) <= kMost && (pays(g) || g.m <= kTileRows[2]);
  }

  // Whole lines of the cache, and one more, so that rows do not alias.
  int64_t packed_row() const { return (g.n + 15) / 16 * 16 + 16; }
  int64_t scratch_floats() const { return packs(g) ? g.k * packed_row() : 0; }

  __attribute__((noinline)) Matrix packed(const Args& args) const {
    float* out = static_cast<float*>(args.scratch);
    const int64_t width = (g.n + kLanes - 1) / kLanes * kLanes;
    if (g.b.column != 1) {
      transpose(g.b.data, g.b.column, g.n, g.k, out, packed_row(), width);
    } else {
      for (int64_t p = 0; p < g.k; p++) pack(at(g.b, p, 0), 1, g.n, out + p * packed_row(), width);
    }
    return {out, packed_row(), 1};
  }

  // For the columns from `begin` to `end` of B, which is read in whole vectors if `whole`.
  void compute(const Matrix& b, bool whole, int width, const Split& strips, int64_t first_strip, int64_t end_strip, int64_t begin, int64_t end) const {
    const int64_t tile_columns = width * kLanes;
    for (int64_t strip = first_strip; strip < end_strip; strip++) {
      const int64_t i = strips.begin(strip), rows = strips.size(strip);
      const Matrix a = at(g.a, i, 0);
      int64_t j = begin;
      // An activation should find its tile in the first-level cache.
      if (end - begin >= 2 * tile_columns && g.activation == Activation::linear) {
        const int64_t count = (end - begin) / tile_columns;
        kTiles.along[width][rows](g.k, a.data, a.row, a.column, b.data + j, b.row, target_at(g.target, i, j, true), count);
        j += count * tile_columns;
      }
      for (; j < end; j += tile_columns) {
        const int64_t columns = smaller(tile_columns, end - j), vectors = (columns + kLanes - 1) / kLanes, last = columns - (vectors - 1) * kLanes;
        const Target target = target_at(g.target, i, j, true);
        kTiles.by[whole || last == kLanes ? kReadWhole : kReadMasked][vectors][rows](g.k, a.data, a.row, a.column, b.data + j, b.row, nullptr,
                                                                                     static_cast<int>(last), target);
        activate(g, target, rows, columns);
      }
    }
  }

  void run(const Args& args) const {
    if (packs(g)) return run_packed(args);
    run(args, g.b, false);
  }
  __attribute__((noinline)) void run_packed(const Args& args) const { run(args, packed(args), true); }

  SIMDNN_METHOD void run(const Args& args, const Matrix& b, bool whole) const {
    const int width = tile_vectors(g.m, g.n, g.k * g.n <= kNearFloats ? g.k : kNearFloats);
    const Split strips = split(g.m, kTileRows[width]);
    if (gemm_work(g) <= kMost) return compute(b, whole, width, strips, 0, strips.parts, 0, g.n);
    const int64_t tile_columns = width * kLanes, panels = (g.n + tile_columns - 1) / tile_columns;
    const bool by_panel = panels > strips.parts;
    const int64_t items = by_panel ? panels : strips.parts;
    parallel(args, items, gemm_grain(g, items), [&](int64_t begin, int64_t end) {
      if (by_panel) {
        compute(b, whole, width, strips, 0, strips.parts, begin * tile_columns, smaller(end * tile_columns, g.n));
      } else {
        compute(b, whole, width, strips, begin, end, 0, g.n);
      }
    });
  }
};

}  // namespace
}  // namespace simdnn
