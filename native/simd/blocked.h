// The blocked form of the GEMM (Goto, BLIS): panels of B pass through the first-level cache while strips of A run over
// them. An operand is packed only where reading it in place would cost more.
#pragma once
#include "pack.h"
#include "product.h"

namespace simdnn {
namespace {

constexpr int64_t kFarFloats = 1 << 16;                     // of C that may have left the second-level cache
constexpr int64_t kBandFloats = 1 << 18;                    // of A, half of a second-level cache, for which the panels of B pass
constexpr int64_t kBlockK = kRegisters == 16 ? 512 : 1024;  // of k between two passes over C
constexpr int64_t kPackGrain = 16384;                       // floats that are worth a second thread
constexpr double kTransposing = 0.35, kPiecemeal = 0.25;    // cycles per float
constexpr int64_t kMaxSlots = 64;                           // panels of B that are packed at the same time, by a thread each

// Asks for a tile of C that lies in a far cache before the tile is computed.
static void prefetch(const float* c, int64_t row, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++, c += row) {
    for (int64_t j = 0; j < columns; j += 16) __builtin_prefetch(c + j, 1);
    __builtin_prefetch(c + columns - 1, 1);
  }
}

struct Blocked {
  Gemm g;
  bool transposed;  // g is the transposed problem, except for its target
  bool pack_a;
  bool turn_b;    // packed by transposition, else by the first tile that reads it
  bool far_c;     // asked for ahead, if it is read
  Split strips;   // of m, one tile high
  Split blocks;   // of k
  Split bands;    // of strips
  Split panels;   // of n, in vectors
  int64_t items;  // a panel of a band each
  int64_t grain;

  // Whether the transposed problem costs less, in cycles: products, of which a vector's are twice as many in a cycle and whose last
  // vector is padded; transposition of B where it lies along k, and reading an A that lies across it in pieces as short as a tile is high;
  // or transposition of an A that lies along k, and of C.
  static bool transposes(const Gemm& g) {
    const auto padded = [](int64_t n) { return (n + kLanes - 1) / kLanes / 2.0; };
    const double direct = padded(g.n) * g.m * g.k + (g.b.column != 1 ? kTransposing * g.k * g.n : 0) + (g.a.row == 1 ? kPiecemeal * g.m * g.k : 0);
    const double turned = padded(g.m) * g.n * g.k + kTransposing * g.m * (g.n + (g.a.row != 1 ? g.k : 0));
    return turned < direct;
  }

  static Blocked plan(const Gemm& problem, bool transposed) {
    Blocked x{};
    Gemm& g = x.g;
    g = problem;
    x.transposed = transposed;
    if (transposed) g.m = problem.n, g.n = problem.m, g.a = simdnn::transposed(problem.b), g.b = simdnn::transposed(problem.a);
    const int vectors = tile_vectors(g.m, g.n, smaller(g.k, kBlockK));
    const int64_t strip_rows = kTileRows[vectors];
    x.panels = split((g.n + kLanes - 1) / kLanes, vectors);
    x.strips = split(g.m, strip_rows);
    x.turn_b = g.b.column != 1;
    x.blocks = split(g.k, kBlockK);
    // Few panels: give the threads bands of rows too, high enough to pay for packing a panel once per band, which takes longer by transposition.
    const int64_t band_rows = x.panels.parts < 8 ? (x.turn_b ? 512 : 128) : kBandFloats / (x.blocks.most() + 1) + 1;
    x.bands = split(x.strips.parts, band_rows / strip_rows + 1);
    x.items = x.bands.parts * x.panels.parts;
    x.grain = gemm_grain(g, x.items);
    if (x.items > kMaxSlots * x.grain) x.grain = (x.items + kMaxSlots - 1) / kMaxSlots;
    x.far_c = g.k >= 64 && g.m * g.n > kFarFloats;
    // A strided by whole pages falls into one set of the first-level cache.
    x.pack_a = g.n >= 4 * x.width() && (g.a.column != 1 || g.a.row % 1024 == 0);
    return x;
  }

  int64_t width() const { return panels.most() * kLanes; }
  int64_t slot_floats() const { return blocks.most() * width(); }
  int64_t packed_a_floats() const { return pack_a ? g.m * packed_row() : 0; }
  int64_t scratch_floats() const { return packed_a_floats() + slot_floats() * ((items + grain - 1) / grain); }

