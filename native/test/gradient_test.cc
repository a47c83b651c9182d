// Backward kernels against two-sided differences of the forward ones, in double precision.
#include <functional>

#include "array.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

// Numbers in (-2, 2) without a pattern, none of them near a kink at 0.
Array numbers(std::vector<int64_t> dims, uint32_t seed) {
  Array array(DType::float64, dims);
  for (int64_t i = 0; i < array.size(); i++) {
    seed = seed * 1664525 + 1013904223;
    const double x = (seed >> 8) * 0x1p-22 - 2;
    array.set(i, x < 0 ? x - 0.01 : x + 0.01);
  }
  return array;
}

double dot(const Array& a, const Array& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); i++) sum += a[i] * b[i];
  return sum;
}

// `gradient` is that of value() with respect to x, which value() reads.
void expect_gradient(const char* what, Array& x, const Array& gradient, const std::function<double()>& value) {
  constexpr double kStep = 1e-5;
  EXPECT_EQ(gradient.size(), x.size());
  for (int64_t i = 0; i < x.size(); i++) {
    const double at = x[i];
    x.set(i, at + kStep);
    const double above = value();
    x.set(i, at - kStep);
    const double below = value();
    x.set(i, at);
    const double difference = (above - below) / (2 * kStep);
    expect_near(__FILE__, __LINE__, what, gradient[i], difference, 1e-8 * (1 + std::fabs(difference)));
  }
}

}  // namespace

TEST("gradient: dense with every activation it takes") {
  for (int kind = 0; kind <= 6; kind++) {
    const std::vector<double> attrs = {double(kind), 0.3};
    Array input = numbers({3, 2}, 1), weight = numbers({2, 2}, 2), bias = numbers({2}, 3), output = numbers({3, 2}, 0);
    const Array dout = numbers({3, 2}, 4);
    const auto value = [&] {
      run(op_dense, {&input, &weight, &bias}, {&output}, attrs);
      return dot(output, dout);
    };
    value();
    Array dz = numbers({3, 2}, 0), dbias = numbers({2}, 0), dinput = dz, dweight = numbers({2, 2}, 0);
    run(op_dense_grad, {&dout, &output}, {&dz, &dbias}, attrs);
    run(op_matmul, {&dz, &weight}, {&dinput}, {0, 1});
    run(op_matmul, {&input, &dz}, {&dweight}, {1, 0});
    expect_gradient("dbias", bias, dbias, value);
    expect_gradient("dinput", input, dinput, value);
    expect_gradient("dweight", weight, dweight, value);
  }
}

TEST("gradient: activation of every kind") {
  for (int kind = 0; kind <= 8; kind++) {
    const std::vector<double> attrs = {double(kind), 0.3};
    Array x = numbers({23}, 5), y = x, dx = x;
    const Array dout = numbers({23}, 6);
    const auto value = [&] {
      run(op_activation, {&x}, {&y}, attrs);
      return dot(y, dout);
    };
    value();
    run(op_activation_grad, {&dout, kind <= int(Activation::softplus) ? &y : &x}, {&dx}, attrs);
    expect_gradient("dx", x, dx, value);
  }
}

TEST("gradient: softmax and log_softmax, in place") {
  for (const auto& [forward, backward] : {std::pair{op_softmax, op_softmax_grad}, std::pair{op_log_softmax, op_log_softmax_grad}}) {
    Array x = numbers({3, 5}, 7), y = x;
    const Array dout = numbers({3, 5}, 8);
    const auto value = [&, forward = forward] {
      run(forward, {&x}, {&y});
      return dot(y, dout);
    };
    value();
    Array over_dout = dout, over_output = y;
    run(backward, {&over_dout, &y}, {&over_dout});
    run(backward, {&dout, &over_output}, {&over_output});
    expect_gradient("dx over dout", x, over_dout, value);
    expect_gradient("dx over output", x, over_output, value);
  }
}

TEST("gradient: batch_norm") {
  Array x = numbers({5, 3}, 9), gamma = numbers({3}, 10), beta = numbers({3}, 11);
  Array mean = beta, variance = beta, y = x, batch_mean = beta, inverse = beta, dx = x, dgamma = gamma, dbeta = beta;
  const Array dout = numbers({5, 3}, 12);
  const auto value = [&] {
    run(op_batch_norm, {&x, &gamma, &beta, &mean, &variance}, {&y, &batch_mean, &inverse}, {0.9, 1e-3});
    return dot(y, dout);
  };
  value();
  run(op_batch_norm_grad, {&dout, &x, &gamma, &batch_mean, &inverse}, {&dx, &dgamma, &dbeta});
  expect_gradient("dx", x, dx, value);
  expect_gradient("dgamma", gamma, dgamma, value);
  expect_gradient("dbeta", beta, dbeta, value);
}

TEST("gradient: softmax_cross_entropy with class numbers and with weights that do not sum to one") {
  Array z = numbers({3, 4}, 13), p = z, dz = z, loss = numbers({3}, 0);
  const Array dloss = numbers({3}, 14), classes(DType::int32, {3}, {3, 0, 2}), soft = numbers({3, 4}, 15);
  for (const Array* labels : {&classes, &soft}) {
    const auto value = [&] {
      run(op_softmax_cross_entropy, {&z, labels}, {&loss, &p});
      return dot(loss, dloss);
    };
    value();
    run(op_softmax_cross_entropy_grad, {&dloss, &p, labels}, {&dz});
    expect_gradient("dlogits", z, dz, value);
    value();
    run(op_softmax_cross_entropy_grad, {&dloss, &p, labels}, {&p});
    for (int64_t i = 0; i < z.size(); i++) EXPECT_EQ(p[i], dz[i]);
  }
}

TEST("gradient: sigmoid_cross_entropy") {
  Array z = numbers({11}, 16), loss = z, dz = z;
  const Array dloss = numbers({11}, 17), targets = numbers({11}, 18);
  const auto value = [&] {
    run(op_sigmoid_cross_entropy, {&z, &targets}, {&loss});
    return dot(loss, dloss);
  };
  run(op_sigmoid_cross_entropy_grad, {&dloss, &z, &targets}, {&dz});
  expect_gradient("dlogits", z, dz, value);
}

TEST("gradient: max over some axes") {
  Array x = numbers({2, 3, 4}, 19), y = numbers({3}, 0), dx = x;
  const Array dout = numbers({3}, 20);
  const std::vector<double> attrs = {2, 0, 2, 0};
  const auto value = [&] {
    run(op_max, {&x}, {&y}, attrs);
    return dot(y, dout);
  };
  value();
  run(op_max_grad, {&dout, &x, &y}, {&dx}, attrs);
  expect_gradient("dx", x, dx, value);
}

TEST("gradient: gather is undone by gather_grad, slice by pad") {
  Array x = numbers({4, 2}, 21), taken = numbers({5, 2}, 0), dx = x, part = numbers({2, 1}, 0);
  const Array dtaken = numbers({5, 2}, 22), dpart = numbers({2, 1}, 23), order(DType::int32, {5}, {3, 0, 3, 1, 3});
  run(op_gather_grad, {&dtaken, &order}, {&dx}, {4});
  expect_gradient("gather", x, dx, [&] {
    run(op_gather, {&x, &order}, {&taken}, {1});
    return dot(taken, dtaken);
  });
  run(op_pad, {&dpart}, {&dx}, {2, 1, 1, 2, 4, 2});
  expect_gradient("slice", x, dx, [&] {
    run(op_slice, {&x}, {&part}, {2, 1, 1, 2, 2, 1});
    return dot(part, dpart);
  });
}
