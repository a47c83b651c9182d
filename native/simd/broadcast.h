// How an operand that is broadcast lies in the output, for the layouts that can be walked row by row.
#pragma once
#include "each.h"

namespace simdnn {
namespace {

// How an operand lies in an output of [rows, columns].
enum class Layout { full, row, column, scalar, other };

struct Broadcast {
  Layout layout;
  int64_t columns;  // of the output, where the layout fixes them, else 0
};

Broadcast broadcast_of(const View& operand, const View& out) {
  if (operand.size == out.size) return {Layout::full, 0};
  if (operand.size == 1) return {Layout::scalar, 0};
  const int missing = out.rank - operand.rank;
  const auto dim = [&](int d) { return d < missing ? 1 : operand.dims[d - missing]; };
  int begin = 0, end = out.rank;  // of the dims that are not 1
  while (dim(begin) == 1) begin++;
  while (dim(end - 1) == 1) end--;
  for (int d = begin; d < end; d++)
    if (dim(d) != out.dims[d]) return {Layout::other, 0};
  int64_t before = 1, after = 1;
  for (int d = 0; d < begin; d++) before *= out.dims[d];
  for (int d = end; d < out.rank; d++) after *= out.dims[d];
  if (after == 1) return {Layout::row, operand.size};
  if (before == 1) return {Layout::column, after};
  return {Layout::other, 0};
}

SIMDNN_INLINE bool is_flat(Layout layout) { return layout == Layout::full || layout == Layout::scalar; }

// An operand's values in one row of the output: a vector at every place, or the same value at all.
struct Values {
  const float* p;
  template <class At>
  SIMDNN_METHOD vf at(At place) const {
    return place.load(p);
  }
};
struct Value {
  vf x;
  template <class At>
  SIMDNN_METHOD vf at(At) const {
    return x;
  }
};

// Calls f(Values or Value) for the operand's part in output row i.
template <class F>
SIMDNN_INLINE void with_row(const float* p, Layout layout, int64_t i, int64_t columns, F f) {
  if (layout == Layout::full || layout == Layout::row) return f(Values{layout == Layout::full ? p + i * columns : p});
  f(Value{broadcast(layout == Layout::column ? p[i] : *p)});
}

}  // namespace
}  // namespace simdnn
