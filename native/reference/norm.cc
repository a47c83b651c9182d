// Batch normalisation per feature (last axis) over all other axes.
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {

// μ = mean x, σ² = mean (x - μ)², output = γ (x - μ) / √(σ² + ε) + β;
// running = momentum running + (1 - momentum) batch, its variance the unbiased σ² m / (m - 1)
template <class T>
void batch_norm(const Args& args) {
  const View& shape = args.in[0];
  const T *x = data<T>(args.in[0]), *gamma = data<T>(args.in[1]), *beta = data<T>(args.in[2]);
  T *running_mean = data<T>(args.in[3]), *running_variance = data<T>(args.in[4]);
  T *output = data<T>(args.out[0]), *mean = data<T>(args.out[1]), *inverse_deviation = data<T>(args.out[2]);
  const double momentum = args.attrs[0], epsilon = args.attrs[1], m = double(rows(shape));
  for (int64_t j = 0; j < columns(shape); ++j) {
    double sum = 0, squares = 0;
    for (int64_t i = j; i < shape.size; i += columns(shape)) sum += x[i];
    const double mu = sum / m;
    for (int64_t i = j; i < shape.size; i += columns(shape)) squares += (x[i] - mu) * (x[i] - mu);
    const double inverse = 1 / std::sqrt(squares / m + epsilon);
    for (int64_t i = j; i < shape.size; i += columns(shape)) output[i] = T(gamma[j] * (x[i] - mu) * inverse + beta[j]);
    mean[j] = T(mu);
    inverse_deviation[j] = T(inverse);
    running_mean[j] = T(momentum * running_mean[j] + (1 - momentum) * mu);
    running_variance[j] = T(momentum * running_variance[j] + (1 - momentum) * squares / (m - 1));
  }
}

// output = γ (x - mean) / √(variance + ε) + β
template <class T>
void batch_norm_inference(const Args& args) {
  const View& shape = args.in[0];
  const T *x = data<T>(args.in[0]), *gamma = data<T>(args.in[1]), *beta = data<T>(args.in[2]);
  const T *mean = data<T>(args.in[3]), *variance = data<T>(args.in[4]);
  T* output = data<T>(args.out[0]);
  for (int64_t i = 0; i < shape.size; ++i) {
    const int64_t j = i % columns(shape);
    output[i] = T(gamma[j] * (double(x[i]) - mean[j]) / std::sqrt(variance[j] + args.attrs[0]) + beta[j]);
  }
}

// With x̂ = (x - mean) inverse: dβ = Σ dout, dγ = Σ dout x̂, dx = γ inverse / m (m dout - dβ - x̂ dγ)
template <class T>
void batch_norm_grad(const Args& args) {
  const View& shape = args.in[0];
  const T *dout = data<T>(args.in[0]), *x = data<T>(args.in[1]), *gamma = data<T>(args.in[2]);
  const T *mean = data<T>(args.in[3]), *inverse = data<T>(args.in[4]);
  T *dx = data<T>(args.out[0]), *dgamma = data<T>(args.out[1]), *dbeta = data<T>(args.out[2]);
  const double m = double(rows(shape));
  for (int64_t j = 0; j < columns(shape); ++j) {
    const auto normalized = [&](int64_t i) { return (double(x[i]) - mean[j]) * inverse[j]; };
    double sum = 0, dot = 0;
    for (int64_t i = j; i < shape.size; i += columns(shape)) {
      sum += dout[i];
      dot += dout[i] * normalized(i);
    }
    for (int64_t i = j; i < shape.size; i += columns(shape)) dx[i] = T(double(gamma[j]) * inverse[j] / m * (m * dout[i] - sum - normalized(i) * dot));
    dbeta[j] = T(sum);
    dgamma[j] = T(dot);
  }
}

SIMDNN_REFERENCE(batch_norm)
SIMDNN_REFERENCE(batch_norm_inference)
SIMDNN_REFERENCE(batch_norm_grad)

}  // namespace simdnn::reference
