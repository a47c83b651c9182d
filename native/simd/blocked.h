// The blocked form of the GEMM (Goto, BLIS): panels of B pass through the first-level cache while strips of A run over
// them. An operand is packed only where reading it in place would cost more.
#pragma once
#include "product.h"
#include "transpose.h"

namespace simdnn {
namespace {

constexpr int64_t kPanelFloats = 8192;    // of a packed panel of B: two thirds of a first-level cache
constexpr int64_t kBandFloats = 1 << 18;  // of A, half a second-level cache, for which the panels of B pass
constexpr int64_t kRoundK = 1024;         // of k between two passes over C
constexpr int64_t kPackGrain = 16384;     // floats that are worth a second thread

// out[p * out_width + i] = x(p, i) for p < k and i < width, and 0 from there to out_width, at most a vector further.
static void pack(Matrix x, int64_t k, int64_t width, float* out, int64_t out_width) {
  if (x.column != 1) return transpose(x.data, x.column, width, k, out, out_width, out_width);
  const int64_t whole = width / kLanes * kLanes;
  const Lanes loaded = first(static_cast<int>(width - whole)), stored = first(static_cast<int>(smaller(kLanes, out_width - whole)));
  for (int64_t p = 0; p < k; p++) {
    const float* from = x.data + p * x.row;
    float* to = out + p * out_width;
    for (int64_t i = 0; i < whole; i += kLanes) store(to + i, load(from + i));
    if (out_width > whole) store(to + whole, load(from + whole, loaded), stored);
  }
}

struct Blocked {
  Gemm g;
  bool transposed;  // g is the transposed problem, except for its target
  bool pack_a, pack_b;
  bool pack_once;  // panels of B for all bands, else each where it is used
  bool short_k;    // k steps of a panel stay in registers
  int vectors;     // width of a panel
  Split strips;    // of m, one tile high
  Split blocks;    // of k
  Split rounds;    // of blocks: a parallel loop each
  Split bands;     // of strips
  int64_t panels;  // of n
  int64_t items;   // a panel of a band each
  int64_t grain;

  static Blocked plan(const Gemm& problem, bool transposed) {
    Blocked x{};
    Gemm& g = x.g;
    g = problem;
    x.transposed = transposed;
    if (transposed) g.m = problem.n, g.n = problem.m, g.a = simdnn::transposed(problem.b), g.b = simdnn::transposed(problem.a);
    x.vectors = 2;
    for (int v = 3; v <= kMaxVectors; v++) {
      if (g.m <= kTileRows[v]) x.vectors = v;
    }
    x.vectors = static_cast<int>(smaller(x.vectors, (g.n + kLanes - 1) / kLanes));
    x.short_k = !transposed && g.k > 0 && g.k <= kShortK && g.a.column == 1 && g.m > 4 && g.n % (kShortVectors * kLanes) == 0;
    if (x.short_k) x.vectors = kShortVectors;
    const int64_t strip_rows = x.short_k ? kShortRows : kTileRows[x.vectors];
    x.strips = split(g.m, strip_rows);
    const int64_t block_k = smaller(kPanelFloats / x.width(), kRoundK);
    x.blocks = split(g.k, block_k);
    x.rounds = split(x.blocks.parts, kRoundK / block_k);
    x.panels = (g.n + x.width() - 1) / x.width();
    // Few panels: give the threads bands of rows too, high enough to pay for packing a panel once per band.
    const int64_t round_k = x.blocks.most() * x.rounds.most(), band_rows = x.panels < 8 ? 128 : kBandFloats / (round_k + 1) + 1;
    // All of B in the first-level cache: go along the rows of C, which writes it in order.
    const int64_t band_strips = g.k * g.n <= kPanelFloats ? 1 : band_rows / strip_rows + 1;
    x.bands = split(x.strips.parts, band_strips);
    x.items = x.bands.parts * x.panels;
    x.grain = gemm_grain(g, x.items);
    x.pack_a = !x.short_k && g.n >= 4 * x.width() && (g.a.column != 1 || g.a.row % 512 == 0 || g.m * g.k > kBandFloats);
    x.pack_b = g.b.column != 1 || (x.strips.parts > 2 && g.k * g.b.row > kPanelFloats);
    x.pack_once = x.bands.parts > 1;
    return x;
  }

  int64_t width() const { return vectors * kLanes; }
  int64_t round_k(int64_t round) const { return blocks.begin(rounds.begin(round + 1)) - blocks.begin(rounds.begin(round)); }
  bool in_place(int64_t panel) const { return !pack_b && (panel + 1) * width() <= g.n; }
  int64_t panel_floats() const { return in_place(panels - 1) ? 0 : blocks.most() * width() * (pack_once ? rounds.most() : 1); }
  int64_t slots() const { return pack_once ? panels : (items + grain - 1) / grain; }
  int64_t packed_a_floats() const { return pack_a ? (g.m * blocks.most() * rounds.most() + 15) / 16 * 16 : 0; }
  int64_t scratch_floats() const { return packed_a_floats() + panel_floats() * slots(); }

