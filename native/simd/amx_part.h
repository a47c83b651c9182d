// A part of C that one thread computes on the tile unit. One operand, the resident, is packed first, as much of it as stays
// in the second-level cache, while the other passes, packed a block ahead of its use. Cuts nothing for threads: amx.h does.
#pragma once
#include "amx_tile.h"
#include "blocked.h"

namespace simdnn {
namespace {

constexpr int64_t kResidentWords = 1 << 18;           // half a second-level cache
constexpr int64_t kLineWords = kPieces * kStepK / 2;  // of a line in a step

// The piece of the problem that makes m x n of C from (i, j) on.
SIMDNN_INLINE Gemm piece_of(const Gemm& g, int64_t i, int64_t j, int64_t m, int64_t n) {
  Gemm piece = g;
  piece.m = m, piece.n = n, piece.a = at(g.a, i, 0), piece.b = at(g.b, 0, j), piece.target = target_at(g.target, i, j, true);
  return piece;
}

struct AmxPart {
  Gemm g;
  Side resident, passing;
  Split rounds;  // of k, in steps: the sums wait in memory between two of them
  Split bands;   // of resident blocks

  // Which operand of an m x n part stays: it is packed once, the other once for each band of it. That is B, so that C and most
  // A's are gone along row by row, unless all would wait for much more packing, or A be transposed again and again.
  static bool a_stays(const Gemm& g, int64_t blocks_m, int64_t blocks_n, const Split& rounds) {
    const bool transposed = g.a.column != 1;
    return transposed ? blocks_n > most_in_band(rounds) : blocks_n >= 2 * blocks_m && blocks_m <= most_in_band(rounds);
  }

  static AmxPart plan(const Gemm& g, bool a_stays, const Split& rounds) {
    const Side a{g.a, g.m, g.k, false}, b{transposed(g.b), g.n, g.k, true};
    const Side &resident = a_stays ? a : b, &passing = a_stays ? b : a;
    return {g, resident, passing, rounds, split(resident.blocks(), most_in_band(rounds))};
  }

  static int64_t words(int64_t blocks, int64_t steps) { return blocks * steps * kLineWords * kBlockLines; }
  static int64_t most_in_band(const Split& rounds) { return kResidentWords / words(1, rounds.most()); }

  // Never less for a larger part.
  int64_t band_blocks() const { return smaller(resident.blocks(), most_in_band(rounds)); }
  int64_t resident_words() const { return words(band_blocks(), rounds.most()); }
  int64_t slot_words() const { return words(2, rounds.most()); }
  int64_t waiting_floats() const { return rounds.parts > 1 ? band_blocks() * passing.blocks() * kBlockFloats : 0; }
  int64_t packed_floats() const { return resident_words() + slot_words() + waiting_floats(); }

  // What a block of C that is computed in plain float32 asks for beyond that, at most.
  static int64_t fallback_floats(const Gemm& g) {
    int64_t most = 0;
    const int64_t heights[] = {kBlockLines, g.m % kBlockLines}, widths[] = {kBlockLines, g.n % kBlockLines};
    for (int64_t m : heights) {
      for (int64_t n : widths) {
        const int64_t floats = m > 0 && n > 0 ? Blocked::plan(piece_of(g, 0, 0, m, n), false).scratch_floats() : 0;
        if (floats > most) most = floats;
      }
    }
    return most;
  }

  // Adds what the rounds before have left, or leaves the sums so far for the next.
  static void add_round(float* sums, float* waiting, int64_t rows, int64_t columns, bool first, bool last) {
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t f = i * kBlockLines; f < i * kBlockLines + columns; f += kLanes) {
        const vf sum = first ? load(sums + f) : load(waiting + f) + load(sums + f);
        store(last ? sums + f : waiting + f, sum);
      }
    }
  }

  // Takes the scale from the sums, and says whether they are finite. Not left to alpha: what waits to be added elsewhere is rounded alike.
  static bool unscale(float* sums, int64_t rows, int64_t columns) {
    vi worst{};
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t j = 0; j < columns; j += kLanes) {
        const vf x = load(sums + i * kBlockLines + j) * kProductScale;
        worst |= bits(x - x);
        store(sums + i * kBlockLines + j, x);
      }
    }
    return _mm512_test_epi32_mask((__m512i)worst, (__m512i)worst) == 0;
  }

  // A block of C from its sums. Sums that are not finite come from operands that are not, which pieces cannot express, or
  // from a product beyond the range that the scale leaves: this block of C is then computed in float32.
  void finish(float* sums, int64_t i, int64_t j, float* memory) const {
    const int64_t rows = smaller(g.m - i, kBlockLines), columns = smaller(g.n - j, kBlockLines);
    if (!unscale(sums, rows, columns)) {
      Args args{};
      args.threads = 1, args.scratch = memory + packed_floats();
      return Blocked::plan(piece_of(g, i, j, rows, columns), false).run(args);
    }
    const Target target = target_at(g.target, i, j, true);
    put(target, sums, kBlockLines, rows, columns);
    activate(g, target, rows, columns);
  }

  // Block p of the resident operand times block q of the passing one, while a block is packed that comes later.
  void compute(int64_t round, int64_t p, int64_t q, const int32_t* packed_p, const int32_t* packed_q, float* waiting, float* memory, Packing& next) const {
    const bool first = round == 0, last = round + 1 == rounds.parts, swapped = resident.columns;
    const Side &a = swapped ? passing : resident, &b = swapped ? resident : passing;
    const int64_t i = swapped ? q : p, j = swapped ? p : q;
    alignas(64) float sums[kBlockFloats];  // of which the tiles that exist are written
    const int64_t a_tiles = a.tiles(i), b_tiles = b.tiles(j);
    kMultiplyTiles[a_tiles][b_tiles](rounds.size(round), swapped ? packed_q : packed_p, swapped ? packed_p : packed_q, sums, next);
    if (!first || !last) add_round(sums, waiting, a_tiles * kTileLines, b_tiles * kTileLines, first, last);
    if (last) finish(sums, i * kBlockLines, j * kBlockLines, memory);
  }

  // All that passes times one band. A slot holds the passing block, and another the next.
  void pass(int64_t round, int64_t band, const int32_t* packed_band, int32_t* slots, float* waiting, float* memory) const {
    const int64_t steps = rounds.size(round), blocks = passing.blocks(), height = bands.size(band);
    const auto packing = [&](int64_t q, int64_t moments) {
      return Packing(passing, q, rounds.begin(round), q < blocks ? steps : 0, slots + q % 2 * words(1, steps), moments);
    };
    packing(0, 1).advance();
    for (int64_t q = 0; q < blocks; q++) {
      Packing next = packing(q + 1, height * steps * kMoments);
      for (int64_t p = 0; p < height; p++)
        compute(round, bands.begin(band) + p, q, packed_band + words(p, steps), slots + q % 2 * words(1, steps), waiting + (q * height + p) * kBlockFloats,
                memory, next);
    }
  }

  // `memory` has packed_floats() and what a block in plain float32 needs.
  void run(float* memory) const {
    int32_t* const packed_band = reinterpret_cast<int32_t*>(memory);
    int32_t* const slots = packed_band + resident_words();
    float* const waiting = memory + resident_words() + slot_words();
    for (int64_t band = 0; band < bands.parts; band++) {
      for (int64_t round = 0; round < rounds.parts; round++) {
        resident.pack(bands.begin(band), bands.begin(band + 1), rounds.begin(round), rounds.size(round), packed_band);
        pass(round, band, packed_band, slots, waiting, memory);
      }
    }
  }
};

}  // namespace
}  // namespace simdnn
