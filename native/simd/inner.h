// The form of the GEMM for two operands that lie along k and are too small to pay for packing, above all a matrix and a vector:
// inner products of lines read in place, lanes along k.
#pragma once
#include "product.h"
#include "transpose.h"

namespace simdnn {
namespace {

// Most rows by columns of a tile, and most rows of a single column.
constexpr int kInnerRows = kRegisters == 32 ? 6 : 4, kInnerColumns = kRegisters == 32 ? 4 : 2;
constexpr int kInnerLong = 8;

// out[i][j] for the lines i of a and j of b; writes whole vectors.
template <int rows, int columns>
static void inner(int64_t k, const float* a, int64_t a_row, const float* b, int64_t b_row, float* out) {
  constexpr int count = rows * columns, groups = (count + kLanes - 1) / kLanes;
  constexpr int chains = count >= 8 ? 1 : 8 / count;  // enough to hide the latency of an FMA
  vf sum[chains][groups][kLanes];
  SIMDNN_UNROLL for (int c = 0; c < chains; c++) { SIMDNN_UNROLL for (int f = 0; f < count; f++) sum[c][f / kLanes][f % kLanes] = vf{}; }
  const auto step = [&](auto& s, auto fetch) __attribute__((always_inline)) {
    vf line[columns];
    SIMDNN_UNROLL for (int j = 0; j < columns; j++) line[j] = kept(fetch(b + j * b_row));
    SIMDNN_UNROLL for (int i = 0; i < rows; i++) {
      const vf x = fetch(a + i * a_row);
      SIMDNN_UNROLL for (int j = 0; j < columns; j++) {
        vf& to = s[(i * columns + j) / kLanes][(i * columns + j) % kLanes];
        to = fma(x, line[j], to);
      }
    }
    a += kLanes, b += kLanes, k -= kLanes;
  };
  const auto whole = [](const float* p) { return load(p); };
  while (k >= chains * kLanes) {
    SIMDNN_UNROLL for (int c = 0; c < chains; c++) step(sum[c], whole);
  }
  if (chains > 1) {
    while (k >= kLanes) step(sum[0], whole);
  }
  if (k > 0) {
    const Lanes rest = first(static_cast<int>(k));
    step(sum[0], [rest](const float* p) { return load(p, rest); });
  }
  SIMDNN_UNROLL for (int c = 1; c < chains; c++) {
    SIMDNN_UNROLL for (int f = 0; f < count; f++) sum[0][f / kLanes][f % kLanes] += sum[c][f / kLanes][f % kLanes];
  }
  SIMDNN_UNROLL for (int g = 0; g + 1 < groups; g++) store(out + g * kLanes, lane_sums<kLanes, kHalf>(sum[0][g]));
  store(out + (groups - 1) * kLanes, lane_sums<count - (groups - 1) * kLanes, kHalf>(sum[0][groups - 1]));
}

using InnerTile = void (*)(int64_t k, const float* a, int64_t a_row, const float* b, int64_t b_row, float* out);

// By rows and columns.
struct InnerTiles {
  InnerTile by[kInnerLong + 1][kInnerColumns + 1];
};
template <int rows = kInnerLong, int columns = 1>
constexpr InnerTiles inner_tiles(InnerTiles found = {}) {
  if constexpr (rows == 0) {
    return found;
  } else if constexpr (columns == 0) {
    return inner_tiles < rows - 1, rows <= kInnerRows + 1 ? kInnerColumns : 1 > (found);
  } else {
    found.by[rows][columns] = inner<rows, columns>;
    return inner_tiles<rows, columns - 1>(found);
  }
}
constexpr InnerTiles kInner = inner_tiles();

struct Inner {
  Gemm g;
  bool flat;  // C is one line
  Split strips, panels;
  int64_t grain;  // strips

  static bool pays(const Gemm& g) {
    return g.k >= kLanes && g.a.column == 1 && g.b.row == 1 && (g.m == 1 || g.n == 1 || (g.m <= 16 && g.n <= 16 && (g.k > 64 || g.m * g.n <= 2 * g.k)));
  }

  static Inner plan(const Gemm& problem) {
    Inner x{};
    Gemm& g = x.g;
    g = problem;
    x.flat = g.m == 1;
    if (x.flat) g.m = problem.n, g.n = 1, g.a = transposed(problem.b), g.b = transposed(problem.a), g.target.c_row = g.target.d_row = 1;
    x.strips = split(g.m, g.n == 1 ? kInnerLong : kInnerRows), x.panels = split(g.n, kInnerColumns);
    x.grain = gemm_grain(g, x.strips.parts);
    return x;
  }

  int64_t scratch_floats() const { return 0; }

  void compute(int64_t strip, int64_t panel) const {
    const int64_t i = strips.begin(strip), j = panels.begin(panel), rows = strips.size(strip), columns = panels.size(panel);
    alignas(64) float product[kInnerRows * kInnerColumns + kLanes];
    kInner.by[rows][columns](g.k, at(g.a, i, 0).data, g.a.row, at(g.b, 0, j).data, g.b.column, product);
    const Target target = target_at(g.target, i, j, true);
    put(target, product, columns, flat ? 1 : rows, flat ? rows : columns);
    activate(g, target, flat ? 1 : rows, flat ? rows : columns);
  }

  void run(const Args& args) const {
    parallel(args, strips.parts, grain, [&](int64_t begin, int64_t end) {
      for (int64_t strip = begin; strip < end; strip++) {
        for (int64_t panel = 0; panel < panels.parts; panel++) compute(strip, panel);
      }
    });
  }
};

}  // namespace
}  // namespace simdnn
