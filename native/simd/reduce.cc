// Sums, means and maxima in float32 where the reduced axes are neighbours, so that the operand is [outer, reduced, inner];
// other axes go to the reference. Sums go over blocks of fixed size, whose totals are added up in double.
#include "../reference/reference.h"
#include "columns.h"
#include "isa.h"

namespace simdnn {
namespace {

struct Shape {
  int64_t outer = 1, reduced = 1, inner = 1;
  bool fits = true;
};

// From the attributes (axes..., keepDims).
Shape shape_of(const Args& args) {
  const View& in = args.in[0];
  uint32_t axes = 0;
  for (int i = 0; i < static_cast<int>(args.attrs[0]); i++) axes |= 1u << static_cast<int>(args.attrs[1 + i]);
  Shape shape;
  enum { before, within, behind } where = before;
  for (int d = 0; d < in.rank; d++) {
    if (in.dims[d] == 1) continue;
    if (axes >> d & 1) {
      if (where == behind) shape.fits = false;
      where = within;
      shape.reduced *= in.dims[d];
    } else {
      if (where == within) where = behind;
      (where == before ? shape.outer : shape.inner) *= in.dims[d];
    }
  }
  if (in.size == 0) shape.fits = false;
  return shape;
}

constexpr int64_t kBlock = 4096;

int64_t blocks(int64_t n) { return (n + kBlock - 1) / kBlock; }

struct Identity {
  SIMDNN_METHOD vf operator()(vf x) const { return x; }
};
struct Square {
  SIMDNN_METHOD vf operator()(vf x) const { return x * x; }
};

// Σ f(x) over at most a block. Four sums side by side hide the latency of an addition.
template <class F>
SIMDNN_INLINE float block_sum(const float* x, int64_t n, F f) {
  vf sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) unroll<4>([&](auto v) { sums[v] += f(load(x + i + v * kLanes)); });
  each(i, n, [&](auto at) { sums[0] += f(at.load(x)); });
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Σ f(x) of a contiguous array, on several threads; block totals lie in args.scratch.
template <class F>
SIMDNN_INLINE double array_sum(const Args& args, const float* x, int64_t n, F f) {
  float* totals = static_cast<float*>(args.scratch);
  parallel(args, blocks(n), kGrain / kBlock, [=](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) totals[b] = block_sum(x + b * kBlock, b + 1 < blocks(n) ? kBlock : n - b * kBlock, f);
  });
  double total = 0;
  for (int64_t b = 0; b < blocks(n); b++) total += totals[b];
  return total;
}

double row_sum(const float* x, int64_t n) {
  double total = 0;
  for (int64_t i = 0; i < n; i += kBlock) total += block_sum(x + i, n - i < kBlock ? n - i : kBlock, Identity{});
  return total;
}

// The walk of a reduction with inner > 1: body(strip, out of this outer index) for strips of each [reduced, inner] matrix.
template <class Body>
SIMDNN_INLINE void each_inner(const Args& args, const Shape& shape, Body body) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const Matrix matrix(shape.reduced, shape.inner);
  if (shape.outer == 1) return each_column(args, matrix, [=](auto strip) { body(strip, in, out); });
  parallel(args, shape.outer, row_grain(shape.reduced * shape.inner), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      const float* from = in + o * shape.reduced * shape.inner;
      float* to = out + o * shape.inner;
      each_column(matrix, 0, shape.inner, [=](auto strip) { body(strip, from, to); });
    }
  });
}

// out = Σ x / divisor
void divided_sum(const Args& args, const Shape& shape, double divisor) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  if (shape.inner > 1) {
    const float by = static_cast<float>(divisor);
    each_inner(args, shape, [=](auto strip, const float* from, float* to) {
      vf sums[1][strip.width];
      strip.sum(sums, [=](auto at, auto, vf* term) { *term = at.load(from); });
      unroll<strip.width>([&](auto v) { strip.store(to, v, sums[0][v] / by); });
    });
  } else if (shape.outer > 1) {
    parallel(args, shape.outer, row_grain(shape.reduced), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) out[o] = static_cast<float>(row_sum(in + o * shape.reduced, shape.reduced) / divisor);
    });
  } else {
    *out = static_cast<float>(array_sum(args, in, shape.reduced, Identity{}) / divisor);
  }
}