  int64_t columns_of(int64_t panel) const { return smaller(width(), g.n - panel * width()); }
  static int64_t whole_vectors(int64_t columns) { return (columns + kLanes - 1) / kLanes * kLanes; }

  // Packed A: for each block of the round its strips, in them column by column.
  float* packed_strip(float* packed_a, int64_t round, int64_t block, int64_t strip) const {
    return packed_a + g.m * (blocks.begin(block) - blocks.begin(rounds.begin(round))) + strips.begin(strip) * blocks.size(block);
  }

  void pack_strip(float* packed_a, int64_t round, int64_t strip) const {
    const int64_t rows = strips.size(strip);
    for (int64_t block = rounds.begin(round); block < rounds.begin(round + 1); block++) {
      const Matrix from = at(g.a, strips.begin(strip), blocks.begin(block));
      pack(simdnn::transposed(from), blocks.size(block), rows, packed_strip(packed_a, round, block, strip), rows);
    }
  }

  // A panel of B, filled up with zeros to whole vectors.
  void pack_panel(float* out, int64_t panel, int64_t from_block, int64_t to_block) const {
    const int64_t columns = columns_of(panel), k = blocks.begin(to_block) - blocks.begin(from_block);
    pack(at(g.b, blocks.begin(from_block), panel * width()), k, columns, out, whole_vectors(columns));
  }

  void compute(float* packed_a, float* slot, int64_t round, int64_t band, int64_t panel) const {
    const int64_t j = panel * width(), columns = columns_of(panel), panel_width = whole_vectors(columns);
    const bool in_place = this->in_place(panel);
    const int64_t first_block = rounds.begin(round);
    for (int64_t block = first_block; block < rounds.begin(round + 1); block++) {
      const float* b = g.b.data + blocks.begin(block) * g.b.row + j;
      if (!in_place && pack_once) b = slot + (blocks.begin(block) - blocks.begin(first_block)) * panel_width;
      if (!in_place && !pack_once) pack_panel(slot, panel, block, block + 1), b = slot;
      const int64_t b_row = in_place ? g.b.row : panel_width;
      for (int64_t strip = bands.begin(band); strip < bands.begin(band + 1); strip++) {
        const int64_t i = strips.begin(strip), rows = strips.size(strip);
        const Matrix a = pack_a ? Matrix{packed_strip(packed_a, round, block, strip), 1, rows} : at(g.a, i, blocks.begin(block));
        const auto multiply = [&](const Target& t) {
          if (short_k) return kShortTiles[g.k](rows, a.data, a.row, b, b_row, t);
          kTiles[panel_width / kLanes][rows](blocks.size(block), a, b, b_row, t);
        };
        const Target target = transposed ? target_at(g.target, j, i, block == 0) : target_at(g.target, i, j, block == 0);
        if (!transposed && columns == panel_width) {
          multiply(target);
        } else {
          alignas(64) float product[kMaxRows * kMaxVectors * kLanes];
          multiply({product, panel_width, nullptr, 0, 1, 0});
          if (!transposed) {
            put(target, product, panel_width, rows, columns);
          } else {
            alignas(64) float turned[kMaxVectors * kLanes * 16];
            transpose(product, panel_width, rows, columns, turned, 16, 16);
            put(target, turned, 16, columns, rows);
          }
        }
        if (block + 1 == blocks.parts) activate(g, target, transposed ? columns : rows, transposed ? rows : columns);
      }
    }
  }

  void run(const Args& args) const {
    float* packed_a = static_cast<float*>(args.scratch);
    float* packed_b = packed_a + packed_a_floats();
    for (int64_t round = 0; round < rounds.parts; round++) {
      if (pack_a) {
        parallel(args, strips.parts, kPackGrain / (round_k(round) * strips.most() + 1) + 1, [&](int64_t begin, int64_t end) {
          for (int64_t strip = begin; strip < end; strip++) pack_strip(packed_a, round, strip);
        });
      }
      if (pack_once && panel_floats() > 0) {
        parallel(args, panels, kPackGrain / (round_k(round) * width() + 1) + 1, [&](int64_t begin, int64_t end) {
          for (int64_t panel = begin; panel < end; panel++) {
            if (!in_place(panel)) pack_panel(packed_b + panel * panel_floats(), panel, rounds.begin(round), rounds.begin(round + 1));
          }
        });
      }
      parallel(args, items, grain, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; item++) {
          const int64_t panel = item % panels, slot = pack_once ? panel : begin / grain;
          compute(packed_a, packed_b + slot * panel_floats(), round, item / panels, panel);
        }
      });
    }
  }
};

}  // namespace
}  // namespace simdnn
