// Reference kernels of layers, losses and optimizers against numbers worked out by hand.
#include "array.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {
constexpr double kTight = 1e-15;
}

TEST("reference: matmul in four transpose forms") {
  const Array a = f64({2, 3}, {1, 2, 3, 4, 5, 6}), at = f64({3, 2}, {1, 4, 2, 5, 3, 6});
  const Array b = f64({3, 2}, {7, 8, 9, 10, 11, 12}), bt = f64({2, 3}, {7, 9, 11, 8, 10, 12});
  Array out = f64({2, 2});
  for (int ta = 0; ta < 2; ta++)
    for (int tb = 0; tb < 2; tb++) {
      run(op_matmul, {ta ? &at : &a, tb ? &bt : &b}, {&out}, {double(ta), double(tb)});
      EXPECT_VALUES(out, 0, {58, 64, 139, 154});
    }
}

TEST("reference: matmul sums float32 without losing small terms") {
  const Array a = f32({1, 3}, {1e8, 1, -1e8}), b = f32({3, 1}, {1, 1, 1});
  Array out = f32({1, 1});
  run(op_matmul, {&a, &b}, {&out}, {0, 0});
  EXPECT_VALUES(out, 0, {1});
}

TEST("reference: gemm scales, adds, and does not read c when beta is 0") {
  const Array a = f64({1, 2}, {1, 2}), b = f64({2, 2}, {1, 2, 3, 4});
  Array c = f64({1, 2}, {10, 20});
  run(op_gemm, {&a, &b, &c}, {}, {0, 0, 2, 0.5});
  EXPECT_VALUES(c, 0, {2 * 7 + 5, 2 * 10 + 10});
  c.set(0, kNaN);
  run(op_gemm, {&a, &b, &c}, {}, {0, 0, 1, 0});
  EXPECT_VALUES(c, 0, {7, 10});
}

TEST("reference: dense with and without a bias, over leading dimensions") {
  const Array input = f64({2, 1, 2}, {1, 2, -3, 1}), weight = f64({2, 2}, {1, 2, 3, 4}), bias = f64({2}, {-8, 1});
  Array output = f64({2, 1, 2});
  run(op_dense, {&input, &weight}, {&output}, {0, 0});
  EXPECT_VALUES(output, 0, {7, 10, 0, -2});
  run(op_dense, {&input, &weight, &bias}, {&output}, {1, 0});
  EXPECT_VALUES(output, 0, {0, 11, 0, 0});
  run(op_dense, {&input, &weight, &bias}, {&output}, {2, 0.125});
  EXPECT_VALUES(output, 0, {-0.125, 11, -1, -0.125});
}

TEST("reference: dense_grad in place gives dz and its column sums") {
  Array dout = f64({2, 2}, {1, 2, 3, 4}), dbias = f64({2});
  const Array output = f64({2, 2}, {0.5, 0, 0, 1});
  run(op_dense_grad, {&dout, &output}, {&dout, &dbias}, {1, 0});
  EXPECT_VALUES(dout, 0, {1, 0, 0, 4});
  EXPECT_VALUES(dbias, 0, {1, 4});
}

TEST("reference: activations at known points") {
  const Array x = f64({5}, {-1, 0, 1, -800, 800});
  Array y = f64({5});
  const double e = std::exp(1.0);
  const auto activation = [&](int kind, double slope) { run(op_activation, {&x}, {&y}, {double(kind), slope}); };
  activation(0, 0);
  EXPECT_VALUES(y, 0, {-1, 0, 1, -800, 800});
  activation(1, 0);
  EXPECT_VALUES(y, 0, {0, 0, 1, 0, 800});
  activation(2, 0.25);
  EXPECT_VALUES(y, 0, {-0.25, 0, 1, -200, 800});
  activation(3, 2);
  EXPECT_VALUES(y, kTight, {2 / e - 2, 0, 1, -2, 800});
  activation(4, 0);
  EXPECT_VALUES(y, kTight, {1 / (1 + e), 0.5, e / (1 + e), 0, 1});
  activation(5, 0);
  EXPECT_VALUES(y, kTight, {(1 - e * e) / (1 + e * e), 0, (e * e - 1) / (1 + e * e), -1, 1});
  activation(6, 0);
  EXPECT_VALUES(y, kTight, {std::log(1 + 1 / e), std::log(2.0), std::log(1 + e), 0, 800});
  activation(7, 0);
  EXPECT_VALUES(y, kTight, {-1 / (1 + e), 0, e / (1 + e), 0, 800});
  activation(8, 0);
  EXPECT_VALUES(y, kTight, {-0.15865525393145705, 0, 0.8413447460685429, 0, 800});  // x Φ(x)
}

