// The form of the GEMM for a B that is near: read in place again and again, or so small that its panels are packed on the stack.
// No plan, which would take longer than the smallest products.
#pragma once
#include "pack.h"
#include "product.h"

namespace simdnn {
namespace {

struct Near {
  const Gemm& g;
  static constexpr int64_t kMost = 2 * kWorthwhile - 1;  // multiply-adds that are for one thread
  static constexpr int64_t kPanelFloats = 4096;
  static constexpr int64_t kStreams = 4 * kLanes;    // rows of B that prefetchers can follow at the same time
  static constexpr int64_t kMiddleFloats = 1 << 16;  // of B that stay in the second-level cache while C passes

  static bool stays(const Gemm& g) { return g.k * g.n <= kNearFloats; }
  static bool packs(const Gemm& g) { return g.b.column != 1 || (!kCheapMaskedLoads && g.n % kLanes != 0); }
  static bool pays(const Gemm& g) {
    if (g.k <= 12 && g.m * g.n > 1024) return false;
    if (packs(g)) return gemm_work(g) <= kWorthwhile && (g.b.column != 1 || stays(g)) && g.k * 2 * kLanes <= kPanelFloats;
    return stays(g) || (g.k <= kStreams && g.k * g.n <= kMiddleFloats) || (g.m <= kTileRows[2] && gemm_work(g) <= kMost);
  }

  int64_t scratch_floats() const { return 0; }

  // Strip by strip, since C is written and B read in the order of memory so.
  void compute(int width, Split strips, int64_t first_strip, int64_t end_strip, int64_t begin, int64_t end, const float* panel) const {
    for (int64_t strip = first_strip; strip < end_strip; strip++) {
      const int64_t i = strips.begin(strip), rows = strips.size(strip);
      const Matrix a = at(g.a, i, 0);
      for (int64_t j = begin; j < end; j += width * kLanes) {
        const int64_t columns = smaller(width * kLanes, end - j), vectors = (columns + kLanes - 1) / kLanes, last = columns - (vectors - 1) * kLanes;
        const Matrix b = panel ? Matrix{panel, vectors * kLanes, 1} : at(g.b, 0, j);
        const Target target = target_at(g.target, i, j, true);
        kTiles.by[panel || last == kLanes ? kReadWhole : kReadMasked][vectors][rows](g.k, a.data, a.row, a.column, b.data, b.row, nullptr,
                                                                                     static_cast<int>(last), target);
        activate(g, target, rows, columns);
      }
    }
  }

  void run(const Args& args) const {
    if (packs(g)) return run_packing();
    const int width = tile_vectors(g.m, g.n, stays(g) ? g.k : kNearFloats);
    const Split strips = split(g.m, kTileRows[width]);
    if (gemm_work(g) <= kMost) return compute(width, strips, 0, strips.parts, 0, g.n, nullptr);
    const int64_t panels = (g.n + width * kLanes - 1) / (width * kLanes);
    const bool by_panel = panels > strips.parts;
    const int64_t items = by_panel ? panels : strips.parts;
    parallel(args, items, gemm_grain(g, items), [&](int64_t begin, int64_t end) {
      if (by_panel) {
        compute(width, strips, 0, strips.parts, begin * width * kLanes, smaller(end * width * kLanes, g.n), nullptr);
      } else {
        compute(width, strips, begin, end, 0, g.n, nullptr);
      }
    });
  }

  void run_packing() const {
    alignas(64) float panel[kPanelFloats];
    int width = tile_vectors(g.m, g.n, g.k);
    while (width * kLanes * g.k > kPanelFloats) width--;
    const Split strips = split(g.m, kTileRows[width]);
    for (int64_t j = 0; j < g.n; j += width * kLanes) {
      const int64_t columns = smaller(width * kLanes, g.n - j);
      pack(at(g.b, 0, j), g.k, columns, panel, (columns + kLanes - 1) / kLanes * kLanes);
      compute(width, strips, 0, strips.parts, j, j + columns, panel);
    }
  }
};

}  // namespace
}  // namespace simdnn
