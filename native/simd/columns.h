// How a kernel walks over a matrix when it needs sums along columns: strips a few vectors wide, each with all its rows on
// one thread, so that no sum is divided between threads and a strip's later passes find it in the cache.
#pragma once
#include "each.h"

namespace simdnn {
namespace {

// Calls f with the numbers 0 … n - 1 as constants, so that arrays they index stay in registers.
template <int n>
struct Index {
  static constexpr int value = n;
  constexpr operator int() const { return n; }
};
template <int n, int i = 0, class F>
SIMDNN_INLINE void unroll(F f) {
  if constexpr (i < n) {
    f(Index<i>{});
    unroll<n, i + 1>(f);
  }
}

// A view as a matrix of its last dimension.
struct Matrix {
  int64_t rows, columns;
  Matrix(int64_t rows, int64_t columns) : rows(rows), columns(columns) {}
  explicit Matrix(const View& view) : columns(view.dims[view.rank - 1]) { rows = columns ? view.size / columns : 0; }
};

// `width` vectors of columns from `origin` on.
template <int vectors, class At>
struct Strip {
  static constexpr int width = vectors;
  Matrix shape;
  At origin;

  // body(place, v) for each vector of the strip, row by row.
  template <class Body>
  SIMDNN_METHOD void each(int64_t begin, int64_t end, Body body) const {
    for (int64_t row = begin; row < end; row++) unroll<width>([&](auto v) { body(origin + (row * shape.columns + v * kLanes), v); });
  }
  template <class Body>
  SIMDNN_METHOD void each(Body body) const {
    each(0, shape.rows, body);
  }

  // sums[k][v] = Σ_rows of the terms that body(place, v, terms) writes to terms[k]; by blocks of rows, which keeps the
  // rounding error from growing with their number.
  template <int count, class Body>
  SIMDNN_METHOD void sum(vf (&sums)[count][vectors], Body body) const {
    constexpr int64_t kBlock = 64;
    unroll<count>([&](auto k) { unroll<width>([&](auto v) { sums[k][v] = vf{}; }); });
    for (int64_t begin = 0; begin < shape.rows; begin += kBlock) {
      const int64_t end = shape.rows - begin < kBlock ? shape.rows : begin + kBlock;
      vf block[count][vectors] = {};
      each(begin, end, [&](auto at, auto v) {
        vf terms[count];
        body(at, v, terms);
        unroll<count>([&](auto k) { block[k][v] += terms[k]; });
      });
      unroll<count>([&](auto k) { unroll<width>([&](auto v) { sums[k][v] += block[k][v]; }); });
    }
  }

  // The strip's part of a row vector.
  SIMDNN_METHOD vf load(const float* p, int v) const { return (origin + v * kLanes).load(p); }
  SIMDNN_METHOD void store(float* p, int v, vf x) const { (origin + v * kLanes).store(p, x); }
};

constexpr int kStripVectors = 4;
constexpr int64_t kStripColumns = kStripVectors * kLanes;

// body(strip) for strips that cover the columns [begin, end).
template <class Body>
SIMDNN_INLINE void each_column(Matrix shape, int64_t begin, int64_t end, Body body) {
  int64_t j = begin;
  for (; j + kStripColumns <= end; j += kStripColumns) body(Strip<kStripVectors, Whole>{shape, {j}});
  for (; j + kLanes <= end; j += kLanes) body(Strip<1, Whole>{shape, {j}});
  if (j < end) body(Strip<1, Part>{shape, {j, static_cast<int>(end - j)}});
}

// body(begin, end) for pieces of the columns, on several threads where there is enough to do.
template <class Body>
SIMDNN_INLINE void each_column_piece(const Args& args, Matrix shape, Body body) {
  const int64_t strips = kGrain / kStripColumns / (shape.rows ? shape.rows : 1);
  parallel(args, (shape.columns + kStripColumns - 1) / kStripColumns, strips ? strips : 1, [&](int64_t begin, int64_t end) {
    const Body own = body;
    end *= kStripColumns;
    own(begin * kStripColumns, end < shape.columns ? end : shape.columns);
  });
}

// each_column for all columns, piece by piece.
template <class Body>
SIMDNN_INLINE void each_column(const Args& args, Matrix shape, Body body) {
  each_column_piece(args, shape, [=](int64_t begin, int64_t end) { each_column(shape, begin, end, body); });
}

// body(place, place in a row vector) for the columns [begin, end) row by row: whole rows are written faster than strips of them.
template <class Body>
SIMDNN_INLINE void each_row_part(Matrix shape, int64_t begin, int64_t end, Body body) {
  for (int64_t row = 0; row < shape.rows; row++) {
    const int64_t start = row * shape.columns;
    each(start + begin, start + end, [=](auto at) { body(at, at + -start); });
  }
}

}  // namespace
}  // namespace simdnn
