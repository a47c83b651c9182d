// The form of the GEMM for products of a few microseconds: one thread, nothing packed but what a stack holds, and no plan,
// which would take longer than the smallest of them.
#pragma once
#include "pack.h"
#include "product.h"

namespace simdnn {
namespace {

struct Small {
  const Gemm& g;
  static constexpr int64_t kMost = 2 * kWorthwhile - 1;  // multiply-adds
  static constexpr int64_t kPanelFloats = 4096;

  // B is read once or stays in the first-level cache.
  static bool near(const Gemm& g) { return g.b.column == 1 && (g.k * g.b.row <= kNearFloats || (g.m <= kTileRows[2] && !packs(g))); }
  static bool packs(const Gemm& g) { return g.b.column != 1 || (!kCheapMasks && g.n % kLanes != 0); }
  static bool pays(const Gemm& g) {
    const bool worthwhile = gemm_work(g) <= (packs(g) ? kWorthwhile : kMost) && (g.k > 12 || g.m * g.n <= 1024);
    return worthwhile && (near(g) || g.b.column != 1) && (!packs(g) || g.k * 2 * kLanes <= kPanelFloats);
  }

  int64_t scratch_floats() const { return 0; }

  void run(const Args&) const {
    alignas(64) float panel[kPanelFloats];
    const bool packs = Small::packs(g);
    const int m = static_cast<int>(g.m), n = static_cast<int>(g.n);
    int width = tile_vectors(m, n, g.k);
    while (packs && width * kLanes * g.k > kPanelFloats) width--;
    const int most = kTileRows[width], strips = m <= most ? 1 : (m + most - 1) / most;
    for (int j = 0; j < n; j += width * kLanes) {
      const int columns = n - j < width * kLanes ? n - j : width * kLanes, vectors = (columns + kLanes - 1) / kLanes;
      const int last = columns - (vectors - 1) * kLanes;
      Matrix b = at(g.b, 0, j);
      if (packs) pack(b, g.k, columns, panel, vectors * kLanes), b = {panel, vectors * kLanes, 1};
      for (int strip = 0, i = 0, rows; strip < strips; strip++, i += rows) {
        rows = strips == 1 ? m : (m - i + strips - strip - 1) / (strips - strip);
        const Matrix a = at(g.a, i, 0);
        const Target target = target_at(g.target, i, j, true);
        kTiles.by[packs || last == kLanes ? kReadWhole : kReadMasked][vectors][rows](g.k, a.data, a.row, a.column, b.data, b.row, nullptr, last, target);
        activate(g, target, rows, columns);
      }
    }
  }
};

}  // namespace
}  // namespace simdnn