TEST("reference: NaN goes through what computes") {
  const Array x = f64({2}, {kNaN, 1}), other = f64({2}, {1, kNaN});
  Array y = f64({2});
  run(op_activation, {&x}, {&y}, {1, 0});
  EXPECT_VALUES(y, 0, {kNaN, 1});
  run(op_clip, {&x}, {&y}, {-1, 0.5});
  EXPECT_VALUES(y, 0, {kNaN, 0.5});
  for (Op op : {op_maximum, op_minimum}) {
    run(op, {&x, &other}, {&y});
    EXPECT_VALUES(y, 0, {kNaN, kNaN});
  }
  Array top = f64({}), where = i32({});
  run(op_max, {&other}, {&top}, {1, 0, 0});
  EXPECT_VALUES(top, 0, {kNaN});
  run(op_argmax, {&other}, {&where}, {0});
  EXPECT_VALUES(where, 0, {1});
}

TEST("reference: softmax and log_softmax, also far from zero and in place") {
  Array x = f64({2, 2}, {1000, 1000 + std::log(3.0), -1000, -1000}), y = f64({2, 2});
  run(op_log_softmax, {&x}, {&y});
  EXPECT_VALUES(y, 1e-13, {std::log(0.25), std::log(0.75), std::log(0.5), std::log(0.5)});
  run(op_softmax, {&x}, {&x});
  EXPECT_VALUES(x, 1e-13, {0.25, 0.75, 0.5, 0.5});
}

TEST("reference: softmax_cross_entropy with class numbers and distributions") {
  Array logits = f64({2, 2}, {0, std::log(3.0), 0, 0}), loss = f64({2}), p = f64({2, 2});
  const Array numbers = i32({2}, {1, 0}), soft = f64({2, 2}, {0.5, 0.5, 1, 0});
  run(op_softmax_cross_entropy, {&logits, &numbers}, {&loss, &p});
  EXPECT_VALUES(loss, kTight, {-std::log(0.75), std::log(2.0)});
  EXPECT_VALUES(p, kTight, {0.25, 0.75, 0.5, 0.5});
  run(op_softmax_cross_entropy, {&logits, &soft}, {&loss, &logits});
  EXPECT_VALUES(loss, kTight, {-0.5 * std::log(0.25) - 0.5 * std::log(0.75), std::log(2.0)});
  EXPECT_VALUES(logits, kTight, {0.25, 0.75, 0.5, 0.5});
  const Array dloss = f64({2}, {2, 1});
  Array dlogits = f64({2, 2});
  run(op_softmax_cross_entropy_grad, {&dloss, &p, &numbers}, {&dlogits});
  EXPECT_VALUES(dlogits, kTight, {0.5, -0.5, -0.5, 0.5});
}

TEST("reference: a label that is no class is a fault with its place and value") {
  const Array logits = f32({3, 2}, {1, 2, 3, 4, 5, 6}), dloss = f32({3}, {1, 1, 1});
  Array loss = f32({3}), p = f32({3, 2}), dlogits = f32({3, 2});
  for (double label : {2.0, -1.0, 2147483647.0}) {
    const Array labels = i32({3}, {0, label, 5});
    for (const Status& status :
         {run(op_softmax_cross_entropy, {&logits, &labels}, {&loss, &p}), run(op_softmax_cross_entropy_grad, {&dloss, &p, &labels}, {&dlogits})}) {
      EXPECT(status.fault == Fault::index_out_of_range);
      EXPECT_EQ(status.position, 1);
      EXPECT_EQ(status.value, label);
      EXPECT_EQ(status.instruction, 0);
    }
  }
}

TEST("reference: sigmoid_cross_entropy near and far from zero") {
  const Array z = f64({4}, {0, std::log(3.0), 1000, -1000}), y = f64({4}, {1, 0, 1, 1});
  Array loss = f64({4}), dz = f64({4});
  run(op_sigmoid_cross_entropy, {&z, &y}, {&loss});
  EXPECT_VALUES(loss, kTight, {std::log(2.0), std::log(4.0), 0, 1000});
  const Array dloss = f64({4}, {1, 2, 1, 1});
  run(op_sigmoid_cross_entropy_grad, {&dloss, &z, &y}, {&dz});
  EXPECT_VALUES(dz, kTight, {-0.5, 1.5, 0, -1});
}

