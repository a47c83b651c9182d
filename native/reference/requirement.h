// What checks are made of: questions about shapes, dtypes and attributes. Attributes are doubles from outside, so each is
// compared with a range before it is converted; NaN is in no range.
#pragma once
#include <cmath>
#include <initializer_list>

#include "../kernel.h"

#define REQUIRE(condition, text) \
  if (!(condition)) return text
#define PASS(check) \
  if (const char* problem = (check)) return problem

namespace simdnn::check {

inline bool same_shape(const View& a, const View& b) {
  if (a.rank != b.rank) return false;
  for (int d = 0; d < a.rank; ++d)
    if (a.dims[d] != b.dims[d]) return false;
  return true;
}

inline bool shaped(const View& view, std::initializer_list<int64_t> dims) {
  if (view.rank != int(dims.size())) return false;
  const int64_t* own = view.dims;
  for (const int64_t dim : dims)
    if (*own++ != dim) return false;
  return true;
}

inline bool is_float(const View& view) { return view.dtype == DType::float32 || view.dtype == DType::float64; }
inline int64_t last(const View& view) { return view.dims[view.rank - 1]; }

constexpr double kMaxInteger = 9007199254740991;  // 2^53 - 1

// An integer in [low, high] that is safe to convert, however far the range goes.
inline bool integer(double value, double low, double high) {
  return value >= low && value <= high && std::fabs(value) <= kMaxInteger && value == std::floor(value);
}
inline bool flag(double value) { return value == 0 || value == 1; }

constexpr double kMaxStream = 4294967295;  // 2^32 - 1

inline const char* has_storage(const View* views, int count) {
  for (int i = 0; i < count; ++i) REQUIRE(views[i].data || views[i].size == 0, "an operand has no storage");
  return nullptr;
}

// What every check asks. With lists among the attributes it comes after they are read, since they say how many there are.
inline const char* basics(const Args& args, int n_attrs) {
  PASS(has_storage(args.in, args.n_in));
  PASS(has_storage(args.out, args.n_out));
  REQUIRE(args.n_attrs == n_attrs, "wrong number of attributes");
  return nullptr;
}

// The integer list whose length stands at attrs[at].
struct List {
  const double* values = nullptr;
  int length = 0;

  bool read(const Args& args, int at) {
    if (at >= args.n_attrs || !integer(args.attrs[at], 0, kMaxRank)) return false;
    length = int(args.attrs[at]);
    values = args.attrs + at + 1;
    return length <= args.n_attrs - at - 1;
  }
  // Every value is compared as it is, so that none is converted.
  bool equals_dims(const View& view) const {
    if (length != view.rank) return false;
    for (int d = 0; d < length; ++d)
      if (values[d] != double(view.dims[d])) return false;
    return true;
  }
};

// The outputs and the first `count` operands have one floating-point type.
inline const char* floats(const Args& args, int count) {
  const View& first = args.n_out ? args.out[0] : args.in[0];
  REQUIRE(is_float(first), "needs float32 or float64");
  for (int i = 0; i < args.n_out; ++i) REQUIRE(args.out[i].dtype == first.dtype, "outputs must have one dtype");
  for (int i = 0; i < count; ++i) REQUIRE(args.in[i].dtype == first.dtype, "floating-point operands must have the output's dtype");
  return nullptr;
}

}  // namespace simdnn::check
