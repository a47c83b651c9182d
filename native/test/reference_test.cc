// Reference kernels against numbers worked out by hand, in both precisions where it matters.
#include <limits>

#include "../reference/philox.h"
#include "array.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTight = 1e-15;

Array f64(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::float64, dims, values); }
Array f32(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::float32, dims, values); }
Array i32(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::int32, dims, values); }
Array u8(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::uint8, dims, values); }

}  // namespace

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

TEST("reference: Philox4x32-10 gives its published vectors") {
  struct {
    PhiloxWords counter;
    uint32_t key[2];
    uint32_t wanted[4];
  } vectors[] = {
      {{{0, 0, 0, 0}}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{{~0u, ~0u, ~0u, ~0u}}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& vector : vectors) {
    const PhiloxWords words = philox(vector.counter, vector.key[0], vector.key[1]);
    for (int i = 0; i < 4; i++) EXPECT_EQ(words.word[i], vector.wanted[i]);
  }
}

TEST("reference: which bits belong to which element") {
  // 16 neighbouring blocks, word by word, lower halves first.
  const int64_t half_elements[] = {0, 15, 16, 32, 127, 128};
  const PhiloxLane halves[] = {{0, 0, 0}, {15, 0, 0}, {0, 0, 16}, {0, 1, 0}, {15, 3, 16}, {16, 0, 0}};
  const int64_t word_elements[] = {0, 15, 16, 63, 64, 81};
  const PhiloxLane words[] = {{0, 0, 0}, {15, 0, 0}, {0, 1, 0}, {15, 3, 0}, {16, 0, 0}, {17, 1, 0}};
  for (int i = 0; i < 6; i++) {
    const PhiloxLane half = half_lane(half_elements[i]), word = word_lane(word_elements[i]);
    EXPECT(half.block == halves[i].block && half.word == halves[i].word && half.shift == halves[i].shift);
    EXPECT(word.block == words[i].block && word.word == words[i].word && word.shift == words[i].shift);
  }
}

TEST("reference: dropout by the published bits") {
  // Seed 0, stream 0, step 0: element 0 has the low half 0xe8d5 of block 0's first word, element 16 its high half 0x6627.
  Array x = f32({17}), y = f32({17});
  for (int i = 0; i < 17; i++) x.set(i, 3);
  const Array counter = i32({}, {0});
  run(op_dropout, {&x, &counter}, {&y}, {0x6627 / 65536.0, 0, 0});
  EXPECT_EQ(y[16], double(3 * float(1 / (1 - 0x6627 / 65536.0))));
  run(op_dropout, {&x, &counter}, {&y}, {0x6628 / 65536.0, 0, 0});
  EXPECT_EQ(y[16], 0);
  EXPECT_EQ(y[0], double(3 * float(1 / (1 - 0x6628 / 65536.0))));
}

TEST("reference: dropout drops its rate, and another mask for another seed, stream and step") {
  constexpr int kCount = 65536;
  Array x = f32({kCount}), first = f32({kCount}), y = f32({kCount});
  for (int i = 0; i < kCount; i++) x.set(i, 1);
  const auto drop = [&](Array& out, double step, double seed, double stream) {
    const Array counter = i32({}, {step});
    run(op_dropout, {&x, &counter}, {&out}, {0.25, seed, stream});
  };
  drop(first, 0, 1, 2);
  int zeros = 0;
  for (int i = 0; i < kCount; i++) zeros += first[i] == 0;
  EXPECT_NEAR(zeros, kCount * 0.25, 5 * std::sqrt(kCount * 0.25 * 0.75));
  const double others[][3] = {{1, 1, 2}, {0, 2, 2}, {0, 1, 3}, {0, 1 + 4294967296.0, 2}, {-1, 1, 2}};
  for (const auto& other : others) {
    drop(y, other[0], other[1], other[2]);
    int both = 0;
    for (int i = 0; i < kCount; i++) both += first[i] == 0 && y[i] == 0;
    EXPECT_NEAR(both, kCount / 16.0, 5 * std::sqrt(kCount / 16.0));
  }
}

TEST("reference: tick gives the old value and counts on, past the end of int32 too") {
  Array counter = i32({}, {41}), old = i32({});
  run(op_tick, {&counter}, {&old});
  EXPECT_VALUES(old, 0, {41});
  EXPECT_VALUES(counter, 0, {42});
  counter.set(0, 2147483647);
  run(op_tick, {&counter}, {&old});
  EXPECT_VALUES(counter, 0, {-2147483648.0});
}

TEST("reference: random_uniform by the published bits, and its moments") {
  Array u = f64({65536});
  run(op_random_uniform, {}, {&u}, {1, 65536, -1, 3, 0, 0, 1});
  EXPECT_EQ(u[0], -1 + 4 * (0x6627e8 * 0x1p-24));
  EXPECT_EQ(u[16], -1 + 4 * (0xe169c5 * 0x1p-24));
  double sum = 0, squares = 0;
  for (int i = 0; i < 65536; i++) {
    EXPECT(u[i] >= -1 && u[i] < 3);
    sum += u[i];
    squares += (u[i] - 1) * (u[i] - 1);
  }
  EXPECT_NEAR(sum / 65536, 1, 5 * 4 / std::sqrt(12.0 * 65536));
  EXPECT_NEAR(squares / 65536, 16 / 12.0, 0.03);
}

TEST("reference: random_normal has its moments and follows its counter") {
  constexpr int kCount = 65536;
  Array n = f32({256, 256}), again = f32({256, 256});
  const std::vector<double> attrs = {2, 256, 256, 3, 2, 7, 9, 0};
  const Array zero = i32({}, {0}), one = i32({}, {1});
  run(op_random_normal, {}, {&n}, attrs);
  run(op_random_normal, {&zero}, {&again}, attrs);
  double moments[5] = {};
  for (int i = 0; i < kCount; i++) {
    EXPECT_EQ(n[i], again[i]);
    for (int k = 1; k < 5; k++) moments[k] += std::pow((n[i] - 3) / 2, k) / kCount;
  }
  const double wanted[] = {0, 0, 1, 0, 3}, deviations[] = {0, 1, 2, 15, 96};  // variances of x^k: 1, 2, 15, 96
  for (int k = 1; k < 5; k++) EXPECT_NEAR(moments[k], wanted[k], 5 * std::sqrt(deviations[k] / kCount));
  run(op_random_normal, {&one}, {&again}, attrs);
  double product = 0;
  for (int i = 0; i < kCount; i++) product += (n[i] - 3) * (again[i] - 3) / 4 / kCount;
  EXPECT_NEAR(product, 0, 5 / std::sqrt(double(kCount)));
}

TEST("reference: binary ops broadcast") {
  const Array a = f64({2, 1}, {8, 2}), b = f64({3}, {1, 2, 4});
  Array out = f64({2, 3});
  const auto binary = [&](Op op) { run(op, {&a, &b}, {&out}); };
  binary(op_add);
  EXPECT_VALUES(out, 0, {9, 10, 12, 3, 4, 6});
  binary(op_sub);
  EXPECT_VALUES(out, 0, {7, 6, 4, 1, 0, -2});
  binary(op_mul);
  EXPECT_VALUES(out, 0, {8, 16, 32, 2, 4, 8});
  binary(op_div);
  EXPECT_VALUES(out, 0, {8, 4, 2, 2, 1, 0.5});
  binary(op_pow);
  EXPECT_VALUES(out, 1e-12, {8, 64, 4096, 2, 4, 16});
  binary(op_maximum);
  EXPECT_VALUES(out, 0, {8, 8, 8, 2, 2, 4});
  binary(op_minimum);
  EXPECT_VALUES(out, 0, {1, 2, 4, 1, 2, 2});
  binary(op_equal);
  EXPECT_VALUES(out, 0, {0, 0, 0, 0, 1, 0});
  binary(op_greater);
  EXPECT_VALUES(out, 0, {1, 1, 1, 1, 0, 0});
  binary(op_greater_equal);
  EXPECT_VALUES(out, 0, {1, 1, 1, 1, 1, 0});
}

TEST("reference: class numbers compare exactly") {
  const Array a = i32({2}, {16777217, 3}), b = i32({2}, {16777216, 3});
  Array out = f32({2});
  run(op_equal, {&a, &b}, {&out});
  EXPECT_VALUES(out, 0, {0, 1});
}

TEST("reference: unary ops, select and clip in place") {
  const double e = std::exp(1.0);
  Array x = f64({4}, {-1, 0, 1, 4}), y = f64({4});
  const auto unary = [&](Op op) { run(op, {&x}, {&y}); };
  unary(op_neg);
  EXPECT_VALUES(y, 0, {1, 0, -1, -4});
  unary(op_exp);
  EXPECT_VALUES(y, 1e-13, {1 / e, 1, e, e * e * e * e});
  unary(op_log);
  EXPECT_VALUES(y, kTight, {kNaN, -kInfinity, 0, std::log(4.0)});
  unary(op_sqrt);
  EXPECT_VALUES(y, 0, {kNaN, 0, 1, 2});
  unary(op_square);
  EXPECT_VALUES(y, 0, {1, 0, 1, 16});
  unary(op_abs);
  EXPECT_VALUES(y, 0, {1, 0, 1, 4});
  unary(op_sign);
  EXPECT_VALUES(y, 0, {-1, 0, 1, 1});
  const Array a = f64({4}, {1, 2, 3, 4}), b = f64({4}, {5, 6, 7, 8});
  run(op_select, {&x, &a, &b}, {&y});
  EXPECT_VALUES(y, 0, {1, 6, 3, 4});
  run(op_clip, {&x}, {&x}, {-0.5, 2});
  EXPECT_VALUES(x, 0, {-0.5, 0, 1, 2});
}

TEST("reference: reductions over axes") {
  const Array x = f64({2, 3}, {1, 5, 3, 4, 5, 6});
  Array all = f64({}), rows = f64({2, 1}), columns = f64({3}), same = f64({2, 3}), first = i32({2});
  run(op_sum, {&x}, {&all}, {2, 0, 1, 0});
  EXPECT_VALUES(all, 0, {24});
  run(op_sum, {&x}, {&rows}, {1, 1, 1});
  EXPECT_VALUES(rows, 0, {9, 15});
  run(op_mean, {&x}, {&columns}, {1, 0, 0});
  EXPECT_VALUES(columns, 0, {2.5, 5, 4.5});
  run(op_sum, {&x}, {&same}, {0, 0});
  EXPECT_VALUES(same, 0, {1, 5, 3, 4, 5, 6});
  run(op_max, {&x}, {&columns}, {1, 0, 0});
  EXPECT_VALUES(columns, 0, {4, 5, 6});
  run(op_squared_norm, {&x}, {&all});
  EXPECT_VALUES(all, 0, {112});
  const Array ties = f64({2, 3}, {1, 5, 5, 6, 5, 6}), dout = f64({2, 1}, {3, 4});
  run(op_argmax, {&ties}, {&first}, {1});
  EXPECT_VALUES(first, 0, {1, 0});
  run(op_max, {&ties}, {&rows}, {1, 1, 1});
  run(op_max_grad, {&dout, &ties, &rows}, {&same}, {1, 1, 1});
  EXPECT_VALUES(same, 0, {0, 1.5, 1.5, 2, 0, 2});
}

TEST("reference: reductions of the middle of three axes, and of nothing") {
  const Array x = f64({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), none = f64({0, 2});
  Array out = f64({2, 2}), two = f64({2});
  run(op_sum, {&x}, {&out}, {1, 1, 0});
  EXPECT_VALUES(out, 0, {4, 6, 12, 14});
  run(op_mean, {&x}, {&two}, {2, 0, 2, 0});
  EXPECT_VALUES(two, 0, {3.5, 5.5});
  run(op_sum, {&none}, {&two}, {1, 0, 0});
  EXPECT_VALUES(two, 0, {0, 0});
  run(op_mean, {&none}, {&two}, {1, 0, 0});
  EXPECT_VALUES(two, 0, {kNaN, kNaN});
}

TEST("reference: ops that move data, for every dtype") {
  for (DType dtype : {DType::float32, DType::float64, DType::int32, DType::uint8}) {
    const Array x(dtype, {2, 3}, {1, 2, 3, 4, 5, 6}), row(dtype, {1, 3}, {7, 8, 9});
    Array flipped(dtype, {3, 2}), part(dtype, {1, 2}), padded(dtype, {3, 4}), joined(dtype, {3, 3}), wide(dtype, {2, 2, 3}), copy(dtype, {2, 3});
    run(op_transpose, {&x}, {&flipped}, {2, 1, 0});
    EXPECT_VALUES(flipped, 0, {1, 4, 2, 5, 3, 6});
    run(op_slice, {&x}, {&part}, {2, 1, 1, 2, 1, 2});
    EXPECT_VALUES(part, 0, {5, 6});
    for (int i = 0; i < 12; i++) padded.set(i, 99);
    run(op_pad, {&x}, {&padded}, {2, 1, 1, 2, 3, 4});
    EXPECT_VALUES(padded, 0, {0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6});
    run(op_concat, {&x, &row}, {&joined}, {0});
    EXPECT_VALUES(joined, 0, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    run(op_broadcast_to, {&row}, {&wide}, {3, 2, 2, 3});
    EXPECT_VALUES(wide, 0, {7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9});
    run(op_assign, {&copy, &x}, {});
    EXPECT_VALUES(copy, 0, {1, 2, 3, 4, 5, 6});
  }
}

TEST("reference: concat along the last axis, transpose of three axes") {
  const Array a = f64({2, 1}, {1, 2}), b = f64({2, 2}, {3, 4, 5, 6}), x = f64({2, 1, 3}, {1, 2, 3, 4, 5, 6});
  Array joined = f64({2, 3}), turned = f64({3, 2, 1});
  run(op_concat, {&a, &b}, {&joined}, {1});
  EXPECT_VALUES(joined, 0, {1, 3, 4, 2, 5, 6});
  run(op_transpose, {&x}, {&turned}, {3, 2, 0, 1});
  EXPECT_VALUES(turned, 0, {1, 4, 2, 5, 3, 6});
}

TEST("reference: gather converts rows, gather_grad adds them") {
  const Array pixels = u8({3, 2}, {0, 255, 10, 20, 30, 40}), order = i32({4}, {2, 0, 2, 1});
  Array batch = f32({4, 2});
  run(op_gather, {&pixels, &order}, {&batch}, {0});
  EXPECT_VALUES(batch, 0, {30, 40, 0, 255, 30, 40, 10, 20});
  Array dsource = f32({3, 2});
  run(op_gather_grad, {&batch, &order}, {&dsource}, {3});
  EXPECT_VALUES(dsource, 0, {0, 255, 10, 20, 60, 80});
  const Array wrong = i32({4}, {0, 1, 3, -7});
  for (const Status& status : {run(op_gather, {&pixels, &wrong}, {&batch}, {0}), run(op_gather_grad, {&batch, &wrong}, {&dsource}, {3})}) {
    EXPECT(status.fault == Fault::index_out_of_range);
    EXPECT_EQ(status.position, 2);
    EXPECT_EQ(status.value, 3);
  }
}

TEST("reference: cast cuts off fractions and stops at the ends of a range") {
  const Array x = f64({7}, {-1.9, 2.9, 255.5, 1e300, -kInfinity, kNaN, -2147483648.0});
  Array whole = i32({7}), byte = u8({7}), single = f32({7});
  run(op_cast, {&x}, {&whole}, {2});
  EXPECT_VALUES(whole, 0, {-1, 2, 255, 2147483647, -2147483648.0, 0, -2147483648.0});
  run(op_cast, {&x}, {&byte}, {3});
  EXPECT_VALUES(byte, 0, {0, 2, 255, 255, 0, 0, 0});
  run(op_cast, {&byte}, {&single}, {0});
  EXPECT_VALUES(single, 0, {0, 2, 255, 255, 0, 0, 0});
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

TEST("reference: assert_finite names the first that is not") {
  const Array good = f32({3}, {1, -3e38, 0}), bad = f32({2, 2}, {1, 2, kInfinity, kNaN});
  EXPECT(run(op_assert_finite, {&good}, {}).fault == Fault::none);
  const Status status = run(op_assert_finite, {&bad}, {});
  EXPECT(status.fault == Fault::non_finite);
  EXPECT_EQ(status.position, 2);
  EXPECT_EQ(status.value, kInfinity);
}
