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

// C's columns end `last` lanes into the last vector. A tile that packs reads B only so far and writes what it read, filled up
// with zeros, to `packed`: stores and loads are free beside the arithmetic, so packing costs a pass of its own nothing.
template <int rows, int vectors, bool packs>
static void tile(int64_t k, Matrix a, const float* b, int64_t b_row, float* packed, int last, const Target& target) {
  constexpr int kAhead = packs ? 16 : 8;
  const Target t = target;  // else it would be read again after every store
  const Lanes lanes = first(last);
  const bool whole = last == kLanes;
  vf sum[rows][vectors];
  SIMDNN_UNROLL for (int i = 0; i < rows; i++) { SIMDNN_UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = vf{}; }
  // Five rows from one pointer: 1, 2 and 4 strides are address modes, 3 strides a register.
  const float* base[3] = {a.data, a.data + 5 * a.row, a.data + 10 * a.row};
  for (int64_t p = 0; p < k; p++) {
    vf line[vectors];
    SIMDNN_UNROLL for (int j = 0; j < vectors; j++) line[j] = packs && j + 1 == vectors ? load(b + j * kLanes, lanes) : load(b + j * kLanes);
    if (packs || vectors > 2) {  // B comes from a far cache, in rows that no prefetcher guesses
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) __builtin_prefetch(b + kAhead * b_row + j * kLanes);
    }
    if (packs) {
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) store(packed + j * kLanes, line[j]);
      packed += vectors * kLanes;
    }
    SIMDNN_UNROLL for (int i = 0; i < rows; i++) {
      const vf x = broadcast(base[i / 5][i % 5 * a.row]);
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = fma(x, line[j], sum[i][j]);
    }
    base[0] += a.column, base[1] += a.column, base[2] += a.column, b += b_row;
  }
  const auto put = [&](auto value) __attribute__((always_inline)) {
    SIMDNN_UNROLL for (int i = 0; i < rows; i++) {
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) {
        float* c = t.c + i * t.c_row + j * kLanes;
        const float* d = t.d + i * t.d_row + j * kLanes;
        if (j + 1 < vectors || whole) {
          store(c, value(sum[i][j], [d] { return load(d); }));
        } else {
          store(c, value(sum[i][j], [d, lanes] { return load(d, lanes); }), lanes);
        }
      }
    }
  };
  // The usual cases apart: worth it where k is small.
  if (t.alpha == 1 && t.beta == 0) {
    put([](vf product, auto) { return product; });
  } else if (t.alpha == 1 && t.beta == 1) {
    put([](vf product, auto d) { return product + d(); });
  } else {
    put([&t](vf product, auto d) { return combine(t, product, t.beta != 0 ? d() : vf{}); });
  }
}

using Tile = void (*)(int64_t k, Matrix a, const float* b, int64_t b_row, float* packed, int last, const Target& t);

// Most rows of a tile by its vectors. Two vectors serve all that is high; the wider ones a C with so few rows, for which B
// passes only once.
#if defined(__AVX2__) && !defined(__AVX512F__)  // 16 registers, so 12 sums
constexpr int kRegisters = 16, kShortVectors = 1;
constexpr int kMaxVectors = 8, kMaxRows = 6;
constexpr int kTileRows[kMaxVectors + 1] = {0, 6, 6, 4, 2, 1, 1, 1, 1};
#else  // 32 registers, so 28 sums
constexpr int kRegisters = 32, kShortVectors = 2;
constexpr int kMaxVectors = 8, kMaxRows = 14;
constexpr int kTileRows[kMaxVectors + 1] = {0, 14, 14, 9, 6, 3, 3, 3, 2};
#endif

// By whether it packs, vectors and rows.
struct Tiles {
  Tile by[2][kMaxVectors + 1][kMaxRows + 1];
};
template <int vectors = kMaxVectors, int rows = kTileRows[vectors]>
constexpr Tiles tiles(Tiles found = {}) {
  if constexpr (vectors == 0) {
    return found;
  } else if constexpr (rows == 0) {
    return tiles<vectors - 1>(found);
  } else {
    found.by[false][vectors][rows] = tile<rows, vectors, false>, found.by[true][vectors][rows] = tile<rows, vectors, true>;
    return tiles<vectors, rows - 1>(found);
  }
}
constexpr Tiles kTiles = tiles();

// The other way round for a short k, as in the gradient of a ten-class head: the panel of B stays in registers and the rows
// of C pass, since a tile's beginning and end would cost as much as its few steps. Rows of A are contiguous.
constexpr int kShortK = 12, kShortRows = 64;
template <int k>
static void short_tile(int64_t rows, const float* a, int64_t a_row, const float* b, int64_t b_row, const Target& target) {
  const Target t = target;
  const bool plain = t.alpha == 1 && t.beta == 0;
  vf line[k][kShortVectors];
  SIMDNN_UNROLL for (int p = 0; p < k; p++) { SIMDNN_UNROLL for (int j = 0; j < kShortVectors; j++) line[p][j] = kept(load(b + p * b_row + j * kLanes)); }
  for (int64_t i = 0; i < rows; i++) {
    vf sum[kShortVectors] = {};
    SIMDNN_UNROLL for (int p = 0; p < k; p++) {
      const vf x = broadcast(a[i * a_row + p]);
      SIMDNN_UNROLL for (int j = 0; j < kShortVectors; j++) sum[j] = fma(x, line[p][j], sum[j]);
    }
    SIMDNN_UNROLL for (int j = 0; j < kShortVectors; j++) {
      float* c = t.c + i * t.c_row + j * kLanes;
      if (plain) {
        store(c, sum[j]);
      } else {
        store(c, combine(t, sum[j], t.beta != 0 ? load(t.d + i * t.d_row + j * kLanes) : vf{}));
      }
    }
  }
}

using ShortTile = void (*)(int64_t rows, const float* a, int64_t a_row, const float* b, int64_t b_row, const Target& t);
constexpr ShortTile kShortTiles[kShortK + 1] = {nullptr,       short_tile<1>, short_tile<2>, short_tile<3>,  short_tile<4>,  short_tile<5>, short_tile<6>,
                                                short_tile<7>, short_tile<8>, short_tile<9>, short_tile<10>, short_tile<11>, short_tile<12>};

}  // namespace
}  // namespace simdnn
