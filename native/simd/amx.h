// The form of the GEMM for the tile unit: float32 at float32's accuracy through products of bf16 (Henry, Tang and Heinecke,
// arXiv:1904.06376), 1.1 to 1.9 times as fast as blocked.h and with smaller errors. One operand, the resident, is packed
// first and stays in the second-level cache while the other passes, packed a block ahead of its use.
#pragma once
#include "amx_tile.h"
#include "blocked.h"

namespace simdnn {
namespace {

constexpr int64_t kResidentWords = 1 << 18;  // half a second-level cache
constexpr int64_t kCopies = 2;               // of the resident operand: each of two threads packs its own sooner than it fetches half from the other's cache
constexpr int64_t kLeastRoundK = 512, kMostRoundK = 1024;

struct Amx {
  Gemm g;
  Side resident, passing;
  Split rounds;   // of k, in steps: the sums wait in memory between two of them
  Split bands;    // of resident blocks
  int64_t items;  // a passing block for a band each
  int64_t grain;
  int64_t fallback;  // floats of scratch

  // In picoseconds per useful flop, as measured: the products with what is padded, packing, what finishing C takes more than
  // elsewhere. Blocked floats take 4.1 to 5.5. An alpha that would lose bits to the operands' scale stays with them.
  static bool pays(const Gemm& g) {
    if (g.m < 64 || g.n < 64 || g.k == 0) return false;
    const auto padded = [](int64_t n) { return static_cast<double>((n + 31) / 32 * 32) / static_cast<double>(n); };
    const double passing_per = static_cast<double>(smaller(g.m, g.n)), resident_per = static_cast<double>(g.m + g.n) - passing_per;
    const double products = 2.2 * padded(g.m) * padded(g.n) * padded(g.k), packing = 80 / passing_per + 35 / resident_per;
    const double finishing = 32 / static_cast<double>(g.k);
    return products + packing + finishing < 4.1 && g.target.alpha * kProductScale / kProductScale == g.target.alpha;
  }

  static Amx plan(const Gemm& g) {
    Amx x{};
    x.g = g;
    const Side a{g.a, g.m, g.k, false}, b{transposed(g.b), g.n, g.k, true};
    x.resident = g.m <= g.n ? a : b, x.passing = g.m <= g.n ? b : a;
    const int64_t line_words = kPieces * kStepK / 2;  // of a step
    const int64_t fitting = kResidentWords / (x.resident.lines * line_words) * kStepK;
    const int64_t round_k = fitting < kLeastRoundK ? kLeastRoundK : smaller(fitting, kMostRoundK);
    x.rounds = split((g.k + kStepK - 1) / kStepK, round_k / kStepK);
    x.bands = split(x.resident.blocks(), kResidentWords / (x.rounds.most() * line_words * kBlockLines));
    x.items = x.bands.parts * x.passing.blocks();
    x.grain = gemm_grain(g, x.items);
    if (x.items > kMaxSlots * x.grain) x.grain = (x.items + kMaxSlots - 1) / kMaxSlots;
    const int64_t heights[] = {kBlockLines, g.m % kBlockLines}, widths[] = {kBlockLines, g.n % kBlockLines};
    for (int64_t m : heights) {
      for (int64_t n : widths) {
        const int64_t floats = m > 0 && n > 0 ? x.in_floats(0, 0, m, n).scratch_floats() : 0;
        if (floats > x.fallback) x.fallback = floats;
      }
    }
    return x;
  }

  static int64_t words(int64_t blocks, int64_t steps) { return blocks * steps * 2 * kPieces * kTileWords; }
  int64_t resident_words() const { return words(resident.blocks(), rounds.most()); }
  int64_t waiting_floats() const { return rounds.parts > 1 ? resident.blocks() * passing.blocks() * kBlockFloats : 0; }
  int64_t slot_words() const { return words(2, rounds.most()); }
  int64_t scratch_floats() const { return kCopies * resident_words() + waiting_floats() + (items + grain - 1) / grain * (slot_words() + fallback); }

  // A piece of C in plain float32.
  Blocked in_floats(int64_t i, int64_t j, int64_t m, int64_t n) const {
    Gemm part = g;
    part.m = m, part.n = n, part.a = at(g.a, i, 0), part.b = at(g.b, 0, j), part.target = target_at(g.target, i, j, true);
    return Blocked::plan(part, false);
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

  static bool finite(const float* sums, int64_t rows, int64_t columns) {
    vi worst{};
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t j = 0; j < columns; j += kLanes) {
        const vf x = load(sums + i * kBlockLines + j);
        worst |= bits(x - x);
      }
    }
    return _mm512_test_epi32_mask((__m512i)worst, (__m512i)worst) == 0;
  }