TEST("reference: batch_norm and its running statistics") {
  const Array x = f64({2, 1, 2}, {1, 10, 3, 10}), gamma = f64({2}, {2, 1}), beta = f64({2}, {1, 5});
  Array mean = f64({2}, {10, 0}), variance = f64({2}, {1, 1}), output = f64({2, 1, 2}), batch_mean = f64({2}), inverse = f64({2});
  run(op_batch_norm, {&x, &gamma, &beta, &mean, &variance}, {&output, &batch_mean, &inverse}, {0.75, 0.25});
  const double i0 = 1 / std::sqrt(1.25);  // batch variances 1 and 0, unbiased 2 and 0
  EXPECT_VALUES(output, kTight, {1 - 2 * i0, 5, 1 + 2 * i0, 5});
  EXPECT_VALUES(batch_mean, 0, {2, 10});
  EXPECT_VALUES(inverse, kTight, {i0, 2});
  EXPECT_VALUES(mean, 0, {0.75 * 10 + 0.25 * 2, 2.5});
  EXPECT_VALUES(variance, 0, {0.75 + 0.25 * 2, 0.75});
  run(op_batch_norm_inference, {&x, &gamma, &beta, &batch_mean, &variance}, {&output}, {0.5625 - 0.5});
  const double v0 = std::sqrt(1.25 + 0.0625), v1 = std::sqrt(0.75 + 0.0625);
  EXPECT_VALUES(output, kTight, {1 - 2 / v0, 5 + 0 / v1, 1 + 2 / v0, 5});
}

TEST("reference: sgd, momentum in its forms, rmsprop") {
  const Array lr = f64({}, {0.5}), g = f64({1}, {2});
  Array p = f64({1}, {10}), v = f64({1}, {4}), s = f64({1}, {16});
  run(op_sgd, {&p, &g, &lr}, {});
  EXPECT_VALUES(p, 0, {9});
  const auto momentum = [&](double damped, double nesterov) {
    p.set(0, 10), v.set(0, 4);
    run(op_momentum, {&p, &g, &v, &lr}, {}, {0.75, damped, nesterov});
  };
  momentum(0, 0);  // v = 3 + 2
  EXPECT_VALUES(v, 0, {5});
  EXPECT_VALUES(p, 0, {7.5});
  momentum(1, 0);  // v = 3 + 0.5
  EXPECT_VALUES(v, 0, {3.5});
  EXPECT_VALUES(p, 0, {8.25});
  momentum(0, 1);  // 0.75 5 + 2
  EXPECT_VALUES(p, 0, {10 - 0.5 * 5.75});
  momentum(1, 1);  // 0.75 3.5 + 0.5
  EXPECT_VALUES(p, 0, {10 - 0.5 * 3.125});
  p.set(0, 10);
  run(op_rmsprop, {&p, &g, &s, &lr}, {}, {0.75, 0.5});  // s = 12 + 1
  EXPECT_VALUES(s, 0, {13});
  EXPECT_VALUES(p, kTight * 10, {10 - 0.5 * 2 / (std::sqrt(13.0) + 0.5)});
}

TEST("reference: adam corrects its bias and decays weights apart from the gradient") {
  const Array lr = f64({}, {0.5}), g = f64({1}, {2}), first = i32({}, {0}), second = i32({}, {1});
  Array p = f64({1}, {10}), m = f64({1}, {0}), v = f64({1}, {0});
  run(op_adam, {&p, &g, &m, &v, &lr, &first}, {}, {0.75, 0.5, 0.25, 0});
  EXPECT_VALUES(m, 0, {0.5});  // corrected: 2
  EXPECT_VALUES(v, 0, {2});    // corrected: 4
  EXPECT_VALUES(p, 1e-14, {10 - 0.5 * 2 / (2 + 0.25)});
  p.set(0, 10);
  run(op_adam, {&p, &g, &m, &v, &lr, &second}, {}, {0.75, 0.5, 0.25, 0.125});
  EXPECT_VALUES(m, 0, {0.875});  // corrected by 1 - 0.5625: 2
  EXPECT_VALUES(v, 0, {3});      // corrected by 1 - 0.25: 4
  EXPECT_VALUES(p, 1e-14, {10 - 0.5 * 0.125 * 10 - 0.5 * 2 / (2 + 0.25)});
}

TEST("reference: adagrad divides by the root of all squares so far") {
  const Array lr = f64({}, {0.5}), g = f64({1}, {4});
  Array p = f64({1}, {10}), s = f64({1}, {9});
  run(op_adagrad, {&p, &g, &s, &lr}, {}, {0.25});
  EXPECT_VALUES(s, 0, {25});
  EXPECT_VALUES(p, 1e-14, {10 - 0.5 * 4 / (5 + 0.25)});
}

