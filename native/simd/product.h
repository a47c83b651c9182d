// What a GEMM is asked for, and how a finished piece of the product reaches C. Multiplies no matrices.
#pragma once
#include "../kernel.h"
#include "activate.h"
#include "each.h"
#include "tile.h"
#include "transpose.h"

namespace simdnn {
namespace {

// C = activation(alpha A B + beta D)
struct Gemm {
  int64_t m, n, k;
  Matrix a, b;    // m x k and k x n
  Target target;  // C and D at their first element; D is C itself, or a bias with row stride 0
  Activation activation;
  float slope;
};

// Whether a tile can read B where it lies.
SIMDNN_INLINE bool in_place(const Gemm& g) { return g.b.column == 1 && (kCheapMaskedLoads || g.n % kLanes == 0); }

constexpr int64_t kNearFloats = 8192;  // of B that stay in the first-level cache: two thirds of it

SIMDNN_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// A length in parts whose sizes differ by at most one: a small last tile would leave registers idle.
struct Split {
  int64_t parts, shorter, longer;  // the first `longer` parts have one more
  int64_t begin(int64_t i) const { return i * shorter + smaller(i, longer); }
  int64_t size(int64_t i) const { return shorter + (i < longer); }
  int64_t most() const { return shorter + (longer > 0); }
};
SIMDNN_INLINE Split split(int64_t length, int64_t most) {
  if (length <= most) return {1, length, 0};
  if (length <= 2 * most) return {2, length / 2, length % 2};  // spares the divisions, which the smallest products feel
  const int64_t parts = (length + most - 1) / most;
  return {parts, length / parts, length % parts};
}

// Vectors of the tiles that cover an m x n C with the fewest. A panel over which several strips pass stays in the first-level cache.
SIMDNN_INLINE int tile_vectors(int64_t m, int64_t n, int64_t k) {
  const int64_t vectors = (n + kLanes - 1) / kLanes;
  if (vectors == 1 || (vectors <= kMaxVectors && m <= kTileRows[vectors])) return static_cast<int>(vectors);  // no time to lose
  int64_t fewest = INT64_MAX;
  int best = 1;
  SIMDNN_UNROLL for (int v = 1; v <= kMaxVectors; v++) {
    const int64_t strips = (m + kTileRows[v] - 1) / kTileRows[v], tiles = strips * ((vectors + v - 1) / v);
    if (tiles < fewest && (v <= 2 || strips <= 2 || k * v * kLanes <= kNearFloats)) fewest = tiles, best = v;
  }
  return best;
}

constexpr int64_t kWorthwhile = 1 << 18;  // multiply-adds for which a thread is worth calling: 2 to 4 µs

// In multiply-adds, of which six take as long as reading a number from the second-level cache.
SIMDNN_INLINE int64_t gemm_work(const Gemm& g) {
  const int64_t products = g.m * g.n * g.k, reads = 6 * (g.m * g.k + g.k * g.n + g.m * g.n);
  return products > reads ? products : reads;
}

// How many of `items` a thread should get at least, so that a second one pays.
SIMDNN_INLINE int64_t gemm_grain(const Gemm& g, int64_t items) {
  const int64_t parts = gemm_work(g) / kWorthwhile;
  return parts <= 1 ? items : (items + parts - 1) / parts;
}

// The piece of C at (i, j). Blocks of k after the first add to what is there.
SIMDNN_INLINE Target target_at(const Target& t, int64_t i, int64_t j, bool first_block) {
  float* c = t.c + i * t.c_row + j;
  return first_block ? Target{c, t.c_row, t.d + i * t.d_row + j, t.d_row, t.alpha, t.beta} : Target{c, t.c_row, c, t.c_row, t.alpha, 1};
}

// Takes a product that could not go straight to C, because it is narrower than its tile or transposed.
static void put(Target t, const float* product, int64_t product_row, int64_t rows, int64_t columns) {
  for (int64_t j = 0; j < columns; j += kLanes) {
    const Lanes lanes = first(static_cast<int>(smaller(kLanes, columns - j)));
    for (int64_t i = 0; i < rows; i++) {
      const vf d = t.beta != 0 ? load(t.d + i * t.d_row + j, lanes) : vf{};
      store(t.c + i * t.c_row + j, combine(t, load(product + i * product_row + j, lanes), d), lanes);
    }
  }
}

// The same for a product that lies transposed: its columns become rows of C. It is readable up to whole blocks of kLanes x kLanes.
static void put_transposed(Target t, const float* product, int64_t product_row, int64_t rows, int64_t columns) {
  with_value(
      t, [&](auto value) __attribute__((always_inline)) {
        for (int64_t j = 0; j < columns; j += kLanes) {
          const Lanes lanes = first(static_cast<int>(smaller(kLanes, columns - j)));
          for (int64_t i = 0; i < rows; i += kLanes) {
            vf block[kLanes];
            load_transposed(product + j * product_row + i, product_row, block);
            float* c = t.c + i * t.c_row + j;
            const float* d = t.d + i * t.d_row + j;
            SIMDNN_UNROLL for (int r = 0; r < kLanes; r++) {
              if (i + r < rows) store(c, value(block[r], [d, lanes] { return load(d, lanes); }), lanes);
              c = opaque(c + t.c_row), d = opaque(d + t.d_row);
            }
          }
        }
      });
}

// Applies the activation to a finished piece of C while it is in the first-level cache.
static void activate(const Gemm& g, const Target& t, int64_t rows, int64_t columns) {
  if (g.activation == Activation::linear) return;
  with_activation(g.activation, [&](auto k) {
    for (int64_t i = 0; i < rows; i++) {
      float* row = t.c + i * t.c_row;
      each(0, columns, [&](auto at) { at.store(row, activate<decltype(k)::kind>(at.load(row), g.slope)); });
    }
  });
}

}  // namespace
}  // namespace simdnn
