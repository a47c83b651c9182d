// Optimizer steps, in place: p the parameter, g its gradient, lr the learning rate.
#include "reference.h"
#include "unfit.h"
#include "visit.h"

namespace simdnn::reference {

namespace {

template <class T>
bool reported(const Args& args, int32_t operand) {
  const T* x = data<T>(args.in[operand]);
  for (int64_t i = 0; i < args.in[operand].size; ++i) {
    if (std::isfinite(x[i])) continue;
    *args.status = {Fault::unfit_update, 0, operand, i, double(x[i])};
    return true;
  }
  return false;
}

// Writes what a step makes of an element, its parameter and its state, or nothing where one of them would not be finite.
struct Sound {
  const Args& args;
  bool unfit = false;
  ~Sound() {
    if (unfit) report_unfit(args);
  }
  template <class... Rest>
  void write(Rest&&... rest) {
    if (finite(rest...))
      put(rest...);
    else
      unfit = true;
  }

 private:
  static bool finite() { return true; }
  template <class T, class... Rest>
  static bool finite(const T&, double value, const Rest&... rest) {
    return std::isfinite(T(value)) && finite(rest...);
  }
  static void put() {}
  template <class T, class... Rest>
  static void put(T& to, double value, Rest&... rest) {
    to = T(value);
    put(rest...);
  }
};

}  // namespace

void report_unfit(const Args& args) {
  for (int32_t operand : {1, 0, 2, 3, 4}) {
    if (operand >= args.n_in) break;
    const DType dtype = args.in[operand].dtype;
    if (dtype == DType::float32 ? reported<float>(args, operand) : dtype == DType::float64 && reported<double>(args, operand)) return;
  }
  *args.status = {Fault::unfit_update, 0, 0, -1, HUGE_VAL};
}

// p -= lr g
template <class T>
void sgd(const Args& args) {
  T* p = data<T>(args.in[0]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[2]);
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) sound.write(p[i], p[i] - lr * g[i]);
}

// t += share (s - t)
template <class T>
void lerp(const Args& args) {
  T* t = data<T>(args.in[0]);
  const T* s = data<T>(args.in[1]);
  const double share = scalar(args.in[2]);
  for (int64_t i = 0; i < args.in[0].size; ++i) t[i] = T(t[i] + share * (double(s[i]) - t[i]));
}

// v = β v + d g with d = 1 - β when damped (the course's form), else 1; p -= lr v, Nesterov's: p -= lr (β v + d g)
template <class T>
void momentum(const Args& args) {
  T *p = data<T>(args.in[0]), *v = data<T>(args.in[2]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[3]), beta = args.attrs[0], damping = args.attrs[1] != 0 ? 1 - beta : 1;
  const bool nesterov = args.attrs[2] != 0;
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    const double gradient = damping * g[i], velocity = beta * v[i] + gradient;
    sound.write(v[i], velocity, p[i], p[i] - lr * (nesterov ? beta * velocity + gradient : velocity));
  }
}

// s = ρ s + (1 - ρ) g²; p -= lr g / (√s + ε)
template <class T>
void rmsprop(const Args& args) {
  T *p = data<T>(args.in[0]), *s = data<T>(args.in[2]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[3]), rho = args.attrs[0], epsilon = args.attrs[1];
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    const double gradient = g[i], square = rho * s[i] + (1 - rho) * gradient * gradient;
    sound.write(s[i], square, p[i], p[i] - lr * gradient / (std::sqrt(square) + epsilon));
  }
}

// t = step + 1; p -= lr wd p (AdamW's decay); m = β1 m + (1 - β1) g; v = β2 v + (1 - β2) g²;
// p -= lr m/(1 - β1^t) / (√(v/(1 - β2^t)) + ε)
template <class T>
void adam(const Args& args) {
  T *p = data<T>(args.in[0]), *m = data<T>(args.in[2]), *v = data<T>(args.in[3]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[4]), t = scalar(args.in[5]) + 1;
  const double beta1 = args.attrs[0], beta2 = args.attrs[1], epsilon = args.attrs[2], decay = args.attrs[3];
  const double correction1 = 1 - std::pow(beta1, t), correction2 = 1 - std::pow(beta2, t);
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    const double gradient = g[i];
    const double first = beta1 * m[i] + (1 - beta1) * gradient, second = beta2 * v[i] + (1 - beta2) * gradient * gradient;
    sound.write(m[i], first, v[i], second, p[i], p[i] - lr * decay * p[i] - lr * (first / correction1) / (std::sqrt(second / correction2) + epsilon));
  }
}