TEST("reference: nadam looks ahead along a momentum that grows") {
  const Array lr = f64({}, {0.5}), g = f64({1}, {2}), second = i32({}, {1});
  Array p = f64({1}, {10}), m = f64({1}, {0.5}), v = f64({1}, {2});
  run(op_nadam, {&p, &g, &m, &v, &lr, &second}, {}, {0.75, 0.5, 0.25, 3});
  const auto mu = [](double t) { return 0.75 * (1 - 0.5 * std::pow(0.96, 3 * t)); };
  const double moved = (1 - mu(2)) * 2 / (1 - mu(1) * mu(2)) + mu(3) * 0.875 / (1 - mu(1) * mu(2) * mu(3));
  EXPECT_VALUES(m, 0, {0.875});
  EXPECT_VALUES(v, 0, {3});  // corrected by 1 - 0.25: 4
  EXPECT_VALUES(p, 1e-14, {10 - 0.5 * moved / (2 + 0.25)});
}

TEST("reference: lion goes by signs, of a mixture that it does not keep") {
  const Array lr = f64({}, {0.5}), g = f64({3}, {-4, 1, 0});
  Array p = f64({3}, {10, 10, 10}), m = f64({3}, {1, 1, 0});
  run(op_lion, {&p, &g, &m, &lr}, {}, {0.75, 0.5, 0.125});
  EXPECT_VALUES(m, 0, {-1.5, 1, 0});
  EXPECT_VALUES(p, 0, {10 - 0.5 * (-1 + 1.25), 10 - 0.5 * (1 + 1.25), 10 - 0.5 * 1.25});
}

TEST("reference: an update writes no NaN and no infinity, and says where one came from") {
  const Array lr = f64({}, {0.5}), good = f64({3}, {2, 2, 2}), bad = f64({3}, {2, -kInfinity, kNaN}), first = i32({}, {0});
  const auto one = [] { return f64({3}, {1, 1, 1}); };
  const auto expect = [](const Status& status, int operand, int position, double value) {
    EXPECT(status.fault == Fault::unfit_update);
    EXPECT_EQ(status.operand, operand);
    EXPECT_EQ(status.position, position);
    EXPECT_EQ(status.value, value);
  };
  Array p = one(), m = one(), v = one();
  expect(run(op_sgd, {&p, &bad, &lr}, {}), 1, 1, -kInfinity);
  EXPECT_VALUES(p, 0, {0, 1, 1});
  expect(run(op_momentum, {&p, &bad, &m, &lr}, {}, {0.5, 0, 0}), 1, 1, -kInfinity);
  EXPECT_VALUES(m, 0, {2.5, 1, 1});
  expect(run(op_lion, {&p, &bad, &m, &lr}, {}, {0.75, 0.5, 0}), 1, 1, -kInfinity);  // whose sign is finite
  EXPECT_VALUES(m, 0, {2.25, 1, 1});
  for (Op op : {op_rmsprop, op_adagrad}) {
    v = one();
    expect(run(op, {&p, &bad, &v, &lr}, {}, op == op_rmsprop ? std::vector<double>{0.75, 0.1} : std::vector<double>{0.1}), 1, 1, -kInfinity);
    EXPECT_VALUES(v, 0, {op == op_rmsprop ? 1.75 : 5.0, 1, 1});
  }
  for (Op op : {op_adam, op_nadam}) {
    p = one(), m = one(), v = one();
    expect(run(op, {&p, &bad, &m, &v, &lr, &first}, {}, {0.5, 0.5, 0.25, 0}), 1, 1, -kInfinity);
    EXPECT_VALUES(m, 0, {1.5, 1, 1});
    EXPECT_VALUES(v, 0, {2.5, 1, 1});
  }
  p = f64({3}, {1, kInfinity, 1});
  expect(run(op_sgd, {&p, &good, &lr}, {}), 0, 1, kInfinity);
  const Array steep = f64({3}, {1, 1e308, 1e308}), large = f64({}, {100});
  p = one();
  expect(run(op_sgd, {&p, &steep, &large}, {}), 0, -1, kInfinity);  // all operands are finite
  EXPECT_VALUES(p, 0, {-99, 1, 1});
}

TEST("reference: assert_finite names the first that is not") {
  const Array good = f32({3}, {1, -3e38, 0}), bad = f32({2, 2}, {1, 2, kInfinity, kNaN});
  EXPECT(run(op_assert_finite, {&good}, {}).fault == Fault::none);
  const Status status = run(op_assert_finite, {&bad}, {});
  EXPECT(status.fault == Fault::non_finite);
  EXPECT_EQ(status.position, 2);
  EXPECT_EQ(status.value, kInfinity);
}
