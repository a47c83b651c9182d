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

// Lane by lane the upper halves of both, that of `low` below.
SIMDNN_INLINE vu upper_halves(vu low, vu high) { return (vu)_mm512_mask_blend_epi16(0xaaaaaaaa, (__m512i)(low >> 16), (__m512i)high); }

// x = h + m + l, each the nearest bf16 to what is left: |m| <= 2^-8 |x|, |l| <= 2^-16 |x|, of either sign. They are `apart`
// words from each other.
SIMDNN_INLINE void split_pair(vf x, vf y, int32_t* out, int64_t apart) {
  x = x * kSplitScale, y = y * kSplitScale;
  SIMDNN_UNROLL for (int piece = 0; piece + 1 < kPieces; piece++, out += apart) {
    const vu a = (vu)x + 0x8000u, b = (vu)y + 0x8000u;
    store(out, (vi)upper_halves(a, b));
    x = x - (vf)(a & 0xffff0000u), y = y - (vf)(b & 0xffff0000u);
  }
  store(out, (vi)upper_halves((vu)x, (vu)y));
}

// What one step of k of one tile is read from: rows of lanes for both halves of the step.
struct Halves {
  const float *lower, *upper;
  int64_t row;
  int lower_rows, upper_rows;
  Lanes lower_lanes, upper_lanes;
  bool whole;

  SIMDNN_METHOD vf lower_row(int i) const { return load(lower + i * row, i < lower_rows ? lower_lanes : first(0)); }
  SIMDNN_METHOD vf upper_row(int i) const { return load(upper + i * row, i < upper_rows ? upper_lanes : first(0)); }
};

// Word i of row r of a tile holds k = i and i + 16 of line r (A), or k = r and r + 16 of line i (B). With these pairs either
// operand is read in whole vectors, and transposed only where it lies the other way.
constexpr int kRowsAtOnce = 4;  // where it is transposed
template <bool transposed>
SIMDNN_INLINE void pack_rows(const Halves& from, int first_row, int32_t* out, int64_t apart) {
  if constexpr (!transposed) {
    split_pair(from.lower_row(first_row), from.upper_row(first_row), out + first_row * kLanes, apart);
  } else {
    vf x[kRowsAtOnce], y[kRowsAtOnce];
    if (from.whole) {
      load_four_columns(from.lower + first_row, from.row, x), load_four_columns(from.upper + first_row, from.row, y);
    } else {
      alignas(64) float lower[kLanes * kLanes], upper[kLanes * kLanes];
      for (int i = 0; i < kLanes; i++) store(lower + i * kLanes, from.lower_row(i)), store(upper + i * kLanes, from.upper_row(i));
      load_four_columns(lower + first_row, kLanes, x), load_four_columns(upper + first_row, kLanes, y);
    }
    SIMDNN_UNROLL for (int i = 0; i < kRowsAtOnce; i++) split_pair(x[i], y[i], out + (first_row + i) * kLanes, apart);
  }
}

template <bool transposed>
static void pack_tile(const Halves& from, int32_t* out, int64_t apart) {
  for (int row = 0; row < kTileLines; row += transposed ? kRowsAtOnce : 1) pack_rows<transposed>(from, row, out, apart);
}

constexpr int kBlockLines = 2 * kTileLines;

// An operand as lines along k: the rows of A or the columns of B.
struct Side {
  Matrix x;  // element (line, p)
  int64_t lines, k;
  bool columns;

  int64_t blocks() const { return (lines + kBlockLines - 1) / kBlockLines; }
  int64_t tiles(int64_t block) const { return smaller(2, (lines - block * kBlockLines + kTileLines - 1) / kTileLines); }

  bool along_k() const { return x.column == 1; }
  bool transposed() const { return along_k() == columns; }  // in its tiles

  // At most so many of the lines, or of k, that are left.
  static int rest(int64_t left, int most) { return left < 0 ? 0 : static_cast<int>(smaller(left, most)); }

  SIMDNN_METHOD Halves halves(int64_t line, int64_t p) const {
    const int width = rest(lines - line, kTileLines), lower = rest(k - p, kLanes), upper = rest(k - p - kLanes, kLanes);
    const float* from = at(x, line, p).data;
    const bool whole = width == kTileLines && upper == kLanes;
    if (along_k()) return {from, from + kLanes, x.row, width, width, first(lower), first(upper), whole};
    return {from, from + kLanes * x.column, x.column, lower, upper, first(width), first(width), whole};
  }

  // The `steps` steps of k from `step` on of blocks begin … end - 1, one after the other: the first pieces of a block, its
  // second, its third; in each the steps in order, with the tiles of a step side by side. Goes through memory in the order of memory.
  void pack(int64_t begin, int64_t end, int64_t step, int64_t steps, int32_t* out) const {
    const int64_t outer = along_k() ? end - begin : steps, inner = along_k() ? steps : end - begin;
    const auto pack = transposed() ? pack_tile<true> : pack_tile<false>;
    for (int64_t i = 0; i < outer; i++) {
      for (int64_t j = 0; j < inner; j++) {
        const int64_t b = along_k() ? i : j, s = along_k() ? j : i, tiles = this->tiles(begin + b);
        for (int64_t tile = 0; tile < tiles; tile++)
          pack(halves((begin + b) * kBlockLines + tile * kTileLines, (step + s) * kStepK), out + (b * steps * 2 * kPieces + s * tiles + tile) * kTileWords,
               steps * tiles * kTileWords);
      }
    }
  }
};

// Packs some steps of a block a few rows at a time, between instructions of the tile unit: it and the vector units work
// side by side, but only on what lies close together in the program.
class Packing {
 public:
  // Spread over `moments` calls of advance().
  Packing(const Side& side, int64_t block, int64_t step, int64_t steps, int32_t* out, int64_t moments)
      : side_(side),
        rows_(side.transposed() ? kRowsAtOnce : 1),
        line_(block * kBlockLines),
        p_(step * kStepK),
        tiles_(side.tiles(block)),
        apart_(steps * tiles_ * kTileWords),
        left_(steps * tiles_),
        at_once_((left_ * kTileLines / rows_ + moments - 1) / moments),
        out_(out) {}

  SIMDNN_METHOD void advance() {
    for (int64_t i = 0; i < at_once_ && left_ > 0; i++) {
      if (row_ == 0) from_ = side_.halves(line_ + tile_ * kTileLines, p_);
      if (rows_ > 1) {
        pack_transposed();
      } else {
        pack_rows<false>(from_, row_, out_, apart_);
      }
      row_ += rows_;
      if (row_ == kTileLines) next_tile();
    }
  }

 private:
  void pack_transposed() { pack_rows<true>(from_, row_, out_, apart_); }

  void next_tile() {
    row_ = 0, left_--, out_ += kTileWords;
    if (++tile_ == tiles_) tile_ = 0, p_ += kStepK;
  }

  Side side_;
  int rows_;
  int64_t line_, p_, tiles_, apart_, left_, at_once_;
  int32_t* out_;
  Halves from_{};
  int64_t tile_ = 0;
  int row_ = 0;
};

}  // namespace
}  // namespace simdnn