  // A strip of packed A keeps its direction: row by row, each a vector longer so that rows do not alias, or column by column.
  Matrix packed_strip(const float* packed_a, int64_t strip) const {
    const float* begin = packed_a + strips.begin(strip) * packed_row();
    return g.a.column == 1 ? Matrix{begin, packed_row(), 1} : Matrix{begin, 1, strips.size(strip)};
  }
  int64_t packed_row() const { return (blocks.most() + kLanes - 1) / kLanes * kLanes + kLanes; }

  void pack_strip(float* packed_a, int64_t block, int64_t strip) const {
    const Matrix from = at(g.a, strips.begin(strip), blocks.begin(block)), to = packed_strip(packed_a, strip);
    float* out = packed_a + (to.data - packed_a);
    const int64_t rows = strips.size(strip), k = blocks.size(block);
    if (g.a.column == 1) {
      pack(from, rows, k, out, to.row);
    } else {
      pack(simdnn::transposed(from), k, rows, out, rows);
    }
  }

  void compute(const float* packed_a, float* slot, int64_t block, int64_t band, int64_t panel) const {
    const int64_t k = blocks.size(block), j = panels.begin(panel) * kLanes, used = panels.size(panel);
    const int64_t columns = smaller(used * kLanes, g.n - j), last = columns - (used - 1) * kLanes;
    const int64_t first_strip = bands.begin(band), end_strip = bands.begin(band + 1);
    Matrix b = at(g.b, blocks.begin(block), j);
    // In place only what is needed once or twice.
    bool packs = !turn_b && ((last < kLanes && !kCheapMaskedLoads) || end_strip - first_strip > 2);
    if (turn_b) pack(b, k, columns, slot, used * kLanes), b = {slot, used * kLanes, 1};
    alignas(64) float product[kMaxRows * kMaxVectors * kLanes];
    if (transposed) {
      for (int64_t f = 0; f < kMaxRows * used; f++) store(product + f * kLanes, vf{});  // a tile writes less, but whole blocks are transposed
    }
    for (int64_t strip = first_strip; strip < end_strip; strip++) {
      const int64_t i = strips.begin(strip), rows = strips.size(strip);
      const Matrix a = pack_a ? packed_strip(packed_a, strip) : at(g.a, i, blocks.begin(block));
      const auto multiply = [&](const Target& t, int64_t last) {
        kTiles.by[packs                             ? kReadPacking
                  : last < kLanes && b.data != slot ? kReadMasked
                                                    : kReadWhole][used][rows](k, a.data, a.row, a.column, b.data, b.row, slot, static_cast<int>(last), t);
      };
      const Target target = transposed ? target_at(g.target, j, i, block == 0) : target_at(g.target, i, j, block == 0);
      if (!transposed) {
        if (far_c && target.beta != 0) prefetch(target.c, target.c_row, rows, columns);
        multiply(target, last);
      } else {
        multiply({product, used * kLanes, nullptr, 0, 1, 0}, last);
        put_transposed(target, product, used * kLanes, columns, rows);
      }
      if (packs) b = {slot, used * kLanes, 1}, packs = false;
      if (block + 1 == blocks.parts) activate(g, target, transposed ? columns : rows, transposed ? rows : columns);
    }
  }

  void run(const Args& args) const {
    float* packed_a = static_cast<float*>(args.scratch);
    float* slots = packed_a + packed_a_floats();
    for (int64_t block = 0; block < blocks.parts; block++) {
      if (pack_a) {
        parallel(args, strips.parts, kPackGrain / (blocks.most() * strips.most() + 1) + 1, [&](int64_t begin, int64_t end) {
          for (int64_t strip = begin; strip < end; strip++) pack_strip(packed_a, block, strip);
        });
      }
      parallel(args, items, grain, [&](int64_t begin, int64_t end) {
        float* slot = slots + begin / grain * slot_floats();
        for (int64_t item = begin; item < end; item++) compute(packed_a, slot, block, item / panels.parts, item % panels.parts);
      });
    }
  }
};

}  // namespace
}  // namespace simdnn
