// The form of the GEMM for a B that is near, so that it is read in place again and again: strip by strip, which reads B and writes
// C in the order of memory. No plan, which would take longer than the smallest products.
#pragma once
#include "pack.h"
#include "product.h"
#include "single.h"

namespace simdnn {
namespace {

struct Near {
  const Gemm& g;
  bool padded = false;                                      // B is, to whole vectors
  static constexpr int64_t kMost = 2 * kWorthwhile - 1;     // multiply-adds that are for one thread
  static constexpr int64_t kCloseFloats = 3 * kNearFloats;  // of B that the first-level cache has most of
  static constexpr int64_t kMiddleFloats = 1 << 16;         // of B that stay in the second-level cache while C passes

  // Rows of B, or of an A that stands transposed, that prefetchers and the translation of addresses can follow at the same time.
  static int64_t streams(const Gemm& g) { return kRegisters == 32 && g.a.column == 1 ? 128 : 64; }
  static bool pays(const Gemm& g) {
    const int64_t floats = g.k * g.n;
    return in_place(g) && (floats <= kCloseFloats || (floats <= kMiddleFloats && g.k <= streams(g)));
  }
  // Before all forms that plan.
  static bool pays_at_once(const Gemm& g) {
    if (g.k <= 12 && g.m * g.n > 1024) return false;
    return gemm_work(g) <= kMost && (pays(g) || (g.m <= kTileRows[2] && in_place(g)));
  }

  int64_t scratch_floats() const { return 0; }

  int tiles_wide() const { return tile_vectors(g.m, g.n, g.k * g.n <= kNearFloats ? g.k : kNearFloats); }
  int64_t panels(int width) const { return (g.n + width * kLanes - 1) / (width * kLanes); }

  // For the columns from `begin` to `end`.
  void compute(int width, const Split& strips, int64_t first_strip, int64_t end_strip, int64_t begin, int64_t end) const {
    const int64_t tile_columns = width * kLanes;
    for (int64_t strip = first_strip; strip < end_strip; strip++) {
      const int64_t i = strips.begin(strip), rows = strips.size(strip);
      const Matrix a = at(g.a, i, 0);
      int64_t j = begin;
      // An activation should find its tile in the first-level cache.
      if (end - begin >= 2 * tile_columns && g.activation == Activation::linear) {
        const int64_t count = (end - begin) / tile_columns;
        kTiles.along[width][rows](g.k, a.data, a.row, a.column, g.b.data + j, g.b.row, target_at(g.target, i, j, true), count);
        j += count * tile_columns;
      }
      for (; j < end; j += tile_columns) {
        const int64_t columns = smaller(tile_columns, end - j), vectors = (columns + kLanes - 1) / kLanes, last = columns - (vectors - 1) * kLanes;
        const Target target = target_at(g.target, i, j, true);
        kTiles.by[padded || last == kLanes ? kReadWhole : kReadMasked][vectors][rows](g.k, a.data, a.row, a.column, g.b.data + j, g.b.row, nullptr,
                                                                                      static_cast<int>(last), target);
        activate(g, target, rows, columns);
      }
    }
  }

  void run(const Args& args) const {
    const int width = tiles_wide();
    const Split strips = split(g.m, kTileRows[width]);
    if (gemm_work(g) <= kMost) return compute(width, strips, 0, strips.parts, 0, g.n);
    const int64_t panels = this->panels(width);
    if (panels > strips.parts) {
      parallel(args, panels, gemm_grain(g, panels),
               [&](int64_t begin, int64_t end) { compute(width, strips, 0, strips.parts, begin * width * kLanes, smaller(end * width * kLanes, g.n)); });
    } else {
      parallel(args, strips.parts, gemm_grain(g, strips.parts), [&](int64_t begin, int64_t end) { compute(width, strips, begin, end, 0, g.n); });
    }
  }
};

// The same for a B that is not read in place, but so small that it is packed on the stack.
struct NearPacked {
  Gemm& g;                                // whose B becomes the packed one: a copy of a structure just written would wait for it
  static constexpr int64_t kMost = 1024;  // floats

  static int64_t row(const Gemm& g) { return (g.n + kLanes - 1) / kLanes * kLanes; }
  static bool pays(const Gemm& g) { return !in_place(g) && g.k * row(g) <= kMost && gemm_work(g) <= kWorthwhile; }

  int64_t scratch_floats() const { return 0; }

  void run(const Args& args) const {
    alignas(64) float packed[kMost];
    pack(g.b, g.k, g.n, packed, row(g));
    g.b = {packed, row(g), 1};
    if (Single::pays(g)) return Single{g}.run();
    Near{g, true}.run(args);
  }
};

}  // namespace
}  // namespace simdnn
