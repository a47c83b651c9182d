// The softmax family over the last axis, and the cross-entropies from logits.
#include "activation_function.h"
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// max z and log Σ exp(z - max z) of a row: nothing overflows, and the largest term is exactly 1.
struct LogSum {
  double max, log_sum;

  template <class T>
  LogSum(const T* z, int64_t count) : max(z[0]), log_sum(0) {
    for (int64_t j = 1; j < count; ++j) max = z[j] > max ? z[j] : max;
    double sum = 0;
    for (int64_t j = 0; j < count; ++j) sum += std::exp(z[j] - max);
    log_sum = std::log(sum);
  }
  double log_probability(double z) const { return z - max - log_sum; }
};

// Calls f(row, first element of the row).
template <class F>
void each_row(const View& view, F f) {
  for (int64_t i = 0; i < rows(view); ++i) f(i, i * columns(view));
}

}  // namespace

// p_j = exp(x_j - max) / Σ_k exp(x_k - max)
template <class T>
void softmax(const Args& args) {
  const T* x = data<T>(args.in[0]);
  T* out = data<T>(args.out[0]);
  const int64_t count = columns(args.in[0]);
  each_row(args.in[0], [&](int64_t, int64_t begin) {
    const LogSum row(x + begin, count);
    for (int64_t i = begin; i < begin + count; ++i) out[i] = T(std::exp(row.log_probability(x[i])));
  });
}

// dx_j = p_j (dout_j - Σ_k dout_k p_k)
template <class T>
void softmax_grad(const Args& args) {
  const T *dout = data<T>(args.in[0]), *p = data<T>(args.in[1]);
  T* dx = data<T>(args.out[0]);
  const int64_t count = columns(args.in[0]);
  each_row(args.in[0], [&](int64_t, int64_t begin) {
    double dot = 0;
    for (int64_t i = begin; i < begin + count; ++i) dot += double(dout[i]) * p[i];
    for (int64_t i = begin; i < begin + count; ++i) dx[i] = T(p[i] * (dout[i] - dot));
  });
}

// x_j - max - log Σ_k exp(x_k - max)
template <class T>
void log_softmax(const Args& args) {
  const T* x = data<T>(args.in[0]);
  T* out = data<T>(args.out[0]);
  const int64_t count = columns(args.in[0]);
  each_row(args.in[0], [&](int64_t, int64_t begin) {
    const LogSum row(x + begin, count);
    for (int64_t i = begin; i < begin + count; ++i) out[i] = T(row.log_probability(x[i]));
  });
}

// dx_j = dout_j - exp(out_j) Σ_k dout_k
template <class T>
void log_softmax_grad(const Args& args) {
  const T *dout = data<T>(args.in[0]), *out = data<T>(args.in[1]);
  T* dx = data<T>(args.out[0]);
  const int64_t count = columns(args.in[0]);
  each_row(args.in[0], [&](int64_t, int64_t begin) {
    double sum = 0;
    for (int64_t i = begin; i < begin + count; ++i) sum += dout[i];
    for (int64_t i = begin; i < begin + count; ++i) dx[i] = T(dout[i] - std::exp(double(out[i])) * sum);
  });
}

// loss = -Σ_j y_j log p_j, or -log p_label; probabilities p = softmax(logits)
template <class T>
void softmax_cross_entropy(const Args& args) {
  const View& labels = args.in[1];
  const T* z = data<T>(args.in[0]);
  T *loss = data<T>(args.out[0]), *p = data<T>(args.out[1]);
  const int64_t count = columns(args.in[0]);
  each_row(args.in[0], [&](int64_t row, int64_t begin) {
    if (args.status->fault != Fault::none) return;
    const LogSum sum(z + begin, count);
    double total = 0;
    if (labels.dtype == DType::int32) {
      const int64_t label = checked_index(args, labels, row, count);
      if (label < 0) return;
      total = -sum.log_probability(z[begin + label]);
    } else {
      const T* y = data<T>(labels);
      // A label of 0 takes no part, even if its log-probability is -∞.
      for (int64_t i = begin; i < begin + count; ++i) total -= y[i] == 0 ? 0 : y[i] * sum.log_probability(z[i]);
    }
    for (int64_t i = begin; i < begin + count; ++i) p[i] = T(std::exp(sum.log_probability(z[i])));
    loss[row] = T(total);
  });
}

// dlogits_j = dloss (p_j Σ_k y_k - y_j); for a class number y is one-hot
template <class T>
void softmax_cross_entropy_grad(const Args& args) {
  const View& labels = args.in[2];
  const T *dloss = data<T>(args.in[0]), *p = data<T>(args.in[1]);
  T* dlogits = data<T>(args.out[0]);
  const int64_t count = columns(args.in[1]);
  each_row(args.in[1], [&](int64_t row, int64_t begin) {
    if (args.status->fault != Fault::none) return;
    if (labels.dtype == DType::int32) {
      const int64_t label = checked_index(args, labels, row, count);
      if (label < 0) return;
      for (int64_t j = 0; j < count; ++j) dlogits[begin + j] = T(dloss[row] * (p[begin + j] - (j == label ? 1.0 : 0.0)));
    } else {
      const T* y = data<T>(labels);
      double sum = 0;
      for (int64_t i = begin; i < begin + count; ++i) sum += y[i];
      for (int64_t i = begin; i < begin + count; ++i) dlogits[i] = T(dloss[row] * (p[i] * sum - y[i]));
    }
  });
}

// -(y log σ(z) + (1 - y) log(1 - σ(z))) = max(z, 0) - z y + log(1 + e^-|z|)
template <class T>
void sigmoid_cross_entropy(const Args& args) {
  map<T>(args, [](double z, double y) { return (z < 0 ? 0 : z) - z * y + std::log1p(std::exp(-std::fabs(z))); });
}

// dlogits = dloss (σ(z) - y)
template <class T>
void sigmoid_cross_entropy_grad(const Args& args) {
  map<T>(args, [](double dloss, double z, double y) { return dloss * (sigmoid(z) - y); });
}

SIMDNN_REFERENCE(softmax)
SIMDNN_REFERENCE(softmax_grad)
SIMDNN_REFERENCE(log_softmax)
SIMDNN_REFERENCE(log_softmax_grad)
SIMDNN_REFERENCE(softmax_cross_entropy)
SIMDNN_REFERENCE(softmax_cross_entropy_grad)
SIMDNN_REFERENCE(sigmoid_cross_entropy)
SIMDNN_REFERENCE(sigmoid_cross_entropy_grad)

}  // namespace simdnn::reference
