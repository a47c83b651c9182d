// The tile kernel of the amx level: up to 32 x 32 sums of products of operands packed by bf16x3.h. Knows nothing of C.
#pragma once
#include "bf16x3.h"

namespace simdnn {
namespace {

constexpr int kBlockFloats = kBlockLines * kBlockLines;

// A thread loads it before its first tile and releases the tiles after its last, so that a context switch saves none.
// Static, because gcc 12 drops stores to a configuration on the stack.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static const TileConfig kTileConfig;

#define SIMDNN_LOAD_A(piece)               \
  _tile_loadd(4, a + piece * a_apart, 64); \
  if (rows == 2) _tile_loadd(5, a + piece * a_apart + kTileWords, 64)
#define SIMDNN_LOAD_B(piece)               \
  _tile_loadd(6, b + piece * b_apart, 64); \
  if (columns == 2) _tile_loadd(7, b + piece * b_apart + kTileWords, 64)
#define SIMDNN_MULTIPLY                                   \
  _tile_dpbf16ps(0, 4, 6);                                \
  if (columns == 2) _tile_dpbf16ps(1, 4, 7);              \
  if (rows == 2) _tile_dpbf16ps(2, 5, 6);                 \
  if (rows == 2 && columns == 2) _tile_dpbf16ps(3, 5, 7); \
  next.advance()

constexpr int64_t kMoments = 6;  // of a step, for next.advance()

// sums[i][j] = Σ a_i b_j over `steps` steps: six of the nine products of pieces, since the other three are below 2^-24 of
// the largest. The five small ones come first, over all steps, while the sums are small and so are their roundings: then
// only one rounding per 32 products counts. They are ordered so that each needs only one operand's tiles anew. Meanwhile
// something else is packed.
template <int rows, int columns>
static void multiply_tiles(int64_t steps, const int32_t* a, const int32_t* b, float* sums, Packing& next) {
  constexpr int64_t sums_row = kBlockLines * sizeof(float), a_step = rows * kTileWords, b_step = columns * kTileWords;
  const int64_t a_apart = steps * a_step, b_apart = steps * b_step;
  const int32_t* const a_end = a + steps * a_step;
  float* const below = sums + kTileLines * kBlockLines;
  asm volatile("" ::: "memory");  // a tile load does not tell the compiler that it reads memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (; a < a_end; a += a_step, b += b_step) {
    SIMDNN_LOAD_A(2);
    SIMDNN_LOAD_B(0);
    SIMDNN_MULTIPLY;
    SIMDNN_LOAD_A(1);
    SIMDNN_MULTIPLY;
    SIMDNN_LOAD_B(1);
    SIMDNN_MULTIPLY;
    SIMDNN_LOAD_A(0);
    SIMDNN_MULTIPLY;
    SIMDNN_LOAD_B(2);
    SIMDNN_MULTIPLY;
  }
  for (a -= steps * a_step, b -= steps * b_step; a < a_end; a += a_step, b += b_step) {
    SIMDNN_LOAD_A(0);
    SIMDNN_LOAD_B(0);
    SIMDNN_MULTIPLY;
  }
  _tile_stored(0, sums, sums_row);
  if (columns == 2) _tile_stored(1, sums + kTileLines, sums_row);
  if (rows == 2) _tile_stored(2, below, sums_row);
  if (rows == 2 && columns == 2) _tile_stored(3, below + kTileLines, sums_row);
}

#undef SIMDNN_LOAD_A
#undef SIMDNN_LOAD_B
#undef SIMDNN_MULTIPLY

using MultiplyTiles = void (*)(int64_t steps, const int32_t* a, const int32_t* b, float* sums, Packing& next);
constexpr MultiplyTiles kMultiplyTiles[3][3] = {
    {}, {nullptr, multiply_tiles<1, 1>, multiply_tiles<1, 2>}, {nullptr, multiply_tiles<2, 1>, multiply_tiles<2, 2>}};

}  // namespace
}  // namespace simdnn
