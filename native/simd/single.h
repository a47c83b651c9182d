// The form of the GEMM for a C that is one tile, of a B that is read in place or small enough to be turned on the stack: a call and
// hardly anything else, since the smallest products take no longer than planning them would.
#pragma once
#include "pack.h"
#include "product.h"

namespace simdnn {
namespace {

struct Single {
  const Gemm& g;
  static constexpr int64_t kTurnedFloats = 1024;

  static uint64_t vectors(const Gemm& g) { return static_cast<uint64_t>(g.n + kLanes - 1) / kLanes; }
  static bool pays(const Gemm& g) {
    const uint64_t vectors = Single::vectors(g);
    if (vectors > kMaxVectors || static_cast<uint64_t>(g.m - 1) >= static_cast<uint64_t>(kTileRows[vectors])) return false;
    if (!in_place(g)) return g.n > 1 && (g.m > 1 || g.k < kLanes) && g.k * static_cast<int64_t>(vectors) * kLanes <= kTurnedFloats;
    return g.k < kLanes || (g.k <= 1024 && g.b.row != 1);  // long inner products have a better form
  }

  SIMDNN_METHOD void run() const {
    if (in_place(g)) {
      multiply(g.b.data, g.b.row);
    } else {
      multiply_packed();
    }
  }

  __attribute__((noinline)) void multiply_packed() const {
    alignas(64) float packed[kTurnedFloats];
    const int64_t row = static_cast<int64_t>(vectors(g)) * kLanes;
    pack(g.b, g.k, g.n, packed, row);
    multiply(packed, row);
  }

  SIMDNN_METHOD void multiply(const float* b, int64_t b_row) const {
    const uint64_t vectors = Single::vectors(g);
    const int last = static_cast<int>(g.n - (vectors - 1) * kLanes);
    kTiles.by[last == kLanes || !kCheapMaskedLoads ? kReadWhole : kReadMasked][vectors][g.m](g.k, g.a.data, g.a.row, g.a.column, b, b_row, nullptr, last,
                                                                                             g.target);
    if (g.activation != Activation::linear) activate(g, g.target, g.m, g.n);
  }
};

}  // namespace
}  // namespace simdnn
