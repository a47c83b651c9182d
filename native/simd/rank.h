// The form of the GEMM for a short k, for which a tile would end before it was worth beginning: a few numbers of one operand
// stay in registers, and the other operand and C pass in the order of memory.
#pragma once
#include "pack.h"
#include "product.h"

namespace simdnn {
namespace {

constexpr int kHeld = kRegisters == 32 ? 24 : 10;  // vectors that stay in registers
constexpr int kAlongRows = 4, kDownVectors = 2;
constexpr int kAlongSteps = kHeld < 12 ? kHeld : 12, kDownSteps = kHeld < 16 ? kHeld : 16;                               // most of k
constexpr int along_rows(int steps) { return steps < 3 ? 1 : kHeld / steps < kAlongRows ? kHeld / steps : kAlongRows; }  // few: memory is the limit

// Vector by vector along `rows` rows of C, with the numbers of A in registers.
template <int rows, int steps>
static void along(int64_t columns, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, const Target& target) {
  const Target t = target;
  vf x[rows][steps];
  SIMDNN_UNROLL for (int i = 0; i < rows; i++) { SIMDNN_UNROLL for (int p = 0; p < steps; p++) x[i][p] = kept(broadcast(a[i * a_row + p * a_column])); }
  const float* from[3] = {b, b + 5 * b_row, b + 10 * b_row};  // five rows from one pointer, as in tile.h
  float* c = t.c;
  const float* d = t.d;
  const auto pass = [&](auto value) __attribute__((always_inline)) {
    const auto advance = [&](auto at, int64_t lanes) __attribute__((always_inline)) {
      vf sum[rows];
      SIMDNN_UNROLL for (int p = 0; p < steps; p++) {
        const vf line = rows == 1 ? at.load(from[p / 5] + p % 5 * b_row) : kept(at.load(from[p / 5] + p % 5 * b_row));
        SIMDNN_UNROLL for (int i = 0; i < rows; i++) sum[i] = p == 0 ? x[i][p] * line : fma(x[i][p], line, sum[i]);
      }
      SIMDNN_UNROLL for (int i = 0; i < rows; i++) at.store(c + i * t.c_row, value(sum[i], [&] { return at.load(d + i * t.d_row); }));
      from[0] += lanes, from[1] += lanes, from[2] += lanes, c += lanes, d += lanes, columns -= lanes;
    };
    // A lone row of C is written in whole lines of the cache; for several it is B that should be read so.
    const int64_t lead = -(reinterpret_cast<intptr_t>(c) / 4) & (kLanes - 1);
    if (rows == 1 && lead > 0 && columns > lead) advance(Part{0, static_cast<int>(lead)}, lead);
    while (columns >= kLanes) {
      if (rows == 1) __builtin_prefetch(c + 256, 1);
      advance(Whole{0}, kLanes);
    }
    if (columns > 0) advance(Part{0, static_cast<int>(columns)}, columns);
  };
  with_value(t, pass);
}

// Row by row down a C of `vectors` vectors, the last of which ends after `last` lanes, with B in registers.
template <int vectors, int steps>
static void down(int64_t rows, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, int last, const Target& target) {
  const Target t = target;
  const Lanes lanes = first(last);
  const bool whole = last == kLanes;
  vf line[steps][vectors];
  SIMDNN_UNROLL for (int p = 0; p < steps; p++) {
    SIMDNN_UNROLL for (int j = 0; j < vectors; j++) line[p][j] =
        kept(j + 1 == vectors ? load(b + p * b_row + j * kLanes, lanes) : load(b + p * b_row + j * kLanes));
  }
  const float* from[4] = {a, a + 5 * a_column, a + 10 * a_column, a + 15 * a_column};
  float* c = t.c;
  const float* d = t.d;
  const auto pass = [&](auto value) __attribute__((always_inline)) {
    for (int64_t i = 0; i < rows; i++) {
      vf sum[vectors];
      SIMDNN_UNROLL for (int p = 0; p < steps; p++) {
        const vf x = broadcast(from[p / 5][p % 5 * a_column]);
        SIMDNN_UNROLL for (int j = 0; j < vectors; j++) sum[j] = p == 0 ? x * line[p][j] : fma(x, line[p][j], sum[j]);
      }
      SIMDNN_UNROLL for (int j = 0; j < vectors; j++) {
        float* to = c + j * kLanes;
        const float* other = d + j * kLanes;
        if (j + 1 < vectors || (whole && !kCheapMaskedStores)) {
          store(to, value(sum[j], [other] { return load(other); }));
        } else {
          store(to, value(sum[j], [other, lanes] { return load(other, lanes); }), lanes);
        }
      }
      SIMDNN_UNROLL for (int q = 0; q < 4; q++) from[q] += a_row;
      c += t.c_row, d += t.d_row;
    }
  };
  with_value(t, pass);
}

using Along = void (*)(int64_t columns, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, const Target& t);
using Down = void (*)(int64_t rows, const float* a, int64_t a_row, int64_t a_column, const float* b, int64_t b_row, int last, const Target& t);

// By rows or vectors, and steps.
struct RankKernels {
  Along along[kAlongRows + 1][kAlongSteps + 1];
  Down down[kDownVectors + 1][kDownSteps + 1];
};
template <int width = kAlongRows, int steps = kHeld>
constexpr RankKernels rank_kernels(RankKernels found = {}) {
  if constexpr (steps == 0) {
    return found;
  } else if constexpr (width == 0) {
    return rank_kernels<kAlongRows, steps - 1>(found);
  } else {
    if constexpr (steps <= kAlongSteps && width * steps <= kHeld) found.along[width][steps] = along<width, steps>;
    if constexpr (width <= kDownVectors && steps <= kDownSteps && width * steps <= kHeld) found.down[width][steps] = down<width, steps>;
    return rank_kernels<width - 1, steps>(found);
  }
}
constexpr RankKernels kRank = rank_kernels();

struct Rank {
  Gemm g;
  bool downwards;
  bool pack_b;
  Split groups;           // of rows that pass together
  int64_t chunk_columns;  // of n
  int64_t items, grain;   // a group of a chunk each

