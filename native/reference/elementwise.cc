// Arithmetic on elements: with broadcasting where there are two operands, in place where shapes agree.
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// out = f(a, b) for operands of type From, broadcast to the output's shape
template <class From, class To, class F>
void broadcast(const Args& args, F f) {
  const View &a = args.in[0], &b = args.in[1], &out = args.out[0];
  const From *from_a = data<From>(a), *from_b = data<From>(b);
  To* to = data<To>(out);
  walk(
      out.rank, out.dims, [&](int64_t i, int64_t ia, int64_t ib) { to[i] = To(f(from_a[ia], from_b[ib])); }, broadcast_strides(a, out),
      broadcast_strides(b, out));
}

// out = f(a, b) ? 1 : 0; the operands may be integers, the output is a float
template <class F>
void compare(const Args& args, F f) {
  visit(args.in[0].dtype, [&](auto from) { visit(args.out[0].dtype, [&](auto to) { broadcast<decltype(from), decltype(to)>(args, f); }); });
}

}  // namespace

template <class T>
void add(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return a + b; });
}

template <class T>
void sub(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return a - b; });
}

template <class T>
void mul(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return a * b; });
}

template <class T>
void div(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return a / b; });
}

template <class T>
void pow(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return std::pow(a, b); });
}

// NaN if either is
template <class T>
void maximum(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return a > b || std::isnan(a) ? a : b; });
}

template <class T>
void minimum(const Args& args) {
  broadcast<T, T>(args, [](double a, double b) { return a < b || std::isnan(a) ? a : b; });
}

template <class T>
void equal(const Args& args) {
  compare(args, [](double a, double b) { return a == b; });
}

template <class T>
void greater(const Args& args) {
  compare(args, [](double a, double b) { return a > b; });
}

template <class T>
void greater_equal(const Args& args) {
  compare(args, [](double a, double b) { return a >= b; });
}

// condition ≠ 0 ? a : b
template <class T>
void select(const Args& args) {
  map<T>(args, [](double condition, double a, double b) { return condition != 0 ? a : b; });
}

// a + scale b
template <class T>
void add_scaled(const Args& args) {
  const double scale = *data<T>(args.in[2]);
  map<T>(args, [=](double a, double b) { return a + scale * b; });
}

template <class T>
void neg(const Args& args) {
  map<T>(args, [](double x) { return -x; });
}

template <class T>
void exp(const Args& args) {
  map<T>(args, [](double x) { return std::exp(x); });
}

template <class T>
void log(const Args& args) {
  map<T>(args, [](double x) { return std::log(x); });
}

template <class T>
void sin(const Args& args) {
  map<T>(args, [](double x) { return std::sin(x); });
}

template <class T>
void cos(const Args& args) {
  map<T>(args, [](double x) { return std::cos(x); });
}

template <class T>
void sqrt(const Args& args) {
  map<T>(args, [](double x) { return std::sqrt(x); });
}

template <class T>
void square(const Args& args) {
  map<T>(args, [](double x) { return x * x; });
}

template <class T>
void abs(const Args& args) {
  map<T>(args, [](double x) { return std::fabs(x); });
}

// -1, 0 or 1; 0, -0 and NaN stay what they are
template <class T>
void sign(const Args& args) {
  map<T>(args, [](double x) { return x > 0 ? 1 : x < 0 ? -1 : x; });
}

// minimum(maximum(x, min), max), and NaN stays
template <class T>
void clip(const Args& args) {
  const double low = args.attrs[0], high = args.attrs[1];
  map<T>(args, [&](double x) {
    const double raised = x < low ? low : x;
    return raised > high ? high : raised;
  });
}

SIMDNN_REFERENCE(add)
SIMDNN_REFERENCE(sub)
SIMDNN_REFERENCE(mul)
SIMDNN_REFERENCE(div)
SIMDNN_REFERENCE(pow)
SIMDNN_REFERENCE(maximum)
SIMDNN_REFERENCE(minimum)
SIMDNN_REFERENCE(equal)
SIMDNN_REFERENCE(greater)
SIMDNN_REFERENCE(greater_equal)
SIMDNN_REFERENCE(select)
SIMDNN_REFERENCE(add_scaled)
SIMDNN_REFERENCE(neg)
SIMDNN_REFERENCE(exp)
SIMDNN_REFERENCE(log)
SIMDNN_REFERENCE(sin)
SIMDNN_REFERENCE(cos)
SIMDNN_REFERENCE(sqrt)
SIMDNN_REFERENCE(square)
SIMDNN_REFERENCE(abs)
SIMDNN_REFERENCE(sign)
SIMDNN_REFERENCE(clip)

}  // namespace simdnn::reference
