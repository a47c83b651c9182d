// The dot form of the GEMM, for a C with few rows or few columns: lanes run along k, so a narrow C wastes none of them, and
// the long operand is read in place, once. Each half of a vector belongs to another line of the short operand; that
// halves the cost of summing over lanes in the end.
#pragma once
#include "product.h"
#include "transpose.h"

namespace simdnn {
namespace {

constexpr int kMaxPairs = 5;
// Long lines per tile by pairs of short lines: enough sums to hide the latency of an FMA, few enough for the registers.
constexpr int dot_lines(int pairs) { return (kRegisters - 1 - pairs) / pairs < 8 ? (kRegisters - 1 - pairs) / pairs : 8; }

// out[i][j] for long line i and short line j, or out[j][i] if `across`; writes up to kLanes floats too many. Pairs are
// lines 2j and 2j + 1, or j and j + pairs if `across`, so that either way the sums come out in order.
template <int lines, int pairs, bool across>
static void dot(int64_t k, const float* a, int64_t a_row, const float* b, float* out) {
  constexpr int count = lines * pairs, groups = (count + kHalf - 1) / kHalf;
  vf sum[groups][kHalf];
  SIMDNN_UNROLL for (int f = 0; f < count; f++) sum[f / kHalf][f % kHalf] = vf{};
  const auto step = [&](auto fetch) __attribute__((always_inline)) {
    vf line[pairs];
    SIMDNN_UNROLL for (int j = 0; j < pairs; j++) line[j] = kept(load(b + j * kLanes));
    SIMDNN_UNROLL for (int i = 0; i < lines; i++) {
      const vf x = fetch(a + i * a_row);
      SIMDNN_UNROLL for (int j = 0; j < pairs; j++) {
        const int f = across ? j * lines + i : i * pairs + j;
        sum[f / kHalf][f % kHalf] = fma(x, line[j], sum[f / kHalf][f % kHalf]);
      }
    }
  };
  for (; k >= kHalf; k -= kHalf, a += kHalf, b += pairs * kLanes) step([](const float* p) { return load_twice(p); });
  if (k > 0) {
    const Lanes rest = first(static_cast<int>(k));
    step([rest](const float* p) {
      const vf x = load(p, rest);
      return alternate<kHalf>(x, swap<kHalf>(x));
    });
  }
  SIMDNN_UNROLL for (int g = 0; g < groups; g++) {
    vf& s = sum[g][0];
    s = g + 1 < groups ? lane_sums<kHalf, kHalf / 2>(sum[g]) : lane_sums<count - (groups - 1) * kHalf, kHalf / 2>(sum[g]);
    if (across) {
      store(out + g * kHalf, s);
    } else {
      store(out + g * kLanes, zip_halves(s));
    }
  }
  if (across) {
    SIMDNN_UNROLL for (int g = 0; g < groups; g++) store(out + count + g * kHalf, swap<kHalf>(sum[g][0]));
  }
}

using Dot = void (*)(int64_t k, const float* a, int64_t a_row, const float* b, float* out);

// By `across`, pairs, and whether the tile is whole or a single line.
#define SIMDNN_DOT(pairs, across) \
  { dot<dot_lines(pairs), pairs, across>, dot<1, pairs, across> }
constexpr Dot kDots[2][kMaxPairs + 1][2] = {
    {{}, SIMDNN_DOT(1, false), SIMDNN_DOT(2, false), SIMDNN_DOT(3, false), SIMDNN_DOT(4, false), SIMDNN_DOT(5, false)},
    {{}, SIMDNN_DOT(1, true), SIMDNN_DOT(2, true), SIMDNN_DOT(3, true), SIMDNN_DOT(4, true), SIMDNN_DOT(5, true)},
};
#undef SIMDNN_DOT

struct Dots {
  Gemm g;
  bool across;                   // the short operand is A, else B
  Matrix long_side, short_side;  // a line each per row
  int64_t lines, shorts;         // of the long and the short side
  Split parts;                   // of the short side's lines
  int64_t grain;
  static constexpr int kLines = 8;  // per item of the parallel loop

