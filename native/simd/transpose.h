// Transposition in registers: blocks of kLanes x kLanes floats, and what is built on them for the GEMM. No arithmetic
// but the sums over lanes of several vectors at once, which are a transposition with additions.
#pragma once
#include "vec.h"

namespace simdnn {
namespace {

// Exchanges the off-diagonal blocks of side `distance`, then of half that side, down to single elements. Three blends and
// one permutation per pair: the permutation port of x86 is the scarce one.
template <int distance = kLanes / 2>
SIMDNN_INLINE void transpose_square(vf (&rows)[kLanes]) {
  if constexpr (distance > 0) {
    SIMDNN_UNROLL for (int i = 0; i < kLanes; i++) {
      if (i & distance) continue;
      vf &x = rows[i], &y = rows[i + distance];
      const vf exchanged = swap<distance>(alternate<distance>(y, x));
      x = alternate<distance>(x, exchanged);
      y = alternate<distance>(exchanged, y);
    }
    transpose_square<distance / 2>(rows);
  }
}

constexpr int kParts = kLanes / 4;

// Where the rows 4q … 4q + 3 of kLanes rows begin. Opaque, or the compiler would keep all the rows' addresses, and spill them.
struct RowParts {
  const float* part[kParts];
  int64_t stride;
  __attribute__((always_inline)) RowParts(const float* p, int64_t stride) : stride(stride) {
    SIMDNN_UNROLL for (int q = 0; q < kParts; q++) part[q] = opaque(p + 4 * q * stride);
  }
};

// columns[j] = column j of the kLanes x 4 floats from column `first` on. Parts of four lanes are put in their places as they are loaded,
// which the ports for loads do; what is left is a 4 x 4 transposition within each part.
SIMDNN_INLINE void load_four_columns(const RowParts& rows, int64_t first, vf* columns) {
  vf row[4];
  SIMDNN_UNROLL for (int i = 0; i < 4; i++) row[i] = load_parts(rows.part, i * rows.stride + first);
  const vf low = zip<0>(row[0], row[1]), high = zip<2>(row[0], row[1]);
  const vf low_rest = zip<0>(row[2], row[3]), high_rest = zip<2>(row[2], row[3]);
  columns[0] = join<0>(low, low_rest), columns[1] = join<2>(low, low_rest);
  columns[2] = join<0>(high, high_rest), columns[3] = join<2>(high, high_rest);
}
SIMDNN_INLINE void load_four_columns(const float* p, int64_t stride, vf* columns) { load_four_columns(RowParts(p, stride), 0, columns); }

// The same for all columns of kLanes x kLanes floats.
SIMDNN_INLINE void load_transposed(const float* p, int64_t stride, vf (&columns)[kLanes]) {
  const RowParts rows(p, stride);
  SIMDNN_UNROLL for (int j = 0; j < kLanes; j += 4) load_four_columns(rows, j, columns + j);
}

// Adds lanes whose numbers differ in the bits from `distance` down to 1, in the same order for every vector: lane i of the answer
// is such a sum of vector i % (2 * distance) for those below `count`, over lanes that agree with i in the higher bits. So
// kHalf gives whole sums, one per lane, and kHalf / 2 the sums of both halves.
template <int count, int distance, int size>
SIMDNN_INLINE vf lane_sums(vf (&x)[size]) {
  if constexpr (distance == 0) {
    return x[0];
  } else {
    SIMDNN_UNROLL for (int i = 0; i < distance; i++) {
      if (i + distance < count) {
        const vf a = x[i], b = x[i + distance];
        x[i] = alternate<distance>(a, b) + swap<distance>(alternate<distance>(b, a));
      } else if (i < count) {
        x[i] = x[i] + swap<distance>(x[i]);
      }
    }
    return lane_sums<(count < distance ? count : distance), distance / 2>(x);
  }
}

// out[j][i] = in[i][j] for a block of kLanes x kLanes.
SIMDNN_INLINE void transpose_whole(const float* in, int64_t in_stride, float* out, int64_t out_stride) {
  vf block[kLanes];
  load_transposed(in, in_stride, block);
  SIMDNN_UNROLL for (int j = 0; j < kLanes; j++) store(out, block[j]), out = opaque(out + out_stride);
}

// For fewer rows or columns; a row of `out` is written `width` wide, zeros from column `rows` on.
__attribute__((noinline)) static void transpose_part(const float* in, int64_t in_stride, int rows, int columns, float* out, int64_t out_stride, int width) {
  const Lanes loaded = first(columns), stored = first(width);
  alignas(64) float whole[kLanes * kLanes];
  for (int i = 0; i < rows; i++) store(whole + i * kLanes, load(in + i * in_stride, loaded));
  for (int i = rows; i < kLanes; i++) store(whole + i * kLanes, vf{});
  vf block[kLanes];
  load_transposed(whole, kLanes, block);
  SIMDNN_UNROLL for (int j = 0; j < kLanes; j++) {
    if (j < columns) store(out, block[j], stored), out = opaque(out + out_stride);
  }
}

// The same for any number of rows and columns: in bands of rows that fill lines of the cache on the other side.
static void transpose(const float* in, int64_t in_stride, int64_t rows, int64_t columns, float* out, int64_t out_stride, int64_t width) {
  const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
  constexpr int64_t kBand = 32;
  for (int64_t band = 0; band < width; band += kBand) {
    const int64_t band_end = least(width, band + kBand);
    for (int64_t start = 0; start < columns; start += kLanes) {
      // The last block begins early enough to be whole.
      const int64_t j = start + kLanes <= columns || columns < kLanes ? start : columns - kLanes;
      for (int64_t i = band; i < band_end; i += kLanes) {
        const float* from = in + i * in_stride + j;
        float* to = out + j * out_stride + i;
        if (i + kLanes <= rows && kLanes <= columns) {
          transpose_whole(from, in_stride, to, out_stride);
        } else {
          transpose_part(from, in_stride, (int)least(rows > i ? rows - i : 0, kLanes), (int)least(columns - j, kLanes), to, out_stride,
                         (int)least(width - i, kLanes));
        }
      }
    }
  }
}

}  // namespace
}  // namespace simdnn