  static bool down(const Gemm& g) { return g.n <= 8 * kLanes && g.m >= g.n; }
  static int down_vectors(const Gemm& g) { return g.n <= kLanes ? 1 : 2; }
  static bool pays(const Gemm& g) { return g.k > 0 && (down(g) ? g.k <= kDownSteps && g.k * down_vectors(g) <= kHeld : g.k <= kAlongSteps); }

  static Rank plan(const Gemm& g) {
    Rank x{};
    x.g = g;
    x.downwards = down(g);
    x.pack_b = g.b.column != 1 || (!x.downwards && along_rows(static_cast<int>(g.k)) > 1 && g.m >= 128 && g.b.row % kLanes != 0);
    if (x.downwards) {
      x.groups = split(g.m, 64), x.chunk_columns = down_vectors(g) * kLanes;
    } else {
      x.groups = split(g.m, along_rows(static_cast<int>(g.k))), x.chunk_columns = kNearFloats / g.k / kLanes * kLanes;
    }
    x.items = x.groups.parts * ((g.n + x.chunk_columns - 1) / x.chunk_columns);
    x.grain = gemm_grain(g, x.items);
    return x;
  }

  int64_t packed_row() const { return g.n / kLanes * kLanes + kLanes; }
  int64_t scratch_floats() const { return pack_b ? g.k * packed_row() : 0; }

  void compute(Matrix b, int64_t chunk, int64_t group) const {
    const int64_t i = groups.begin(group), rows = groups.size(group), j = chunk * chunk_columns, columns = smaller(chunk_columns, g.n - j);
    const Matrix a = at(g.a, i, 0);
    const Target target = target_at(g.target, i, j, true);
    if (downwards) {
      const int64_t vectors = (columns + kLanes - 1) / kLanes, last = columns - (vectors - 1) * kLanes;
      kRank.down[vectors][g.k](rows, a.data, a.row, a.column, b.data + j, b.row, static_cast<int>(last), target);
    } else {
      kRank.along[rows][g.k](columns, a.data, a.row, a.column, b.data + j, b.row, target);
    }
    activate(g, target, rows, columns);
  }

  void run(const Args& args) const {
    Matrix b = g.b;
    if (pack_b) {
      float* packed = static_cast<float*>(args.scratch);
      pack(b, g.k, g.n, packed, packed_row());
      b = {packed, packed_row(), 1};
    }
    parallel(args, items, grain, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) compute(b, item / groups.parts, item % groups.parts);
    });
  }
};

}  // namespace
}  // namespace simdnn
