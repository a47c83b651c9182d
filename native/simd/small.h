// The form of the GEMM for products of less than a microsecond: one panel of B, on the stack if it must be packed, and no
// plan, which would take longer than the product.
#pragma once
#include "product.h"

namespace simdnn {
namespace {

struct Small {
  const Gemm& g;
  static constexpr int64_t kPanelFloats = 2048, kStripRows = 64;

  static int vectors(const Gemm& g) { return static_cast<int>((g.n + kLanes - 1) / kLanes); }

  static bool pays(const Gemm& g) {
    if (g.b.column != 1 || g.n > kMaxVectors * kLanes || g.m > kStripRows) return false;
    return g.k * vectors(g) * kLanes <= kPanelFloats && (vectors(g) <= 2 || g.m <= kTileRows[vectors(g)]);
  }

  int64_t scratch_floats() const { return 0; }

  void run(const Args&) const {
    const int vectors = Small::vectors(g), last = static_cast<int>(g.n) - (vectors - 1) * kLanes;
    alignas(64) float panel[kPanelFloats];
    const float* b = g.b.data;
    int64_t b_row = g.b.row;
    bool packs = last < kLanes;
    const int m = static_cast<int>(g.m), most = kTileRows[vectors], strips = m <= most ? 1 : (m + most - 1) / most;
    for (int strip = 0, i = 0; strip < strips; strip++) {
      const int rows = strips == 1 ? m : (m - i + strips - strip - 1) / (strips - strip);
      const Target target = target_at(g.target, i, 0, true);
      kTiles.by[packs][vectors][rows](g.k, at(g.a, i, 0), b, b_row, panel, last, target);
      if (packs) b = panel, b_row = vectors * kLanes, packs = false;
      activate(g, target, rows, g.n);
      i += rows;
    }
  }
};

}  // namespace
}  // namespace simdnn