int64_t sum_scratch(const Args& args) {
  const Shape shape = shape_of(args);
  return shape.outer == 1 && shape.inner == 1 ? blocks(shape.reduced) * static_cast<int64_t>(sizeof(float)) : 0;
}

void sum(const Args& args) {
  const Shape shape = shape_of(args);
  shape.fits ? divided_sum(args, shape, 1) : reference::sum<float>(args);
}

void mean(const Args& args) {
  const Shape shape = shape_of(args);
  shape.fits ? divided_sum(args, shape, static_cast<double>(shape.reduced)) : reference::mean<float>(args);
}

int64_t squared_norm_scratch(const Args& args) { return blocks(args.in[0].size) * static_cast<int64_t>(sizeof(float)); }

void squared_norm(const Args& args) { *data<float>(args.out[0]) = static_cast<float>(array_sum(args, data<float>(args.in[0]), args.in[0].size, Square{})); }

// The largest of the values shown to it, NaN if there is one.
struct Largest {
  vf most = broadcast(-__builtin_inff());
  vi nan = {};
  SIMDNN_METHOD void see(vf x) {
    most = simdnn::max(x, most);
    nan |= x != x;
  }
  SIMDNN_METHOD vf value() const { return select(nan, broadcast(__builtin_nanf("")), most); }
};

SIMDNN_INLINE float row_max(const float* x, int64_t n) {
  Largest largest;
  each(0, n, [&](auto at) { largest.see(at.or_else(at.load(x), -__builtin_inff())); });
  return any(largest.nan) ? __builtin_nanf("") : simdnn::max(largest.most);
}

void max(const Args& args) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const Shape shape = shape_of(args);
  if (!shape.fits) return reference::max<float>(args);
  if (shape.inner > 1) {
    each_inner(args, shape, [=](auto strip, const float* from, float* to) {
      Largest largest[strip.width];
      strip.each([&](auto at, auto v) { largest[v].see(at.load(from)); });
      unroll<strip.width>([&](auto v) { strip.store(to, v, largest[v].value()); });
    });
  } else {
    parallel(args, shape.outer, row_grain(shape.reduced), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) out[o] = row_max(in + o * shape.reduced, shape.reduced);
    });
  }
}

// Where the largest is for the first time; NaN is larger than anything.
SIMDNN_INLINE int64_t row_argmax(const float* x, int64_t n) {
  const float most = row_max(x, n);
  const auto found = [=](auto value) { return (value == most) | (value != value); };
  int64_t j = 0;
  while (j + kLanes < n && !any(found(load(x + j)))) j += kLanes;
  while (!found(x[j])) j++;
  return j;
}

void argmax(const Args& args) {
  const View& view = args.in[0];
  if (view.size == 0 || static_cast<int>(args.attrs[0]) != view.rank - 1) return reference::argmax<float>(args);
  const float* in = data<float>(view);
  int32_t* out = data<int32_t>(args.out[0]);
  const Matrix shape(view);
  parallel(args, shape.rows, row_grain(shape.columns), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) out[row] = static_cast<int32_t>(row_argmax(in + row * shape.columns, shape.columns));
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_reduce)(KernelTable& table) {
  table.f32[op_sum] = sum;
  table.f32[op_mean] = mean;
  table.f32[op_squared_norm] = squared_norm;
  table.f32[op_max] = max;
  table.f32[op_argmax] = argmax;
  table.scratch32[op_sum] = table.scratch32[op_mean] = sum_scratch;
  table.scratch32[op_squared_norm] = squared_norm_scratch;
}

}  // namespace simdnn
