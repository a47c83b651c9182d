// Batch normalisation per feature in float32; formulas: reference/norm.cc.
#include "columns.h"
#include "isa.h"

namespace simdnn {
namespace {

// Row vectors in the scratch memory, between the sums over columns and the pass over rows.
int64_t scratch_vectors(const Args& args, int64_t count) { return count * Matrix(args.in[0]).columns * static_cast<int64_t>(sizeof(float)); }
float* scratch_vector(const Args& args, int64_t i) { return static_cast<float*>(args.scratch) + i * Matrix(args.in[0]).columns; }

// output = (x - center) scale + shift for some columns
SIMDNN_INLINE void normalize(Matrix shape, int64_t begin, int64_t end, const float* x, const float* center, const float* scale, const float* shift,
                             float* output) {
  each_row_part(shape, begin, end,
                [=](auto at, auto in_row) { at.store(output, fma(at.load(x) - in_row.load(center), in_row.load(scale), in_row.load(shift))); });
}

int64_t batch_norm_scratch(const Args& args) { return scratch_vectors(args, 3); }

void batch_norm(const Args& args) {
  const float *x = data<float>(args.in[0]), *gamma = data<float>(args.in[1]), *beta = data<float>(args.in[2]);
  float *running_mean = data<float>(args.in[3]), *running_variance = data<float>(args.in[4]);
  float *output = data<float>(args.out[0]), *mean = data<float>(args.out[1]), *inverse_deviation = data<float>(args.out[2]);
  const Matrix shape(args.in[0]);
  const float m = static_cast<float>(shape.rows), epsilon = static_cast<float>(args.attrs[1]);
  const float momentum = static_cast<float>(args.attrs[0]), rest = static_cast<float>(1 - args.attrs[0]);
  float *centers = scratch_vector(args, 0), *scales = scratch_vector(args, 1), *shifts = scratch_vector(args, 2);
  const auto measure = [=](auto strip) {
    constexpr int width = decltype(strip)::width;
    // The rounded mean may be off by more than a small deviation allows, so the second pass also measures by how much.
    vf center[1][width], moments[2][width];
    strip.sum(center, [=](auto at, auto, vf* term) { *term = at.load(x); });
    unroll<width>([&](auto v) { center[0][v] /= m; });
    strip.sum(moments, [=](auto at, auto v, vf* terms) {
      terms[0] = at.load(x) - center[0][v];
      terms[1] = terms[0] * terms[0];
    });
    unroll<width>([&](auto v) {
      const vf offset = moments[0][v] / m, squares = fma(-moments[0][v], offset, moments[1][v]);
      const vf mu = center[0][v] + offset, inverse = 1.0f / sqrt(squares / m + epsilon);
      const vf scale = strip.load(gamma, v) * inverse;
      strip.store(centers, v, center[0][v]);
      strip.store(scales, v, scale);
      strip.store(shifts, v, fma(-offset, scale, strip.load(beta, v)));
      strip.store(mean, v, mu);
      strip.store(inverse_deviation, v, inverse);
      strip.store(running_mean, v, fma(strip.load(running_mean, v), broadcast(momentum), rest * mu));
      strip.store(running_variance, v, fma(strip.load(running_variance, v), broadcast(momentum), rest * (squares / (m - 1.0f))));
    });
  };
  each_column_piece(args, shape, [=](int64_t begin, int64_t end) {
    each_column(shape, begin, end, measure);
    normalize(shape, begin, end, x, centers, scales, shifts, output);
  });
}

int64_t batch_norm_inference_scratch(const Args& args) { return scratch_vectors(args, 1); }

void batch_norm_inference(const Args& args) {
  const float *x = data<float>(args.in[0]), *gamma = data<float>(args.in[1]), *beta = data<float>(args.in[2]);
  const float *mean = data<float>(args.in[3]), *variance = data<float>(args.in[4]);
  float* output = data<float>(args.out[0]);
  const float epsilon = static_cast<float>(args.attrs[0]);
  const Matrix shape(args.in[0]);
  float* scales = scratch_vector(args, 0);
  each_column_piece(args, shape, [=](int64_t begin, int64_t end) {
    each(begin, end, [=](auto at) { at.store(scales, at.load(gamma) / sqrt(at.load(variance) + epsilon)); });
    normalize(shape, begin, end, x, mean, scales, beta, output);
  });
}

int64_t batch_norm_grad_scratch(const Args& args) { return scratch_vectors(args, 3); }

void batch_norm_grad(const Args& args) {
  const float *dout = data<float>(args.in[0]), *x = data<float>(args.in[1]), *gamma = data<float>(args.in[2]);
  const float *mean = data<float>(args.in[3]), *inverse_deviation = data<float>(args.in[4]);
  float *dx = data<float>(args.out[0]), *dgamma = data<float>(args.out[1]), *dbeta = data<float>(args.out[2]);
  const Matrix shape(args.in[0]);
  const float m = static_cast<float>(shape.rows);
  float *averages = scratch_vector(args, 0), *slopes = scratch_vector(args, 1), *scales = scratch_vector(args, 2);
  const auto measure = [=](auto strip) {
    constexpr int width = decltype(strip)::width;
    vf center[width], sums[2][width];
    unroll<width>([&](auto v) { center[v] = strip.load(mean, v); });
    strip.sum(sums, [=](auto at, auto v, vf* terms) {
      terms[0] = at.load(dout);
      terms[1] = terms[0] * (at.load(x) - center[v]);
    });
    unroll<width>([&](auto v) {
      const vf inverse = strip.load(inverse_deviation, v), dot = sums[1][v] * inverse;
      strip.store(dbeta, v, sums[0][v]);
      strip.store(dgamma, v, dot);
      strip.store(averages, v, sums[0][v] / m);
      strip.store(slopes, v, dot * inverse / m);
      strip.store(scales, v, strip.load(gamma, v) * inverse);
    });
  };
  each_column_piece(args, shape, [=](int64_t begin, int64_t end) {
    each_column(shape, begin, end, measure);
    // dx = scale (dout - average - (x - mean) slope)
    each_row_part(shape, begin, end, [=](auto at, auto in_row) {
      const vf rest = fma(in_row.load(mean) - at.load(x), in_row.load(slopes), at.load(dout)) - in_row.load(averages);
      at.store(dx, in_row.load(scales) * rest);
    });
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_norm)(KernelTable& table) {
  table.f32[op_batch_norm] = batch_norm, table.scratch32[op_batch_norm] = batch_norm_scratch;
  table.f32[op_batch_norm_inference] = batch_norm_inference, table.scratch32[op_batch_norm_inference] = batch_norm_inference_scratch;
  table.f32[op_batch_norm_grad] = batch_norm_grad, table.scratch32[op_batch_norm_grad] = batch_norm_grad_scratch;
}

}  // namespace simdnn
