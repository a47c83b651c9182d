// What checks say: the hostile test shows that they refuse enough, this one that they say why and do not refuse too much.
#include "array.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

// The reason for which an op refuses its operands, or "".
std::string refusal(Op op, std::vector<const Array*> in, std::vector<Array*> out, std::vector<double> attrs = {}) {
  try {
    run(op, in, out, attrs);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace

TEST("check: names what does not fit") {
  Array a = f32({2, 3}), b = f32({2, 3}), wide = f64({2, 3}), row = f32({3}), number = f32({}), whole = i32({2});
  EXPECT_EQ(refusal(op_matmul, {&a, &b}, {&number}, {0, 0}), "matmul: a's columns must be as many as b's rows");
  EXPECT_EQ(refusal(op_dense, {&a, &b}, {&a}, {0, 0}), "dense: weight must be [in, out] with in = the input's last dimension, out = the output's");
  EXPECT_EQ(refusal(op_dense, {&a, &b}, {&a}, {8, 0}), "dense: activation is out of range");
  EXPECT_EQ(refusal(op_add, {&a, &wide}, {&a}), "add: floating-point operands must have the output's dtype");
  EXPECT_EQ(refusal(op_add, {&a, &row}, {&row}), "add: the output must have the higher rank");
  EXPECT_EQ(refusal(op_exp, {&whole}, {&whole}), "exp: needs float32 or float64");
  EXPECT_EQ(refusal(op_sum, {&a}, {&number}, {2, 0, 0, 0}), "sum: an axis occurs twice");
  EXPECT_EQ(refusal(op_sum, {&a}, {&number}, {2, 0, 1}), "sum: wrong number of attributes");
  EXPECT_EQ(refusal(op_batch_norm_inference, {&a, &row, &row, &row, &number}, {&b}, {1e-3}),
            "batch_norm_inference: gamma, beta, mean and variance must be [features]");
}

TEST("check: attributes must be in range before anything is converted") {
  Array x = f32({2}), y = f32({2}), counter = i32({});
  const auto dropout = [&](double rate, double seed, double stream) { return refusal(op_dropout, {&x, &counter}, {&y}, {rate, seed, stream}); };
  EXPECT_EQ(dropout(0.5, 9007199254740991, 4294967295), "");
  for (double rate : {-0.1, 1.0, kNaN}) EXPECT_EQ(dropout(rate, 0, 0), "dropout: rate must be in [0, 1)");
  for (double seed : {-1.0, 0.5, 9007199254740992.0, kNaN, kInfinity}) EXPECT_EQ(dropout(0, seed, 0), "dropout: seed must be an integer in [0, 2^53)");
  for (double stream : {-1.0, 4294967296.0, kNaN}) EXPECT_EQ(dropout(0, 0, stream), "dropout: stream must be an integer in [0, 2^32)");
  for (double kind : {-1.0, 8.5, 9.0, 1e300, kNaN}) EXPECT_EQ(refusal(op_activation, {&x}, {&y}, {kind, 0}), "activation: activation is out of range");
}

TEST("check: empty batches pass, empty features and statistics of one row do not") {
  Array none = f32({0, 3}), out = f32({0, 2}), weight = f32({3, 2}), flat = f32({2, 0}), row = f32({1, 3}), row_out = row, vector = f32({3}), number = f32({});
  EXPECT_EQ(refusal(op_dense, {&none, &weight}, {&out}, {0, 0}), "");
  EXPECT_EQ(refusal(op_softmax, {&none}, {&none}), "");
  EXPECT_EQ(refusal(op_softmax, {&flat}, {&flat}), "softmax: needs a last dimension of at least 1");
  EXPECT_EQ(refusal(op_batch_norm, {&row, &vector, &vector, &vector, &vector}, {&row_out, &vector, &vector}, {0.9, 1e-3}),
            "batch_norm: batch statistics need more than one row");
  EXPECT_EQ(refusal(op_sum, {&none}, {&number}, {2, 0, 1, 0}), "");
  EXPECT_EQ(refusal(op_max, {&none}, {&number}, {2, 0, 1, 0}), "max: there is no maximum of nothing");
}

TEST("check: operands of rank 0 to 6") {
  const std::vector<int64_t> dims = {1, 2, 1, 3, 2, 2};
  for (int rank = 0; rank <= kMaxRank; rank++) {
    Array x = f32({dims.begin(), dims.begin() + rank}), y = x;
    EXPECT_EQ(refusal(op_neg, {&x}, {&y}), "");
    EXPECT_EQ(refusal(op_add, {&x, &x}, {&y}), "");
    EXPECT_EQ(refusal(op_dense, {&x, &x}, {&y}, {0, 0}).empty(), false);
    EXPECT_EQ(refusal(op_softmax, {&x}, {&y}), rank ? "" : "softmax: needs a last dimension of at least 1");
  }
}
