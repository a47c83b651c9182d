// The softmax family over the last axis and the cross-entropies from logits, in float32; formulas: reference/softmax.cc.
// A row is walked while it is in the first cache, and written only behind what has been read, so all of it works in place.
#include "columns.h"
#include "fault.h"
#include "isa.h"
#include "math.h"

namespace simdnn {
namespace {

// An exponential costs about as much as four plain elements.
SIMDNN_INLINE int64_t grain(Matrix shape) { return row_grain(4 * shape.columns); }

// body(row) on pieces of the rows.
template <class Body>
SIMDNN_INLINE void each_row(const Args& args, Matrix shape, Body body) {
  parallel(args, shape.rows, grain(shape), [&](int64_t begin, int64_t end) {
    const Body own = body;
    for (int64_t row = begin; row < end; row++) own(row);
  });
}

SIMDNN_INLINE float max_of(const float* x, int64_t n) {
  vf most = broadcast(-__builtin_inff());
  each(0, n, [&](auto at) { most = max(at.or_else(at.load(x), -__builtin_inff()), most); });
  return max(most);
}

// Σ term(place)
template <class Term>
SIMDNN_INLINE float sum_of(int64_t n, Term term) {
  vf total = {};
  each(0, n, [&](auto at) { total += at.or_else(term(at), 0.0f); });
  return sum(total);
}

SIMDNN_INLINE float log(float x) { return log(broadcast(x))[0]; }

SIMDNN_INLINE void scale(float* x, int64_t n, float factor) {
  each(0, n, [=](auto at) { at.store(x, at.load(x) * factor); });
}

void softmax(const Args& args) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  each_row(args, shape, [=](int64_t row) {
    const float* x = in + row * n;
    float* p = out + row * n;
    const float most = max_of(x, n);
    const float total = sum_of(n, [=](auto at) {
      const vf e = exp(at.load(x) - most);
      at.store(p, e);
      return e;
    });
    scale(p, n, 1 / total);
  });
}

void softmax_grad(const Args& args) {
  const float *dout = data<float>(args.in[0]), *output = data<float>(args.in[1]);
  float* din = data<float>(args.out[0]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  each_row(args, shape, [=](int64_t row) {
    const float *dy = dout + row * n, *p = output + row * n;
    float* dx = din + row * n;
    const float dot = sum_of(n, [=](auto at) { return at.load(dy) * at.load(p); });
    each(0, n, [=](auto at) { at.store(dx, at.load(p) * (at.load(dy) - dot)); });
  });
}

void log_softmax(const Args& args) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  each_row(args, shape, [=](int64_t row) {
    const float* x = in + row * n;
    float* y = out + row * n;
    const float most = max_of(x, n);
    const float log_sum = log(sum_of(n, [=](auto at) { return exp(at.load(x) - most); }));
    each(0, n, [=](auto at) { at.store(y, at.load(x) - most - log_sum); });
  });
}

void log_softmax_grad(const Args& args) {
  const float *dout = data<float>(args.in[0]), *output = data<float>(args.in[1]);
  float* din = data<float>(args.out[0]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  each_row(args, shape, [=](int64_t row) {
    const float *dy = dout + row * n, *y = output + row * n;
    float* dx = din + row * n;
    const float total = sum_of(n, [=](auto at) { return at.load(dy); });
    each(0, n, [=](auto at) { at.store(dx, fma(exp(at.load(y)), broadcast(-total), at.load(dy))); });
  });
}

// With L = log Σ exp(z - max): loss = L - (z_label - max), or for given probabilities y: L Σ y - Σ y (z - max), both of
// whose terms are positive, so nothing cancels.
void softmax_cross_entropy(const Args& args) {
  const float* logits = data<float>(args.in[0]);
  float *loss = data<float>(args.out[0]), *probabilities = data<float>(args.out[1]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  if (args.in[1].dtype == DType::int32) {
    const int32_t* labels = data<int32_t>(args.in[1]);
    FirstBadIndex bad;
    each_row(args, shape, [=, &bad](int64_t row) {
      const float* z = logits + row * n;
      float* p = probabilities + row * n;
      const int32_t label = labels[row];
      if (!bad.check(row, label, n)) return;
      const float most = max_of(z, n), own = z[label] - most;
      const float total = sum_of(n, [=](auto at) {
        const vf e = exp(at.load(z) - most);
        at.store(p, e);
        return e;
      });
      scale(p, n, 1 / total);
      loss[row] = log(total) - own;
    });
    bad.report(args.status);
    return;
  }
  const float* targets = data<float>(args.in[1]);
  each_row(args, shape, [=](int64_t row) {
    const float *z = logits + row * n, *y = targets + row * n;
    float* p = probabilities + row * n;
    const float most = max_of(z, n);
    vf weight = {}, weighted = {};
    const float total = sum_of(n, [&](auto at) {
      const vf target = at.load(y), x = at.load(z) - most, e = exp(x);
      weight += target;
      weighted += select(target == 0.0f, vf{}, target * x);
      at.store(p, e);
      return e;
    });
    scale(p, n, 1 / total);
    loss[row] = log(total) * sum(weight) - sum(weighted);
  });
}

void softmax_cross_entropy_grad(const Args& args) {
  const float *dloss = data<float>(args.in[0]), *probabilities = data<float>(args.in[1]);
  float* dlogits = data<float>(args.out[0]);
  const Matrix shape(args.in[1]);
  const int64_t n = shape.columns;
  if (args.in[2].dtype == DType::int32) {
    const int32_t* labels = data<int32_t>(args.in[2]);
    FirstBadIndex bad;
    each_row(args, shape, [=, &bad](int64_t row) {
      const float* p = probabilities + row * n;
      float* dz = dlogits + row * n;
      const int32_t label = labels[row];
      if (!bad.check(row, label, n)) return;
      const float factor = dloss[row], own = factor * (p[label] - 1);
      each(0, n, [=](auto at) { at.store(dz, at.load(p) * factor); });
      dz[label] = own;
    });
    bad.report(args.status);
    return;
  }
  const float* targets = data<float>(args.in[2]);
  each_row(args, shape, [=](int64_t row) {
    const float *p = probabilities + row * n, *y = targets + row * n, factor = dloss[row];
    float* dz = dlogits + row * n;
    const float weight = sum_of(n, [=](auto at) { return at.load(y); });
    each(0, n, [=](auto at) { at.store(dz, factor * fma(at.load(p), broadcast(weight), -at.load(y))); });
  });
}

void sigmoid_cross_entropy(const Args& args) {
  const float *logits = data<float>(args.in[0]), *targets = data<float>(args.in[1]);
  float* loss = data<float>(args.out[0]);
  each(args, args.out[0].size, [=](auto at) {
    const vf z = at.load(logits);
    at.store(loss, fma(-z, at.load(targets), softplus(z)));
  });
}

void sigmoid_cross_entropy_grad(const Args& args) {
  const float *dloss = data<float>(args.in[0]), *logits = data<float>(args.in[1]), *targets = data<float>(args.in[2]);
  float* dlogits = data<float>(args.out[0]);
  each(args, args.out[0].size, [=](auto at) { at.store(dlogits, at.load(dloss) * (sigmoid(at.load(logits)) - at.load(targets))); });
}

}  // namespace

void SIMDNN_FOR_ISA(override_softmax)(KernelTable& table) {
  table.f32[op_softmax] = softmax;
  table.f32[op_softmax_grad] = softmax_grad;
  table.f32[op_log_softmax] = log_softmax;
  table.f32[op_log_softmax_grad] = log_softmax_grad;
  table.f32[op_softmax_cross_entropy] = softmax_cross_entropy;
  table.f32[op_softmax_cross_entropy_grad] = softmax_cross_entropy_grad;
  table.f32[op_sigmoid_cross_entropy] = sigmoid_cross_entropy;
  table.f32[op_sigmoid_cross_entropy_grad] = sigmoid_cross_entropy_grad;
}

}  // namespace simdnn
