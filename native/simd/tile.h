// The register tile of the GEMM: rows x (vectors * kLanes) elements of C, one FMA chain each over a block of k. Knows
// nothing of blocking or threads.
#pragma once
#include "vec.h"

namespace simdnn {
namespace {

// A matrix operand: element (i, j) is data[i * row + j * column]. One of the strides is 1, or the matrix is packed.
struct Matrix {
  const float* data;
  int64_t row, column;
};

SIMDNN_INLINE Matrix transposed(Matrix x) { return {x.data, x.column, x.row}; }
SIMDNN_INLINE Matrix at(Matrix x, int64_t i, int64_t j) { return {x.data + i * x.row + j * x.column, x.row, x.column}; }

// What becomes of a product: c = alpha * product + beta * d. `d` is not read when beta is 0.
struct Target {
  float* c;
  int64_t c_row;
  const float* d;
  int64_t d_row;
  float alpha, beta;
};

SIMDNN_INLINE vf combine(const Target& t, vf product, vf d) { return fma(broadcast(t.alpha), product, broadcast(t.beta) * d); }

// pass(value) with what makes an element of C from its product and d(). The usual cases apart: worth it where k is small.
template <class Pass>
SIMDNN_INLINE void with_value(const Target& t, Pass pass) {
  if (t.alpha == 1 && t.beta == 0) {
    pass([](vf product, auto) { return product; });
  } else if (t.alpha == 1 && t.beta == 1) {
    pass([](vf product, auto d) { return product + d(); });
  } else {
    pass([&t](vf product, auto d) { return combine(t, product, t.beta != 0 ? d() : vf{}); });
  }
}

// How a tile reads B: whole vectors; only as far as C's columns go; or so, and writing what it read, filled up with zeros, to
// `packed`. Stores and loads are free beside the arithmetic, so this packing costs nothing, but a mask takes the place of an FMA.
enum Reading { kReadWhole, kReadMasked, kReadPacking, kReadings };

// C's columns end `last` lanes into the last vector. A's strides and pointer come one by one, since a structure would go through
// memory.
template <int rows, int vectors, Reading reading>
SIMDNN_INLINE void tile(int64_t k, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, float* packed, int last, const Target& t) {
  constexpr bool packs = reading == kReadPacking, masks = reading != kReadWhole;
  constexpr int kAhead = packs ? 16 : vectors > 4 ? 4 : 8;
  const Lanes lanes = first(last);
  vf sum[rows][vectors];
  SIMDNN_UNROLL for (int i = 0; i < rows; i++) { SIMDNN_UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = vf{}; }
  // Five rows from one pointer: 1, 2 and 4 strides are address modes, 3 strides a register.
  const float* base[4] = {a, a + 5 * a_row, a + 10 * a_row, a + 15 * a_row};
  SIMDNN_TWO_TURNS for (int64_t p = 0; p < k; p++) {
    const auto b_at = [&](int j) __attribute__((always_inline)) {
      const vf line = masks && j + 1 == vectors ? load(b + j * kLanes, lanes) : load(b + j * kLanes);
      // B comes from a far cache, in rows that no prefetcher guesses.
      if (packs || vectors > 2) __builtin_prefetch(b + kAhead * b_row + j * kLanes);
      if (packs) store(packed + j * kLanes, line);
      return line;
    };
    const auto a_at = [&](int i) __attribute__((always_inline)) { return broadcast(base[i / 5][i % 5 * a_row]); };
    if constexpr (rows < vectors) {  // the shorter side stays in registers, the other passes
      vf x[rows];
      SIMDNN_UNROLL for (int i = 0; i < rows; i++) x[i] = kept(a_at(i));
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) {
        const vf line = rows > 1 ? kept(b_at(j)) : b_at(j);
        SIMDNN_UNROLL for (int i = 0; i < rows; i++) sum[i][j] = fma(x[i], line, sum[i][j]);
      }
    } else {
      vf line[vectors];
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) line[j] = b_at(j);
      SIMDNN_UNROLL for (int i = 0; i < rows; i++) {
        const vf x = a_at(i);
        SIMDNN_UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = fma(x, line[j], sum[i][j]);
      }
    }
    packed += packs ? vectors * kLanes : 0;
    base[0] += a_column, base[1] += a_column, base[2] += a_column, base[3] += a_column, b += b_row;
  }
  const bool whole = !kCheapMaskedStores && last == kLanes;
  float* c = t.c;
  const float* d = t.d;
  const auto put = [&](auto value) __attribute__((always_inline)) {
    SIMDNN_UNROLL for (int i = 0; i < rows; i++) {
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) {
        float* to = c + j * kLanes;
        const float* from = d + j * kLanes;
        if (j + 1 < vectors || whole) {
          store(to, value(sum[i][j], [from] { return load(from); }));
        } else {
          store(to, value(sum[i][j], [from, lanes] { return load(from, lanes); }), lanes);
        }
      }
      c += t.c_row, d += t.d_row;
      asm("" : "+r"(c), "+r"(d));  // else all addresses would be computed first, and spilled
    }
  };
  with_value(t, put);
}

using Tile = void (*)(int64_t k, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, float* packed, int last, const Target& t);

// `count` whole tiles side by side. Where k is short, what leads to a call and from it takes as long as some steps of k.
template <int rows, int vectors>
static void tiles_along(int64_t k, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, const Target& target, int64_t count) {
  Target t = target;
  for (; count > 0; count--, b += vectors * kLanes, t.c += vectors * kLanes, t.d += vectors * kLanes) {
    tile<rows, vectors, kReadWhole>(k, a, a_row, a_column, b, b_row, nullptr, kLanes, t);
  }
}

using TilesAlong = void (*)(int64_t k, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, const Target& t, int64_t count);

// Most rows of a tile by its vectors. One vector serves a square of lanes, two all that is high, and the wider ones a C with so few
// rows, for which B passes only once.
#if defined(__AVX2__) && !defined(__AVX512F__)  // 16 registers, so at most 12 sums
constexpr int kRegisters = 16;
constexpr int kMaxVectors = 8, kMaxRows = 8;
constexpr int kTileRows[kMaxVectors + 1] = {0, 8, 6, 4, 2, 1, 1, 1, 1};
#else  // 32 registers, so at most 28 sums
constexpr int kRegisters = 32;
constexpr int kMaxVectors = 8, kMaxRows = 16;
constexpr int kTileRows[kMaxVectors + 1] = {0, 16, 14, 9, 6, 4, 4, 3, 3};
#endif

struct Tiles {
  Tile by[kReadings][kMaxVectors + 1][kMaxRows + 1];
  TilesAlong along[kMaxVectors + 1][kMaxRows + 1];
};
template <int vectors = kMaxVectors, int rows = kTileRows[vectors]>
constexpr Tiles tiles(Tiles found = {}) {
  if constexpr (vectors == 0) {
    return found;
  } else if constexpr (rows == 0) {
    return tiles<vectors - 1>(found);
  } else {
    found.along[vectors][rows] = tiles_along<rows, vectors>;
    found.by[kReadWhole][vectors][rows] = tile<rows, vectors, kReadWhole>;
    if constexpr (kCheapMaskedLoads) found.by[kReadMasked][vectors][rows] = tile<rows, vectors, kReadMasked>;
    found.by[kReadPacking][vectors][rows] = tile<rows, vectors, kReadPacking>;
    return tiles<vectors, rows - 1>(found);
  }
}
constexpr Tiles kTiles = tiles();

}  // namespace
}  // namespace simdnn
