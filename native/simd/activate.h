// Activation functions and their derivatives on vectors, for every kernel that fuses one. Formulas: reference/activation_function.h.
#pragma once
#include "../kernel.h"
#include "math.h"

namespace simdnn {
namespace {

template <Activation kind>
SIMDNN_INLINE vf activate(vf x, float slope) {
  if constexpr (kind == Activation::relu) return select(x < 0.0f, vf{}, x);
  if constexpr (kind == Activation::leaky_relu) return select(x < 0.0f, slope * x, x);
  if constexpr (kind == Activation::elu) return select(x < 0.0f, slope * expm1(x), x);
  if constexpr (kind == Activation::sigmoid) return sigmoid(x);
  if constexpr (kind == Activation::tanh) return tanh(x);
  if constexpr (kind == Activation::softplus) return softplus(x);
  if constexpr (kind == Activation::swish) return x * sigmoid(x);
  if constexpr (kind == Activation::gelu) return x * normal(x).cumulative;
  return x;
}

// From the output; for swish and gelu from the input.
template <Activation kind>
SIMDNN_INLINE vf derivative(vf saved, float slope) {
  const vf one = broadcast(1.0f);
  if constexpr (kind == Activation::relu) return select(saved > 0.0f, one, vf{});
  if constexpr (kind == Activation::leaky_relu) return select(saved > 0.0f, one, broadcast(slope));
  if constexpr (kind == Activation::elu) return select(saved > 0.0f, one, saved + slope);
  if constexpr (kind == Activation::sigmoid) return saved * (1.0f - saved);
  if constexpr (kind == Activation::tanh) return (1.0f - saved) * (1.0f + saved);
  if constexpr (kind == Activation::softplus) return -expm1(-saved);
  if constexpr (kind == Activation::swish) {
    const vf s = sigmoid(saved);
    return s * fma(saved, 1.0f - s, one);
  }
  if constexpr (kind == Activation::gelu) {
    const Normal phi = normal(saved);
    return fma(saved * 0.3989422804f, phi.exponential, phi.cumulative);
  }
  return one;
}

// Calls f with the activation as a type: f(KindOf<Activation::relu>{}), for code compiled once per activation.
template <Activation k>
struct KindOf {
  static constexpr Activation kind = k;
};
template <class F>
SIMDNN_INLINE void with_activation(Activation kind, F f) {
  switch (kind) {
    case Activation::linear: return f(KindOf<Activation::linear>{});
    case Activation::relu: return f(KindOf<Activation::relu>{});
    case Activation::leaky_relu: return f(KindOf<Activation::leaky_relu>{});
    case Activation::elu: return f(KindOf<Activation::elu>{});
    case Activation::sigmoid: return f(KindOf<Activation::sigmoid>{});
    case Activation::tanh: return f(KindOf<Activation::tanh>{});
    case Activation::softplus: return f(KindOf<Activation::softplus>{});
    case Activation::swish: return f(KindOf<Activation::swish>{});
    case Activation::gelu: return f(KindOf<Activation::gelu>{});
  }
}

}  // namespace
}  // namespace simdnn