  // A block of C from its sums. Sums that are not finite come from operands that are not, which pieces cannot express, or
  // from a product beyond the range that the scale leaves: this block of C is then computed in float32.
  void finish(const float* sums, int64_t i, int64_t j, void* scratch) const {
    const int64_t rows = smaller(g.m - i, kBlockLines), columns = smaller(g.n - j, kBlockLines);
    if (!finite(sums, rows, columns)) {
      Args args{};
      args.threads = 1, args.scratch = scratch;
      return in_floats(i, j, rows, columns).run(args);
    }
    const Target target = target_at(g.target, i, j, true);
    Target unscaled = target;
    unscaled.alpha *= kProductScale;
    put(unscaled, sums, kBlockLines, rows, columns);
    activate(g, target, rows, columns);
  }

  // Block p of the resident operand times block q of the passing one, while a block is packed that comes later.
  void compute(int64_t round, int64_t p, int64_t q, const int32_t* packed_p, const int32_t* packed_q, float* waiting, void* scratch, Packing& next) const {
    const bool first = round == 0, last = round + 1 == rounds.parts, swapped = resident.columns;
    const Side &a = swapped ? passing : resident, &b = swapped ? resident : passing;
    const int64_t i = swapped ? q : p, j = swapped ? p : q;
    alignas(64) float sums[kBlockFloats];  // of which the tiles that exist are written
    const int64_t a_tiles = a.tiles(i), b_tiles = b.tiles(j);
    kMultiplyTiles[a_tiles][b_tiles](rounds.size(round), swapped ? packed_q : packed_p, swapped ? packed_p : packed_q, sums, next);
    if (!first || !last) add_round(sums, waiting + (q * resident.blocks() + p) * kBlockFloats, a_tiles * kTileLines, b_tiles * kTileLines, first, last);
    if (last) finish(sums, i * kBlockLines, j * kBlockLines, scratch);
  }

  // Items begin … end - 1. The slot holds the passing block of an item and that of the next.
  void compute_items(int64_t round, int64_t begin, int64_t end, const int32_t* packed_resident, float* waiting, float* memory) const {
    const int64_t steps = rounds.size(round), blocks = passing.blocks();
    float* const scratch = memory;
    int32_t* const slot = reinterpret_cast<int32_t*>(memory + fallback);
    const auto packing = [&](int64_t item, int64_t moments) {
      return Packing(passing, item % blocks, rounds.begin(round), item < end ? steps : 0, slot + item % 2 * words(1, steps), moments);
    };
    packing(begin, 1).advance();
    for (int64_t item = begin; item < end; item++) {
      const int64_t band = item / blocks;
      Packing next = packing(item + 1, bands.size(band) * steps * kMoments);
      for (int64_t p = bands.begin(band); p < bands.begin(band + 1); p++)
        compute(round, p, item % blocks, packed_resident + words(p, steps), slot + item % 2 * words(1, steps), waiting, scratch, next);
    }
  }

  void pack_resident(int64_t round, int64_t begin, int64_t end, int32_t* out) const {
    const int64_t steps = rounds.size(round);
    for (int64_t b = begin; b < end; b += 2)  // 256 bytes of a row at a time
      resident.pack(b, smaller(b + 2, end), rounds.begin(round), steps, out + words(b, steps));
  }

  void run(const Args& args) const {
    int32_t* const packed_resident = static_cast<int32_t*>(args.scratch);
    float* const waiting = reinterpret_cast<float*>(packed_resident + kCopies * resident_words());
    float* const slots = waiting + waiting_floats();
    const bool shared = args.threads > kCopies;
    for (int64_t round = 0; round < rounds.parts; round++) {
      if (shared) {
        parallel(args, resident.blocks(), kPackGrain / (rounds.size(round) * kStepK * kBlockLines) + 1,
                 [&](int64_t begin, int64_t end) { pack_resident(round, begin, end, packed_resident); });
      }
      parallel(args, items, grain, [&](int64_t begin, int64_t end) {
        int32_t* const packed = shared || begin == 0 ? packed_resident : packed_resident + resident_words();
        if (!shared) pack_resident(round, 0, resident.blocks(), packed);
        _tile_loadconfig(&kTileConfig);
        compute_items(round, begin, end, packed, waiting, slots + begin / grain * (slot_words() + fallback));
        _tile_release();
      });
    }
  }
};

}  // namespace
}  // namespace simdnn
