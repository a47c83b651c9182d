// How reference kernels go over elements: by dtype, by shape with strides, by rows. Nothing here knows an op.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "../kernel.h"

#define SIMDNN_REFERENCE(name)            \
  template void name<float>(const Args&); \
  template void name<double>(const Args&);

namespace simdnn::reference {

// Calls f with a zero of the element type.
template <class F>
void visit(DType dtype, F f) {
  switch (dtype) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    case DType::int32: return f(int32_t{});
    case DType::uint8: return f(uint8_t{});
  }
}

// Towards zero and, where the range is too small, to its end; NaN becomes 0. Every value of every dtype fits in a double.
template <class To>
To convert(double x) {
  if constexpr (std::is_integral_v<To>) {
    using Range = std::numeric_limits<To>;
    if (std::isnan(x)) return 0;
    if (x <= double(Range::min())) return Range::min();
    if (x >= double(Range::max())) return Range::max();
  }
  return To(x);
}

struct Strides {
  int64_t of[kMaxRank];
};

// Row-major strides of a view.
inline Strides strides(const View& view) {
  Strides result{};
  if (view.size == 0) return result;  // the other dims' product may not fit
  int64_t stride = 1;
  for (int d = view.rank - 1; d >= 0; --d) {
    result.of[d] = stride;
    stride *= view.dims[d];
  }
  return result;
}

// Strides that read `view` as if it had `shape`: 0 along dimensions that are missing or 1.
inline Strides broadcast_strides(const View& view, const View& shape) {
  const Strides own = strides(view);
  Strides result{};
  for (int d = 0; d < view.rank; ++d) result.of[d + shape.rank - view.rank] = view.dims[d] == 1 ? 0 : own.of[d];
  return result;
}

// Calls f(i, offset...) for the indices of `shape` in row-major order: i counts them, each offset is Σ index[d] stride[d].
template <class F, class... S>
void walk(int rank, const int64_t* dims, F f, const S&... by) {
  int64_t index[kMaxRank] = {};
  for (int d = 0; d < rank; ++d)
    if (dims[d] == 0) return;
  const auto offset = [&](const Strides& strides) {
    int64_t sum = 0;
    for (int d = 0; d < rank; ++d) sum += index[d] * strides.of[d];
    return sum;
  };
  for (int64_t i = 0;; ++i) {
    f(i, offset(by)...);
    int d = rank - 1;
    while (d >= 0 && ++index[d] == dims[d]) index[d--] = 0;
    if (d < 0) return;
  }
}

// out = f(in), element by element, also in place. n_in operands of the output's shape.
template <class T, class F>
void map(const Args& args, F f) {
  const int64_t size = args.out[0].size;
  T* out = data<T>(args.out[0]);
  const T* a = data<T>(args.in[0]);
  if constexpr (std::is_invocable_v<F, double>) {
    for (int64_t i = 0; i < size; ++i) out[i] = T(f(a[i]));
  } else if constexpr (std::is_invocable_v<F, double, double>) {
    const T* b = data<T>(args.in[1]);
    for (int64_t i = 0; i < size; ++i) out[i] = T(f(a[i], b[i]));
  } else {
    const T *b = data<T>(args.in[1]), *c = data<T>(args.in[2]);
    for (int64_t i = 0; i < size; ++i) out[i] = T(f(a[i], b[i], c[i]));
  }
}

// A view as rows of its last dimension.
inline int64_t columns(const View& view) { return view.dims[view.rank - 1]; }
inline int64_t rows(const View& view) { return columns(view) ? view.size / columns(view) : 0; }

// An index operand's element, checked: out of [0, count) it reports a fault and returns -1.
inline int64_t checked_index(const Args& args, const View& indices, int64_t position, int64_t count) {
  const int32_t index = data<int32_t>(indices)[position];
  if (index >= 0 && index < count) return index;
  args.status->fault = Fault::index_out_of_range;
  args.status->position = position;
  args.status->value = index;
  return -1;
}

}  // namespace simdnn::reference
