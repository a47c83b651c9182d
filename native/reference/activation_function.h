// Activation functions and their derivatives, by formula: shared by dense and activation.
#pragma once
#include <cmath>

#include "../kernel.h"

namespace simdnn::reference {

inline double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

// Φ(x), the normal distribution.
inline double normal_cdf(double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }

// slope: leaky ReLU's for x < 0; elu's alpha.
inline double activate(Activation kind, double slope, double x) {
  switch (kind) {
    case Activation::linear: return x;
    case Activation::relu: return x < 0 ? 0 : x;
    case Activation::leaky_relu: return x < 0 ? slope * x : x;
    case Activation::elu: return x < 0 ? slope * std::expm1(x) : x;
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return std::tanh(x);
    case Activation::softplus: return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    case Activation::swish: return x * sigmoid(x);
    case Activation::gelu: return x * normal_cdf(x);
  }
  return x;
}

// g'(x) from y = g(x) where that is possible, and for swish and gelu from x itself.
inline double derivative(Activation kind, double slope, double saved) {
  const double y = saved, x = saved;
  switch (kind) {
    case Activation::linear: return 1;
    case Activation::relu: return y > 0 ? 1 : 0;
    case Activation::leaky_relu: return y > 0 ? 1 : slope;
    case Activation::elu: return y > 0 ? 1 : y + slope;  // slope e^x
    case Activation::sigmoid: return y * (1 - y);
    case Activation::tanh: return (1 - y) * (1 + y);
    case Activation::softplus: return -std::expm1(-y);  // 1 - e^-y = sigmoid(x)
    case Activation::swish: return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    case Activation::gelu: return normal_cdf(x) + x * std::exp(-x * x / 2) * 0.3989422804014327;  // Φ(x) + x φ(x), φ(0) = 1/√(2π)
  }
  return 1;
}

}  // namespace simdnn::reference
