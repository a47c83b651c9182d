// How a kernel walks over elements: whole vectors, then one part of a vector through the same arithmetic. The body is
// written once, against a place that knows how to load and store; it holds no kernel.
#pragma once
#include "../kernel.h"
#include "vec.h"

#define SIMDNN_METHOD __attribute__((always_inline))

namespace simdnn {
namespace {

// Elements below which a second thread costs more than it brings: about 2 µs of streaming work.
constexpr int64_t kGrain = 16384;

typedef uint8_t vb __attribute__((vector_size(kLanes)));
typedef uint8_t vb_memory __attribute__((vector_size(kLanes), aligned(1), may_alias));

// 0, 1, 2 …
SIMDNN_INLINE vi iota() {
  constexpr int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load(numbers);
}

SIMDNN_INLINE bool any(vi mask) { return max(from_bits(mask & 0x3f800000)) != 0; }

struct Whole {
  int64_t i;
  SIMDNN_METHOD int lanes() const { return kLanes; }
  Whole operator+(int64_t distance) const { return {i + distance}; }
  SIMDNN_METHOD vf load(const float* p) const { return simdnn::load(p + i); }
  SIMDNN_METHOD vi load(const int32_t* p) const { return simdnn::load(p + i); }
  SIMDNN_METHOD vb load(const uint8_t* p) const { return *reinterpret_cast<const vb_memory*>(p + i); }
  SIMDNN_METHOD void store(float* p, vf x) const { simdnn::store(p + i, x); }
  SIMDNN_METHOD vf or_else(vf x, float) const { return x; }
};

struct Part {
  int64_t i;
  int n;
  SIMDNN_METHOD int lanes() const { return n; }
  Part operator+(int64_t distance) const { return {i + distance, n}; }
  SIMDNN_METHOD vf load(const float* p) const { return simdnn::load(p + i, first(n)); }
  SIMDNN_METHOD vi load(const int32_t* p) const { return simdnn::load(p + i, first(n)); }
  SIMDNN_METHOD vb load(const uint8_t* p) const {
    vb x = {};
    for (int lane = 0; lane < n; lane++) x[lane] = p[i + lane];
    return x;
  }
  SIMDNN_METHOD void store(float* p, vf x) const { simdnn::store(p + i, x, first(n)); }
  // x with `other` in the lanes that are no elements.
  SIMDNN_METHOD vf or_else(vf x, float other) const { return select(iota() < n, x, simdnn::broadcast(other)); }
};

// body(place) for every vector of [begin, end).
template <class Body>
SIMDNN_INLINE void each(int64_t begin, int64_t end, Body body) {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) body(Whole{i});
  if (i < end) body(Part{i, static_cast<int>(end - i)});
}

constexpr int64_t kUnit = 128;  // elements between which pieces are cut: lines of the cache, and what random numbers are drawn for at a time

// body(begin, end) for pieces of `count` elements on several threads.
template <class Body>
SIMDNN_INLINE void each_piece(const Args& args, int64_t count, int64_t grain, Body body) {
  parallel(args, (count + kUnit - 1) / kUnit, grain / kUnit, [&](int64_t begin, int64_t end) {
    end *= kUnit;
    body(begin * kUnit, end < count ? end : count);
  });
}

// The same as `each` on several threads where there is enough to do. What the body does to an element must depend on nothing but
// that element.
template <class Body>
SIMDNN_INLINE void each(const Args& args, int64_t count, Body body) {
  each_piece(args, count, kGrain, [&](int64_t begin, int64_t end) {
    const Body own = body;  // else its pointers would be read again after every store
    each(begin, end, own);
  });
}

// Rows that make up a grain.
SIMDNN_INLINE int64_t row_grain(int64_t row_size) { return row_size >= kGrain ? 1 : kGrain / (row_size ? row_size : 1); }

}  // namespace
}  // namespace simdnn
