// The form of the GEMM for the tile unit: float32 at float32's accuracy through products of bf16 (Henry, Tang and Heinecke,
// arXiv:1904.06376), 1.1 to 1.9 times as fast as blocked.h and with smaller errors. C is cut into a rectangle for each
// thread, which shares nothing with the others.
#pragma once
#include "amx_part.h"

namespace simdnn {
namespace {

constexpr int64_t kLeastRoundK = 512, kMostRoundK = 1024;

struct Amx {
  Gemm g;
  Split rounds;      // of k, in steps: by the shape of the whole alone
  int64_t parts;     // of C, at most
  int64_t fallback;  // floats of scratch for each

  // In picoseconds per useful flop, as measured: the products with what is padded, packing, what finishing C takes more than
  // elsewhere. Blocked floats take 4.1 to 5.5.
  static bool pays(const Gemm& g) {
    if (g.m < 64 || g.n < 64 || g.k == 0) return false;
    const auto padded = [](int64_t n) { return static_cast<double>((n + 31) / 32 * 32) / static_cast<double>(n); };
    const double passing_per = static_cast<double>(smaller(g.m, g.n)), resident_per = static_cast<double>(g.m + g.n) - passing_per;
    const double products = 2.2 * padded(g.m) * padded(g.n) * padded(g.k), packing = 80 / passing_per + 35 / resident_per;
    const double finishing = 32 / static_cast<double>(g.k);
    return products + packing + finishing < 4.1;
  }

  static Amx plan(const Gemm& g) {
    const int64_t fitting = kResidentWords / (smaller(g.m, g.n) * kLineWords) * kStepK;
    const int64_t round_k = fitting < kLeastRoundK ? kLeastRoundK : smaller(fitting, kMostRoundK);
    const int64_t worthwhile = gemm_work(g) / kWorthwhile;
    return {g, split((g.k + kStepK - 1) / kStepK, round_k / kStepK), worthwhile < 1 ? 1 : smaller(worthwhile, kMaxSlots), AmxPart::fallback_floats(g)};
  }

  // C in rows x columns parts, in blocks.
  struct Grid {
    Split rows, columns;
    bool a_stays;
    int64_t parts() const { return rows.parts * columns.parts; }
  };

  // For so many threads the one whose largest part takes the shortest, in picoseconds as measured: multiplying, packing, and
  // the ends of rows that two cores write, between which the lines around such an end come and go.
  Grid grid(int64_t threads) const {
    const int64_t blocks_m = (g.m + kBlockLines - 1) / kBlockLines, blocks_n = (g.n + kBlockLines - 1) / kBlockLines;
    Grid best{};
    double least = 0;
    for (int64_t across = 1; across <= smaller(threads, blocks_n); across++) {
      const Grid x{split_in(blocks_m, threads / across), split_in(blocks_n, across), false};
      const double m = static_cast<double>(x.rows.most() * kBlockLines), n = static_cast<double>(x.columns.most() * kBlockLines);
      const double time = static_cast<double>(g.k) * (4.4 * m * n + 250 * (m + n)) + (across > 1 ? 20000 * m : 0);
      if (across == 1 || time < least) best = x, least = time;
    }
    best.a_stays = AmxPart::a_stays(g, best.rows.most(), best.columns.most(), rounds);
    return best;
  }
  static Split split_in(int64_t length, int64_t parts) {
    parts = smaller(length, parts);
    return {parts, length / parts, length % parts};
  }

  AmxPart part(const Grid& x, int64_t number) const {
    const int64_t row = number / x.columns.parts, column = number % x.columns.parts;
    const int64_t i = x.rows.begin(row) * kBlockLines, end_i = smaller(g.m, x.rows.begin(row + 1) * kBlockLines);
    const int64_t j = x.columns.begin(column) * kBlockLines, end_j = smaller(g.n, x.columns.begin(column + 1) * kBlockLines);
    return AmxPart::plan(piece_of(g, i, j, end_i - i, end_j - j), x.a_stays, rounds);
  }
  int64_t part_floats(const Grid& x) const { return (part(x, 0).packed_floats() + fallback + 15) / 16 * 16; }  // the first is the largest

  int64_t scratch_floats() const {
    int64_t most = 0;
    for (int64_t threads = 1; threads <= parts; threads++) {
      const Grid x = grid(threads);
      const int64_t floats = x.parts() * part_floats(x);
      if (floats > most) most = floats;
    }
    return most;
  }

  void run(const Args& args) const {
    const Grid x = grid(smaller(parts, args.threads));
    const int64_t floats = part_floats(x);
    // The first thread's memory is at the start and the others' at the end, so that it stays near a core from product to product.
    float* const scratch = static_cast<float*>(args.scratch);
    parallel(args, x.parts(), 1, [&](int64_t begin, int64_t end) {
      _tile_loadconfig(&kTileConfig);
      float* const memory = begin == 0 ? scratch : scratch + args.scratch_bytes / 4 - begin * floats;
      for (int64_t number = begin; number < end; number++) part(x, number).run(memory);
      _tile_release();
    });
  }
};

}  // namespace
}  // namespace simdnn