// s += g²; p -= lr g / (√s + ε)
template <class T>
void adagrad(const Args& args) {
  T *p = data<T>(args.in[0]), *s = data<T>(args.in[2]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[3]), epsilon = args.attrs[0];
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    const double gradient = g[i], sum = s[i] + gradient * gradient;
    sound.write(s[i], sum, p[i], p[i] - lr * gradient / (std::sqrt(sum) + epsilon));
  }
}

// ∏ μ_i for i = 1 … t with μ_i = β1 (1 - ½ q^i), without a loop over the steps: ln(1 - x) = -Σ x^k/k makes of its logarithm a sum of geometric
// series, of which each is less than half of the one before, so that 60 of them are as good as all.
static double momentum_product(double beta1, double log_q, double t) {
  double sum = 0;
  for (int k = 1; k <= 60; ++k) {
    const double ratio = k * log_q;
    const double series = ratio == 0 ? t : std::exp(ratio) * std::expm1(ratio * t) / std::expm1(ratio);
    sum += std::pow(0.5, k) / k * series;
  }
  return std::exp(t * std::log(beta1) - sum);
}

// Adam's moments; t = step + 1, μ_t = β1 (1 - ½ 0.96^(ψ t)); p -= lr ((1 - μ_t) g/(1 - ∏μ up to t) + μ_(t+1) m/(1 - ∏μ up to t + 1)) / (√(v/(1 - β2^t)) + ε)
template <class T>
void nadam(const Args& args) {
  T *p = data<T>(args.in[0]), *m = data<T>(args.in[2]), *v = data<T>(args.in[3]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[4]), t = scalar(args.in[5]) + 1;
  const double beta1 = args.attrs[0], beta2 = args.attrs[1], epsilon = args.attrs[2], log_q = args.attrs[3] * std::log(0.96);
  const auto mu = [&](double step) { return beta1 * (1 - 0.5 * std::exp(log_q * step)); };
  const double product = momentum_product(beta1, log_q, t), correction2 = 1 - std::pow(beta2, t);
  const double of_gradient = (1 - mu(t)) / (1 - product), of_moment = mu(t + 1) / (1 - product * mu(t + 1));
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    const double gradient = g[i];
    const double first = beta1 * m[i] + (1 - beta1) * gradient, second = beta2 * v[i] + (1 - beta2) * gradient * gradient;
    sound.write(m[i], first, v[i], second, p[i], p[i] - lr * (of_gradient * gradient + of_moment * first) / (std::sqrt(second / correction2) + epsilon));
  }
}

// p -= lr (sign(β1 m + (1 - β1) g) + wd p); m = β2 m + (1 - β2) g
template <class T>
void lion(const Args& args) {
  T *p = data<T>(args.in[0]), *m = data<T>(args.in[2]);
  const T* g = data<T>(args.in[1]);
  const double lr = scalar(args.in[3]), beta1 = args.attrs[0], beta2 = args.attrs[1], decay = args.attrs[2];
  Sound sound{args};
  for (int64_t i = 0; i < args.in[0].size; ++i) {
    const double gradient = g[i], moment = m[i], direction = beta1 * moment + (1 - beta1) * gradient;
    sound.write(m[i], beta2 * moment + (1 - beta2) * gradient, p[i], p[i] - lr * (double((direction > 0) - (direction < 0)) + decay * p[i]));
  }
}

SIMDNN_REFERENCE(sgd)
SIMDNN_REFERENCE(lerp)
SIMDNN_REFERENCE(momentum)
SIMDNN_REFERENCE(rmsprop)
SIMDNN_REFERENCE(adam)
SIMDNN_REFERENCE(adagrad)
SIMDNN_REFERENCE(nadam)
SIMDNN_REFERENCE(lion)

}  // namespace simdnn::reference
