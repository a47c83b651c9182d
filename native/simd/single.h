// The form of the GEMM for a C that is one tile, of a B that is read in place: a call and hardly anything else, since the smallest
// products take no longer than planning them would.
#pragma once
#include "product.h"

namespace simdnn {
namespace {

struct Single {
  const Gemm& g;

  static uint64_t vectors(const Gemm& g) { return static_cast<uint64_t>(g.n + kLanes - 1) / kLanes; }
  static bool pays(const Gemm& g) {
    const uint64_t vectors = Single::vectors(g);
    if (vectors > kMaxVectors || static_cast<uint64_t>(g.m - 1) >= static_cast<uint64_t>(kTileRows[vectors])) return false;
    return in_place(g) && (g.k < kLanes || (g.k <= 1024 && g.b.row != 1));  // long inner products have a better form
  }

  SIMDNN_METHOD void run() const {
    const uint64_t vectors = Single::vectors(g);
    const int last = static_cast<int>(g.n - (vectors - 1) * kLanes);
    kTiles.by[last == kLanes ? kReadWhole : kReadMasked][vectors][g.m](g.k, g.a.data, g.a.row, g.a.column, g.b.data, g.b.row, nullptr, last, g.target);
    if (g.activation != Activation::linear) activate(g, g.target, g.m, g.n);
  }
};

}  // namespace
}  // namespace simdnn
