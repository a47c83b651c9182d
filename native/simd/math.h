// Elementary functions on vectors, for every float32 there is. Not for kernels whose speed allows double.
// Errors are the largest over all floats of the stated range, in units in the last place of the exact result, measured by
// test/math_test.cc on every instruction set. NaN in, NaN out; denormals come and go unharmed.
#pragma once
#include "vec.h"

namespace simdnn {
namespace {

constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;  // n * high is exact for |n| < 2^9

SIMDNN_INLINE vf abs(vf x) { return from_bits(bits(x) & 0x7fffffff); }
SIMDNN_INLINE vf with_sign_of(vf magnitude, vf x) { return from_bits((bits(x) & INT32_MIN) | bits(magnitude)); }

// c[0] + c[1] x + c[2] x² …
template <int i = 0, int n>
SIMDNN_INLINE vf polynomial(vf x, const float (&c)[n]) {
  if constexpr (i == n - 1)
    return broadcast(c[i]);
  else
    return fma(polynomial<i + 1>(x, c), x, broadcast(c[i]));
}

// x = n ln 2 + r with |r| <= ln 2 / 2. `shifted` holds n + bias in its lowest bits.
struct Reduced {
  vf r, n, shifted;
};
SIMDNN_INLINE Reduced reduce(vf x, int bias) {
  const float shift = 0x1.8p23f + static_cast<float>(bias);
  const vf shifted = fma(x, broadcast(0x1.715476p0f), broadcast(shift));
  const vf n = shifted - shift;
  return {fma(n, broadcast(-kLn2Low), fma(n, broadcast(-kLn2High), x)), n, shifted};
}

// exp(r) - 1 for |r| <= ln 2 / 2: minimax fit of the terms from r² on, 2^-26.1.
SIMDNN_INLINE vf expm1_near_zero(vf r) {
  constexpr float c[] = {0.49999997f, 0.16666545f, 0.04166746f, 0.008366434f, 0.0013868416f};
  return fma(r * r, polynomial(r, c), r);
}

// Overflows to infinity and underflows through the denormals to 0 where the exact result does. 1.04 ULP.
SIMDNN_INLINE vf exp(vf x) {
  // Beyond these bounds the result does not change any more. In this order min and max let NaN through.
  x = max(broadcast(-104.0f), min(broadcast(89.0f), x));
  const Reduced reduced = reduce(x, 2 * 127);
  const vf y = 1.0f + expm1_near_zero(reduced.r);
#if defined(__AVX512F__)
  return (vf)_mm512_maskz_scalef_ps(0xffff, (__m512)y, (__m512)reduced.n);
#else
  // Two factors of half the exponent each, because 2^n itself may be out of range.
  const vi n = bits(reduced.shifted), half = n >> 1;
  return y * from_bits(half << 23) * from_bits((n - half) << 23);
#endif
}

// exp(x) - 1 for x <= 88. 0.96 ULP for x <= 0.
SIMDNN_INLINE vf expm1(vf x) {
  const Reduced reduced = reduce(max(broadcast(-18.0f), x), 127);
  const vf power = from_bits(bits(reduced.shifted) << 23);
  return fma(power, expm1_near_zero(reduced.r), power - 1.0f);
}

// log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1, less f: minimax fit of the terms from f³ on, 2^-27.3.
SIMDNN_INLINE vf log1p_near_zero_less_f(vf f, vf addend) {
  constexpr float c[] = {0.3333333f, -0.2500082f, 0.20001242f, -0.16623409f, 0.1420158f, -0.13159612f, 0.1276222f, -0.07636437f};
  const vf square = f * f;
  return fma(broadcast(-0.5f), square, fma(f * square, polynomial(f, c), addend));
}

// 0 gives -infinity, less gives NaN, infinity itself. 0.86 ULP.
SIMDNN_INLINE vf log(vf x) {
  const vi tiny = x < 0x1p-126f;
  const vu scaled = (vu)select(tiny, x * 0x1p23f, x);    // unsigned, for NaN and infinity may overflow
  const vi exponent = (vi)(scaled - 0x3f3504f3u) >> 23;  // of the power of two that brings x into [sqrt(1/2), sqrt(2))
  const vf f = from_bits((vi)(scaled - ((vu)exponent << 23))) - 1.0f;
  const vf n = to_float(exponent) - select(tiny, broadcast(23.0f), vf{});
  const vf y = fma(n, broadcast(kLn2High), f + log1p_near_zero_less_f(f, n * kLn2Low));
  const vf limit = select(x == 0.0f, broadcast(-__builtin_inff()), select(x > 0.0f, x, broadcast(__builtin_nanf(""))));
  return select((x > 0.0f) & (x < __builtin_inff()), y, limit);
}

// log(1 + x) for 0 <= x <= 1; its error is within softplus's.
SIMDNN_INLINE vf log1p(vf x) {
  // Halved, a large 1 + x comes into the same range, and (x - 1) / 2 is exact.
  const vi large = x > 0.41421356f;
  const vf f = select(large, fma(x, broadcast(0.5f), broadcast(-0.5f)), x);
  const vf rest = log1p_near_zero_less_f(f, select(large, broadcast(kLn2Low), vf{}));
  return select(large, broadcast(kLn2High), vf{}) + (f + rest);
}

// 1 / (1 + exp(-x)). 2.41 ULP; x times it 3.2 for |x| <= 80, beyond which it becomes denormal or x.
SIMDNN_INLINE vf sigmoid(vf x) {
  const vf e = exp(-abs(x));
  return select(x < 0.0f, e, broadcast(1.0f)) / (1.0f + e);
}

// 2.5 ULP, ±1 at ±infinity.
SIMDNN_INLINE vf tanh(vf x) {
  const vf e = expm1(-2.0f * abs(x));
  return with_sign_of(-e / (e + 2.0f), x);
}

// log(1 + exp(x)). 1.71 ULP.
SIMDNN_INLINE vf softplus(vf x) { return max(vf{}, x) + log1p(exp(-abs(x))); }

// The normal distribution: its density's shape exp(-x²/2) and its cumulative Φ(x) = (1 + erf(x / √2)) / 2, the latter with
// relative accuracy also where it is small, which 1 + erf has not.
struct Normal {
  vf cumulative, exponential;
};

// x Φ(x): 6.1 ULP for x >= -12.9; below, Φ becomes denormal and then 0.
SIMDNN_INLINE Normal normal(vf x) {
  // Φ(-t) = exp(-t²/2) S(t) / (t + 3). S falls smoothly from 1.5 to 0.46 and is a polynomial in (t - 3) / (t + 3), 2^-25.6;
  // below -14.5 Φ is 0.
  constexpr float c[] = {0.7290837f,    -0.50933216f,  0.23001771f,     -0.04725819f,     -0.010462445f,
                         0.0069374647f, 0.0010171312f, -0.00094674875f, -0.000203901046f, 5.185454e-05f};
  const vf t = min(broadcast(14.5f), abs(x));
  const vf square = t * t, lost = fma(t, t, -square);
  const vf e = exp(-0.5f * square);
  const vf exponential = fma(e * -0.5f, lost, e);
  const vf reciprocal = 1.0f / (t + 3.0f);
  const vf tail = exponential * reciprocal * polynomial((t - 3.0f) * reciprocal, c);
  return {select(x > 0.0f, 1.0f - tail, tail), exponential};
}

}  // namespace
}  // namespace simdnn
