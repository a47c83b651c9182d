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

// p = exp(x - most) / Σ, most being the largest x; returns the sum.
SIMDNN_INLINE float normalize(const float* x, float most, float* p, int64_t n) {
  if (n <= kLanes) {  // a few classes: no need to go through memory
    const Part at{0, static_cast<int>(n)};
    const vf e = at.or_else(exp(at.load(x) - most), 0.0f);
    const float total = sum(e);
    at.store(p, e * (1 / total));
    return total;
  }
  const float total = sum_of(n, [=](auto at) {
    const vf e = exp(at.load(x) - most);
    at.store(p, e);
    return e;
  });
  each(0, n, [=, factor = 1 / total](auto at) { at.store(p, at.load(p) * factor); });
  return total;
}

void softmax(const Args& args) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  each_row(args, shape, [=](int64_t row) { normalize(in + row * n, max_of(in + row * n, n), out + row * n, n); });
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
    const float log_sum = log(broadcast(sum_of(n, [=](auto at) { return exp(at.load(x) - most); })))[0];
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
// whose terms are positive, so nothing cancels. `row_terms` gives a row's Σ exp, Σ y and Σ y (z - max); logarithms are
// taken of many rows at once.
struct Terms {
  float total, weight, weighted;
};
template <class RowTerms>
SIMDNN_INLINE void each_loss(const Args& args, Matrix shape, float* loss, RowTerms row_terms) {
  parallel(args, shape.rows, grain(shape), [&](int64_t begin, int64_t end) {
    const RowTerms own = row_terms;
    each(begin, end, [&](auto at) {
      float total[kLanes] = {}, weight[kLanes] = {}, weighted[kLanes] = {};
      for (int lane = 0; lane < at.lanes(); lane++) {
        const Terms terms = own(at.i + lane);
        total[lane] = terms.total;
        weight[lane] = terms.weight;
        weighted[lane] = terms.weighted;
      }
      at.store(loss, fma(log(load(total)), load(weight), -load(weighted)));
    });
  });
}

void softmax_cross_entropy(const Args& args) {
  const float* logits = data<float>(args.in[0]);
  float *loss = data<float>(args.out[0]), *probabilities = data<float>(args.out[1]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  if (args.in[1].dtype == DType::int32) {
    const int32_t* labels = data<int32_t>(args.in[1]);
    FirstBadIndex bad;
    each_loss(args, shape, loss, [=, &bad](int64_t row) {
      const float* z = logits + row * n;
      const int32_t label = labels[row];
      if (!bad.check(row, label, n)) return Terms{};
      const float most = max_of(z, n), own = z[label] - most;
      return Terms{normalize(z, most, probabilities + row * n, n), 1, own};
    });
    bad.report(args.status);
    return;
  }
  const float* targets = data<float>(args.in[1]);
  each_loss(args, shape, loss, [=](int64_t row) {
    const float *z = logits + row * n, *y = targets + row * n, most = max_of(z, n);
    const float weight = sum_of(n, [=](auto at) { return at.load(y); });
    const float weighted = sum_of(n, [=](auto at) {
      const vf target = at.load(y);
      return select(target == 0.0f, vf{}, target * (at.load(z) - most));
    });
    return Terms{normalize(z, most, probabilities + row * n, n), weight, weighted};
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
