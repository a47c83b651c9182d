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

// columns[j] = column j of the kLanes x 4 floats at p. Parts of four lanes are put in their places as they are loaded, which
// the ports for loads do; what is left is a 4 x 4 transposition within each part.
SIMDNN_INLINE void load_four_columns(const float* p, int64_t stride, vf* columns) {
  vf row[4];
  SIMDNN_UNROLL for (int i = 0; i < 4; i++) row[i] = load_parts(p + i * stride, 4 * stride);
  const vf low = zip<0>(row[0], row[1]), high = zip<2>(row[0], row[1]);
  const vf low_rest = zip<0>(row[2], row[3]), high_rest = zip<2>(row[2], row[3]);
  columns[0] = join<0>(low, low_rest), columns[1] = join<2>(low, low_rest);
  columns[2] = join<0>(high, high_rest), columns[3] = join<2>(high, high_rest);
}

// The same for all columns of kLanes x kLanes floats.
SIMDNN_INLINE void load_transposed(const float* p, int64_t stride, vf (&columns)[kLanes]) {
  SIMDNN_UNROLL for (int j = 0; j < kLanes; j += 4) load_four_columns(p + j, stride, columns + j);
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

// out[j][i] = in[i][j] for rows i and columns j; a row of `out` is written `width` wide, zeros from column `rows` on.
static void transpose(const float* in, int64_t in_stride, int64_t rows, int64_t columns, float* out, int64_t out_stride, int64_t width) {
  for (int64_t i = 0; i < width; i += kLanes) {
    const int in_rows = (int)(rows - i < kLanes ? rows - i : kLanes);
    const int out_lanes = (int)(width - i < kLanes ? width - i : kLanes);
    for (int64_t j = 0; j < columns; j += kLanes) {
      const float* p = in + i * in_stride + j;
      float* q = out + j * out_stride + i;
      vf block[kLanes];
      const int in_lanes = (int)(columns - j < kLanes ? columns - j : kLanes);
      const Lanes loaded = first(in_lanes), stored = first(out_lanes);
      if (in_rows == kLanes && in_lanes == kLanes) {
        load_transposed(p, in_stride, block);
      } else {
        alignas(64) float whole[kLanes * kLanes];
        SIMDNN_UNROLL for (int r = 0; r < kLanes; r++) store(whole + r * kLanes, r < in_rows ? load(p + r * in_stride, loaded) : vf{});
        load_transposed(whole, kLanes, block);
      }
      if (out_lanes == kLanes && in_lanes == kLanes) {
        SIMDNN_UNROLL for (int r = 0; r < kLanes; r++) store(q + r * out_stride, block[r]);
      } else {
        SIMDNN_UNROLL for (int r = 0; r < kLanes; r++) {
          if (r < in_lanes) store(q + r * out_stride, block[r], stored);
        }
      }
    }
  }
}

}  // namespace
}  // namespace simdnn
