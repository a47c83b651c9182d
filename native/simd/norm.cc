// Batch normalisation per feature in float32; formulas: reference/norm.cc.
#include "columns.h"
#include "isa.h"

namespace simdnn {
namespace {

void batch_norm(const Args& args) {
  const float *x = data<float>(args.in[0]), *gamma = data<float>(args.in[1]), *beta = data<float>(args.in[2]);
  float *running_mean = data<float>(args.in[3]), *running_variance = data<float>(args.in[4]);
  float *output = data<float>(args.out[0]), *mean = data<float>(args.out[1]), *inverse_deviation = data<float>(args.out[2]);
  const Matrix shape(args.in[0]);
  const float m = static_cast<float>(shape.rows), epsilon = static_cast<float>(args.attrs[1]);
  const float momentum = static_cast<float>(args.attrs[0]), rest = static_cast<float>(1 - args.attrs[0]);
  each_column(args, shape, [=](auto strip) {
    constexpr int width = decltype(strip)::width;
    // The rounded mean may be off by more than a small deviation allows, so the second pass also measures by how much.
    vf center[1][width], moments[2][width];
    strip.sum(center, [=](auto at, auto, vf* term) { *term = at.load(x); });
    unroll<width>([&](auto v) { center[0][v] /= m; });
    strip.sum(moments, [=](auto at, auto v, vf* terms) {
      terms[0] = at.load(x) - center[0][v];
      terms[1] = terms[0] * terms[0];
    });
    vf scale[width], shift[width];
    unroll<width>([&](auto v) {
      const vf offset = moments[0][v] / m, squares = fma(-moments[0][v], offset, moments[1][v]);
      const vf mu = center[0][v] + offset, inverse = 1.0f / sqrt(squares / m + epsilon);
      scale[v] = strip.load(gamma, v) * inverse;
      shift[v] = fma(-offset, scale[v], strip.load(beta, v));
      strip.store(mean, v, mu);
      strip.store(inverse_deviation, v, inverse);
      strip.store(running_mean, v, fma(strip.load(running_mean, v), broadcast(momentum), rest * mu));
      strip.store(running_variance, v, fma(strip.load(running_variance, v), broadcast(momentum), rest * (squares / (m - 1.0f))));
    });
    strip.each([=](auto at, auto v) { at.store(output, fma(at.load(x) - center[0][v], scale[v], shift[v])); });
  });
}

void batch_norm_inference(const Args& args) {
  const float *x = data<float>(args.in[0]), *gamma = data<float>(args.in[1]), *beta = data<float>(args.in[2]);
  const float *mean = data<float>(args.in[3]), *variance = data<float>(args.in[4]);
  float* output = data<float>(args.out[0]);
  const float epsilon = static_cast<float>(args.attrs[0]);
  each_column(args, Matrix(args.in[0]), [=](auto strip) {
    constexpr int width = decltype(strip)::width;
    vf center[width], scale[width], shift[width];
    unroll<width>([&](auto v) {
      center[v] = strip.load(mean, v);
      scale[v] = strip.load(gamma, v) / sqrt(strip.load(variance, v) + epsilon);
      shift[v] = strip.load(beta, v);
    });
    strip.each([=](auto at, auto v) { at.store(output, fma(at.load(x) - center[v], scale[v], shift[v])); });
  });
}

void batch_norm_grad(const Args& args) {
  const float *dout = data<float>(args.in[0]), *x = data<float>(args.in[1]), *gamma = data<float>(args.in[2]);
  const float *mean = data<float>(args.in[3]), *inverse_deviation = data<float>(args.in[4]);
  float *dx = data<float>(args.out[0]), *dgamma = data<float>(args.out[1]), *dbeta = data<float>(args.out[2]);
  const Matrix shape(args.in[0]);
  const float m = static_cast<float>(shape.rows);
  each_column(args, shape, [=](auto strip) {
    constexpr int width = decltype(strip)::width;
    vf center[width], inverse[width], sums[2][width], scale[width];
    unroll<width>([&](auto v) {
      center[v] = strip.load(mean, v);
      inverse[v] = strip.load(inverse_deviation, v);
      scale[v] = strip.load(gamma, v) * inverse[v];
    });
    strip.sum(sums, [=](auto at, auto v, vf* terms) {
      terms[0] = at.load(dout);
      terms[1] = terms[0] * (at.load(x) - center[v]);
    });
    vf average[width], slope[width];  // dx = scale (dout - average - (x - mean) slope)
    unroll<width>([&](auto v) {
      const vf dot = sums[1][v] * inverse[v];
      strip.store(dbeta, v, sums[0][v]);
      strip.store(dgamma, v, dot);
      average[v] = sums[0][v] / m;
      slope[v] = dot * inverse[v] / m;
    });
    strip.each([=](auto at, auto v) { at.store(dx, scale[v] * (fma(center[v] - at.load(x), slope[v], at.load(dout)) - average[v])); });
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_norm)(KernelTable& table) {
  table.f32[op_batch_norm] = batch_norm;
  table.f32[op_batch_norm_inference] = batch_norm_inference;
  table.f32[op_batch_norm_grad] = batch_norm_grad;
}

}  // namespace simdnn