  static Dots plan(const Gemm& g, bool across) {
    Dots x{};
    x.g = g, x.across = across;
    x.long_side = across ? transposed(g.b) : g.a, x.short_side = across ? g.a : transposed(g.b);
    x.lines = across ? g.n : g.m, x.shorts = across ? g.m : g.n;
    x.parts = split(x.shorts, 2 * kMaxPairs);
    x.grain = gemm_grain(g, x.items());
    return x;
  }

  int64_t items() const { return (lines + kLines - 1) / kLines; }
  int64_t steps() const { return (g.k + kHalf - 1) / kHalf; }
  int64_t pairs(int64_t part) const { return (parts.size(part) + 1) / 2; }
  int64_t part_floats() const { return steps() * (parts.most() + 1) / 2 * kLanes; }
  int64_t turned_floats() const { return short_side.column == 1 ? 0 : shorts * steps() * kLanes; }
  int64_t scratch_floats() const { return parts.parts * part_floats() + turned_floats(); }

  // Vector (step, j) holds a step of both lines of pair j, or zeros.
  void pack(float* out, float* turned) const {
    Matrix lines = short_side;
    if (lines.column != 1) {
      const int64_t row = steps() * kLanes;
      transpose(lines.data, lines.column, g.k, shorts, turned, row, g.k);
      lines = {turned, row, 1};
    }
    for (int64_t part = 0; part < parts.parts; part++, out += part_floats()) {
      const int64_t begin = parts.begin(part), size = parts.size(part), pairs = this->pairs(part);
      for (int64_t j = 0; j < pairs; j++) {
        const int64_t one = across ? j : 2 * j, other = across ? j + pairs : 2 * j + 1;
        const float* p = lines.data + (begin + one) * lines.row;
        const float* q = other < size ? lines.data + (begin + other) * lines.row : nullptr;
        float* to = out + j * kLanes;
        int64_t k = 0;
        for (; k + kHalf <= g.k; k += kHalf, to += pairs * kLanes) store(to, alternate<kHalf>(load_twice(p + k), q ? load_twice(q + k) : vf{}));
        if (k < g.k) {
          const Lanes rest = first(static_cast<int>(g.k - k));
          store(to, alternate<kHalf>(load(p + k, rest), swap<kHalf>(q ? load(q + k, rest) : vf{})));
        }
      }
    }
  }

  // C for `count` long lines from `begin` on and one part of the short side, of a tile that starts `skip` lines earlier.
  void put_tile(const float* product, int64_t tile_lines, int64_t skip, int64_t begin, int64_t count, int64_t part) const {
    const int64_t start = parts.begin(part), size = parts.size(part), width = 2 * pairs(part);
    const Target target = across ? target_at(g.target, start, begin, true) : target_at(g.target, begin, start, true);
    if (across) {
      put(target, product + skip, tile_lines, size, count);
      activate(g, target, size, count);
    } else {
      put(target, product + skip * width, width, count, size);
      activate(g, target, count, size);
    }
  }

  void run(const Args& args) const {
    float* packed = static_cast<float*>(args.scratch);
    pack(packed, packed + parts.parts * part_floats());
    parallel(args, items(), grain, [&](int64_t begin, int64_t end) {
      const int64_t last = smaller(end * kLines, lines);
      for (int64_t part = 0; part < parts.parts; part++) {
        const int64_t pairs = this->pairs(part), whole = dot_lines(static_cast<int>(pairs));
        const bool single = lines < whole;
        const int64_t tile_lines = single ? 1 : whole;
        const Dot multiply = kDots[across][pairs][single];
        for (int64_t line = begin * kLines; line < last; line += tile_lines) {
          // The last tile starts early enough to be whole, and puts only what is new.
          const int64_t from = smaller(line, lines - tile_lines);
          alignas(64) float product[2 * kRegisters + 2 * kLanes];
          multiply(g.k, long_side.data + from * long_side.row, long_side.row, packed + part * part_floats(), product);
          put_tile(product, tile_lines, line - from, line, smaller(tile_lines - (line - from), last - line), part);
        }
      }
    });
  }
};

}  // namespace
}  // namespace simdnn
