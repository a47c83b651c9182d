// Packs a matrix for the tile unit as three bf16 per float, whose sum is the float exactly. Multiplies nothing: amx_tile.h
// does. Only for the amx level.
#pragma once
#include "product.h"
#include "transpose.h"

namespace simdnn {
namespace {

// Operands are scaled by this before they are split. The tile unit takes denormals for zero; the last bit of a float is at
// least 2^-149, so that after scaling every piece of every float, denormals included, is a normal bf16. What the scale
// or the rounding up of a first piece makes overflow is not finite in any piece, and neither is then the product.
constexpr float kSplitScale = 0x1p23f;
constexpr float kProductScale = 1 / (kSplitScale * kSplitScale);

constexpr int kTileLines = 16;                       // rows of A or columns of B per tile
constexpr int kStepK = 32;                           // of k per tile
constexpr int kTileWords = kTileLines * kStepK / 2;  // a word is a pair of bf16
constexpr int kPieces = 3;
constexpr int kStepWords = kPieces * kTileWords;  // of a step of a tile

// Lane by lane the upper halves of both, that of `low` below.
SIMDNN_INLINE vu upper_halves(vu low, vu high) { return (vu)_mm512_mask_blend_epi16(0xaaaaaaaa, (__m512i)(low >> 16), (__m512i)high); }

// x = h + m + l, each the nearest bf16 to what is left: |m| <= 2^-8 |x|, |l| <= 2^-16 |x|, of either sign.
SIMDNN_INLINE void split_pair(vf x, vf y, int32_t* out) {
  x = x * kSplitScale, y = y * kSplitScale;
  SIMDNN_UNROLL for (int piece = 0; piece + 1 < kPieces; piece++, out += kTileWords) {
    const vu a = (vu)x + 0x8000u, b = (vu)y + 0x8000u;
    store(out, (vi)upper_halves(a, b));
    x = x - (vf)(a & 0xffff0000u), y = y - (vf)(b & 0xffff0000u);
  }
  store(out, (vi)upper_halves((vu)x, (vu)y));
}

// One step of k of one tile: word i of row r holds k = i and i + 16 of line r (A), or k = r and r + 16 of line i (B). With
// these pairs either operand is read in whole vectors. `lower` and `upper` point at the halves of the step.
template <bool transposed>
static void pack_tile(const float* lower, const float* upper, int64_t row, int64_t rows_lower, int64_t rows_upper, Lanes lanes_lower, Lanes lanes_upper,
                      int32_t* out) {
  vf x[kLanes], y[kLanes];
  if (rows_lower == kLanes && rows_upper == kLanes) {
    SIMDNN_UNROLL for (int i = 0; i < kLanes; i++) x[i] = load(lower + i * row, lanes_lower), y[i] = load(upper + i * row, lanes_upper);
  } else {
    SIMDNN_UNROLL for (int i = 0; i < kLanes; i++) {
      x[i] = i < rows_lower ? load(lower + i * row, lanes_lower) : vf{};
      y[i] = i < rows_upper ? load(upper + i * row, lanes_upper) : vf{};
    }
  }
  if (transposed) transpose_square(x), transpose_square(y);
  SIMDNN_UNROLL for (int i = 0; i < kLanes; i++) split_pair(x[i], y[i], out + i * kLanes);
}

constexpr int kBlockLines = 2 * kTileLines;

// An operand as lines along k: the rows of A or the columns of B.
struct Side {
  Matrix x;  // element (line, p)
  int64_t lines, k;
  bool columns;

  int64_t blocks() const { return (lines + kBlockLines - 1) / kBlockLines; }
  int64_t tiles(int64_t block) const { return smaller(2, (lines - block * kBlockLines + kTileLines - 1) / kTileLines); }

  // `at most` of the lines, or of k, that are left.
  static int64_t rest(int64_t left, int64_t most) { return left < 0 ? 0 : smaller(left, most); }

  void pack_tile(int64_t line, int64_t p, int32_t* out) const {
    const bool along_k = x.column == 1;
    const int64_t width = rest(lines - line, kTileLines), lower = rest(k - p, kLanes), upper = rest(k - p - kLanes, kLanes);
    const auto pack = along_k == columns ? simdnn::pack_tile<true> : simdnn::pack_tile<false>;
    const Lanes all = first(static_cast<int>(width));
    const float* from = at(x, line, p).data;
    if (along_k) {
      pack(from, from + kLanes, x.row, width, width, first(static_cast<int>(lower)), first(static_cast<int>(upper)), out);
    } else {
      pack(from, from + kLanes * x.column, x.column, lower, upper, all, all, out);
    }
  }

  // The `steps` steps of k from `step` on of blocks begin … end - 1, one after the other; a block has its steps in order,
  // a step its tiles. Goes through memory in the order of memory.
  void pack(int64_t begin, int64_t end, int64_t step, int64_t steps, int32_t* out) const {
    const bool along_k = x.column == 1;
    const int64_t outer = along_k ? end - begin : steps, inner = along_k ? steps : end - begin;
    for (int64_t i = 0; i < outer; i++) {
      for (int64_t j = 0; j < inner; j++) {
        const int64_t b = along_k ? i : j, s = along_k ? j : i, tiles = this->tiles(begin + b);
        for (int64_t tile = 0; tile < tiles; tile++)
          pack_tile((begin + b) * kBlockLines + tile * kTileLines, (step + s) * kStepK, out + (b * steps * 2 + s * tiles + tile) * kStepWords);
      }
    }
  }
};

}  // namespace
}  // namespace simdnn
