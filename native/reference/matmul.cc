// Matrix products: matmul, gemm, and the dense layer's forward and backward pass.
#include "activation_function.h"
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// A matrix operand as written or transposed.
template <class T>
struct Matrix {
  const T* data;
  int64_t rows, columns, row_stride, column_stride;

  Matrix(const View& view, bool transposed) : data(simdnn::data<T>(view)), rows(view.dims[0]), columns(view.dims[1]), row_stride(columns), column_stride(1) {
    if (!transposed) return;
    std::swap(rows, columns);
    std::swap(row_stride, column_stride);
  }
  double operator()(int64_t i, int64_t j) const { return data[i * row_stride + j * column_stride]; }
};

// Σ_p a[i, p] b[p, j]
template <class T>
double dot(const Matrix<T>& a, const Matrix<T>& b, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t p = 0; p < a.columns; ++p) sum += a(i, p) * b(p, j);
  return sum;
}

}  // namespace

// out[m, n] = op(a) op(b)
template <class T>
void matmul(const Args& args) {
  const Matrix<T> a(args.in[0], args.attrs[0] != 0), b(args.in[1], args.attrs[1] != 0);
  T* out = data<T>(args.out[0]);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.columns; ++j) out[i * b.columns + j] = T(dot(a, b, i, j));
}

// c = alpha op(a) op(b) + beta c; beta = 0 does not read c, so that a NaN in it goes away
template <class T>
void gemm(const Args& args) {
  const Matrix<T> a(args.in[0], args.attrs[0] != 0), b(args.in[1], args.attrs[1] != 0);
  const double alpha = args.attrs[2], beta = args.attrs[3];
  T* c = data<T>(args.in[2]);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.columns; ++j) {
      T& element = c[i * b.columns + j];
      element = T(alpha * dot(a, b, i, j) + (beta == 0 ? 0 : beta * element));
    }
}

// output = g(input weight + bias)
template <class T>
void dense(const Args& args) {
  const Matrix<T> weight(args.in[1], false);
  const Activation kind = Activation(int(args.attrs[0]));
  const T *input = data<T>(args.in[0]), *bias = args.n_in > 2 ? data<T>(args.in[2]) : nullptr;
  T* output = data<T>(args.out[0]);
  for (int64_t i = 0; i < rows(args.out[0]); ++i)
    for (int64_t j = 0; j < weight.columns; ++j) {
      double z = bias ? bias[j] : 0;
      for (int64_t p = 0; p < weight.rows; ++p) z += input[i * weight.rows + p] * weight(p, j);
      output[i * weight.columns + j] = T(activate(kind, args.attrs[1], z));
    }
}

// dz = dout g'(z), from the output; dbias = Σ_rows dz
template <class T>
void dense_grad(const Args& args) {
  const View& shape = args.in[0];
  const Activation kind = Activation(int(args.attrs[0]));
  const T *dout = data<T>(args.in[0]), *output = data<T>(args.in[1]);
  T *dz = data<T>(args.out[0]), *dbias = data<T>(args.out[1]);
  for (int64_t j = 0; j < columns(shape); ++j) {
    double sum = 0;
    for (int64_t i = j; i < shape.size; i += columns(shape)) {
      const double d = dout[i] * derivative(kind, args.attrs[1], output[i]);
      sum += d;
      dz[i] = T(d);
    }
    dbias[j] = T(sum);
  }
}

SIMDNN_REFERENCE(matmul)
SIMDNN_REFERENCE(gemm)
SIMDNN_REFERENCE(dense)
SIMDNN_REFERENCE(dense_grad)

}  // namespace simdnn::reference
