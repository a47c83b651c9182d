// Checks of ops whose operands and outputs share a shape, or rows of one.
// check_shape.cc has the ops that change shapes.
#include "check.h"

#include "requirement.h"

namespace simdnn::check {
namespace {

const char* const kSameShape = "operands and outputs must have the same shape";

// op(a) op(b) fits and has the shape of `out`.
const char* product(const Args& args, const View& out) {
  const View &a = args.in[0], &b = args.in[1];
  REQUIRE(a.rank == 2 && b.rank == 2, "a and b must be matrices");
  REQUIRE(flag(args.attrs[0]) && flag(args.attrs[1]), "transposeA and transposeB must be 0 or 1");
  const int ta = int(args.attrs[0]), tb = int(args.attrs[1]);
  REQUIRE(a.dims[1 - ta] == b.dims[tb], "a's columns must be as many as b's rows");
  REQUIRE(shaped(out, {a.dims[ta], b.dims[1 - tb]}), "the product must be [rows of a, columns of b]");
  return nullptr;
}

const char* all_same_shape(const Args& args, int count) {
  for (int i = 0; i < count; ++i) REQUIRE(same_shape(args.in[i], args.in[0]), kSameShape);
  for (int i = 0; i < args.n_out; ++i) REQUIRE(same_shape(args.out[i], args.in[0]), kSameShape);
  return nullptr;
}

const char* features(const View& view) {
  REQUIRE(view.rank >= 1 && last(view) > 0, "needs a last dimension of at least 1");
  return nullptr;
}

const char* activation_attrs(const Args& args, Activation highest) {
  REQUIRE(integer(args.attrs[0], 0, int(highest)), "activation is out of range");
  return nullptr;
}

const char* counter(const View& view) {
  REQUIRE(view.rank == 0 && view.dtype == DType::int32, "the counter or step must be an int32 scalar");
  return nullptr;
}

const char* seed_and_stream(double seed, double stream) {
  REQUIRE(integer(seed, 0, kMaxInteger), "seed must be an integer in [0, 2^53)");
  REQUIRE(integer(stream, 0, kMaxStream), "stream must be an integer in [0, 2^32)");
  return nullptr;
}

// Class numbers int32[m], or a distribution per row like `probabilities` [m, c].
const char* labels_fit(const View& labels, const View& probabilities) {
  REQUIRE(probabilities.rank == 2, "logits and probabilities must be [examples, classes]");
  PASS(features(probabilities));
  if (labels.dtype == DType::int32) {
    REQUIRE(shaped(labels, {probabilities.dims[0]}), "class numbers must be [examples]");
  } else {
    REQUIRE(labels.dtype == probabilities.dtype && same_shape(labels, probabilities), "labels must be int32 [examples] or like the probabilities");
  }
  return nullptr;
}

// Parameter, gradient and state, and behind them the learning rate.
const char* update(const Args& args, int tensors, int n_attrs) {
  PASS(basics(args, n_attrs));
  PASS(floats(args, tensors));
  PASS(all_same_shape(args, tensors));
  REQUIRE(args.in[tensors].rank == 0 && is_float(args.in[tensors]), "the learning rate must be a floating-point scalar");
  return nullptr;
}

}  // namespace

const char* matmul(const Args& args) {
  PASS(basics(args, 2));
  PASS(floats(args, 2));
  return product(args, args.out[0]);
}

const char* gemm(const Args& args) {
  PASS(basics(args, 4));
  PASS(floats(args, 3));
  return product(args, args.in[2]);
}

const char* dense(const Args& args) {
  const View &input = args.in[0], &weight = args.in[1], &output = args.out[0];
  PASS(basics(args, 2));
  PASS(floats(args, args.n_in));
  PASS(activation_attrs(args, Activation::softplus));
  PASS(features(input));
  PASS(features(output));
  REQUIRE(shaped(weight, {last(input), last(output)}), "weight must be [in, out] with in = the input's last dimension, out = the output's");
  REQUIRE(args.n_in < 3 || shaped(args.in[2], {last(output)}), "bias must be [out]");
  REQUIRE(output.rank == input.rank, "the output must have the input's rank");
  for (int d = 0; d + 1 < input.rank; ++d) REQUIRE(output.dims[d] == input.dims[d], "the output must have the input's leading dimensions");
  return nullptr;
}

const char* dense_grad(const Args& args) {
  const View& dout = args.in[0];
  PASS(basics(args, 2));
  PASS(floats(args, 2));
  PASS(activation_attrs(args, Activation::softplus));
  PASS(features(dout));
  REQUIRE(same_shape(args.in[1], dout) && same_shape(args.out[0], dout), "dout, output and dz must have the same shape");
  REQUIRE(shaped(args.out[1], {last(dout)}), "dbias must be [out]");
  return nullptr;
}

const char* activation(const Args& args) {
  PASS(basics(args, 2));
  PASS(floats(args, args.n_in));
  PASS(activation_attrs(args, Activation::gelu));
  return all_same_shape(args, args.n_in);
}

const char* activation_grad(const Args& args) { return activation(args); }

const char* same(const Args& args) {
  PASS(basics(args, 0));
  PASS(floats(args, args.n_in));
  return all_same_shape(args, args.n_in);
}

const char* add_scaled(const Args& args) {
  PASS(basics(args, 0));
  PASS(floats(args, 3));
  REQUIRE(same_shape(args.in[0], args.in[1]) && same_shape(args.in[0], args.out[0]), "must all have one shape");
  REQUIRE(shaped(args.in[2], {}), "scale must be a scalar");
  return nullptr;
}

const char* rows(const Args& args) {
  PASS(same(args));
  return features(args.in[0]);
}

const char* clip(const Args& args) {
  PASS(basics(args, 2));
  PASS(floats(args, 1));
  return all_same_shape(args, 1);
}

const char* batch_norm(const Args& args) {
  const View& input = args.in[0];
  PASS(basics(args, 2));
  PASS(floats(args, 5));
  PASS(features(input));
  REQUIRE(input.size > last(input), "batch statistics need more than one row");
  REQUIRE(same_shape(args.out[0], input), "the output must have the input's shape");
  for (int i = 1; i < 5; ++i) REQUIRE(shaped(args.in[i], {last(input)}), "gamma, beta and the running statistics must be [features]");
  for (int i = 1; i < 3; ++i) REQUIRE(shaped(args.out[i], {last(input)}), "mean and inverseDeviation must be [features]");
  return nullptr;
}

const char* batch_norm_inference(const Args& args) {
  const View& input = args.in[0];
  PASS(basics(args, 1));
  PASS(floats(args, 5));
  PASS(features(input));
  REQUIRE(same_shape(args.out[0], input), "the output must have the input's shape");
  for (int i = 1; i < 5; ++i) REQUIRE(shaped(args.in[i], {last(input)}), "gamma, beta, mean and variance must be [features]");
  return nullptr;
}

const char* batch_norm_grad(const Args& args) {
  const View& dout = args.in[0];
  PASS(basics(args, 0));
  PASS(floats(args, 5));
  PASS(features(dout));
  REQUIRE(same_shape(args.in[1], dout) && same_shape(args.out[0], dout), "dout, input and dinput must have the same shape");
  for (int i = 2; i < 5; ++i) REQUIRE(shaped(args.in[i], {last(dout)}), "gamma, mean and inverseDeviation must be [features]");
  for (int i = 1; i < 3; ++i) REQUIRE(shaped(args.out[i], {last(dout)}), "dgamma and dbeta must be [features]");
  return nullptr;
}

const char* dropout(const Args& args) {
  PASS(basics(args, 3));
  PASS(floats(args, 1));
  PASS(all_same_shape(args, 1));
  PASS(counter(args.in[1]));
  REQUIRE(args.attrs[0] >= 0 && args.attrs[0] < 1, "rate must be in [0, 1)");
  return seed_and_stream(args.attrs[1], args.attrs[2]);
}

const char* tick(const Args& args) {
  PASS(basics(args, 0));
  PASS(counter(args.in[0]));
  return counter(args.out[0]);
}

const char* random(const Args& args) {
  List shape;
  REQUIRE(shape.read(args, 0) && shape.equals_dims(args.out[0]), "shape must be the output's");
  PASS(basics(args, shape.length + 6));
  PASS(floats(args, 0));
  if (args.n_in) PASS(counter(args.in[0]));
  const double* attrs = shape.values + shape.length;  // a, b, seed, stream, dtype
  REQUIRE(attrs[4] == int(args.out[0].dtype), "dtype must be the output's");
  return seed_and_stream(attrs[2], attrs[3]);
}

const char* softmax_cross_entropy(const Args& args) {
  const View &logits = args.in[0], &loss = args.out[0], &probabilities = args.out[1];
  PASS(basics(args, 0));
  PASS(floats(args, 1));
  PASS(labels_fit(args.in[1], logits));
  REQUIRE(shaped(loss, {logits.dims[0]}), "loss must be [examples]");
  REQUIRE(same_shape(probabilities, logits), "probabilities must have the logits' shape");
  return nullptr;
}

const char* softmax_cross_entropy_grad(const Args& args) {
  const View &dloss = args.in[0], &probabilities = args.in[1], &dlogits = args.out[0];
  PASS(basics(args, 0));
  PASS(floats(args, 2));
  PASS(labels_fit(args.in[2], probabilities));
  REQUIRE(shaped(dloss, {probabilities.dims[0]}), "dloss must be [examples]");
  REQUIRE(same_shape(dlogits, probabilities), "dlogits must have the probabilities' shape");
  return nullptr;
}

const char* sgd(const Args& args) { return update(args, 2, 0); }

const char* momentum(const Args& args) {
  PASS(update(args, 3, 3));
  REQUIRE(flag(args.attrs[1]) && flag(args.attrs[2]), "damped and nesterov must be 0 or 1");
  return nullptr;
}

const char* rmsprop(const Args& args) { return update(args, 3, 2); }

// Adam and its relatives: two moments, and a step behind the learning rate.
const char* adam(const Args& args) {
  PASS(update(args, 4, 4));
  return counter(args.in[5]);
}

const char* adagrad(const Args& args) { return update(args, 3, 1); }

const char* lion(const Args& args) { return update(args, 3, 3); }

const char* float_any(const Args& args) {
  PASS(basics(args, 0));
  return floats(args, 1);
}

}  // namespace simdnn::check
