// Reference kernels of arithmetic, reductions and views against numbers worked out by hand.
#include "array.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {
constexpr double kTight = 1e-15;
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
