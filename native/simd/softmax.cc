// The softmax family over the last axis and the cross-entropies from logits, in float32; formulas: reference/softmax.cc.
// A row is walked while it is in the first cache, and written only behind what has been read, so all of it works in place.
//
// Error of a probability: at most |x - max| + 12 ULP. x - max is rounded to half a unit, by whose absolute size the exponential is off; then
// 2 for the exponential, 1 each for the reciprocal of the sum and the product, and for the sum 2 of its exponentials, log n (Σ p |x - max|
// is no larger) and log₂ of the lanes for adding them up: 12 for 10 classes. With many classes there are more additions, whose
// roundings cancel out rather than add up.
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

// Σ term(place), by blocks, which keeps the rounding error from growing with n.
template <class Term>
SIMDNN_INLINE float sum_of(int64_t n, Term term) {
  constexpr int64_t kBlock = 64 * kLanes;
  vf total = {};
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    vf block = {};
    each(begin, n - begin < kBlock ? n : begin + kBlock, [&](auto at) { block += at.or_else(term(at), 0.0f); });
    total += block;
  }
  return sum(total);
}

constexpr int kRows = 4 * kLanes;  // at a time: many enough that what one pass has stored is no longer on its way when the next reads it

// Up to kRows rows of `vectors` vectors each, the last of which may be partial; 0 stands for rows of any length. Folding the
// lanes of many rows together costs a quarter of folding one after the other, and comes to the same bits.
template <int vectors>
struct Rows {
  const float* x;
  int64_t n;
  int rows;

  int last() const { return static_cast<int>(n) - (vectors - 1) * kLanes; }
  SIMDNN_METHOD vf load_part(const float* from, int r, int v) const {
    const float* part = from + r * n + v * kLanes;
    return v + 1 < vectors ? load(part) : load(part, first(last()));
  }
  SIMDNN_METHOD void store_part(float* to, int r, int v, vf y) const {
    float* part = to + r * n + v * kLanes;
    v + 1 < vectors ? store(part, y) : store(part, y, first(last()));
  }

  // totals[r] = of row r, whose empty lanes are `none`
  template <class Add>
  SIMDNN_METHOD void fold(const float* from, vf none, float* totals, Add add) const {
    for (int begin = 0; begin < rows; begin += kLanes) {
      vf row[kLanes];
      SIMDNN_UNROLL for (int r = 0; r < kLanes; r++) {
        row[r] = vf{};
        if (begin + r >= rows) continue;
        row[r] = select(iota() < last(), load_part(from, begin + r, vectors - 1), none);
        for (int v = vectors - 2; v >= 0; v--) row[r] = add(load_part(from, begin + r, v), row[r]);
      }
      store(totals + begin, fold_rows(row, add));
    }
  }

  SIMDNN_METHOD void largest(float* most) const {
    fold(x, broadcast(-__builtin_inff()), most, [](vf a, vf b) { return max(a, b); });
  }

  // p = exp(x - most) / Σ. The exponentials are taken of all rows in one piece, so that no lane is empty.
  SIMDNN_METHOD void normalize(const float* most, float* p, float* totals) const {
    alignas(64) float e[kRows * vectors * kLanes + 2 * kLanes], factor[kRows];
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < vectors; v++) store(e + r * n + v * kLanes, load_part(x, r, v) - most[r]);  // the next row covers what is too much
    store(e + rows * n, vf{});
    for (int64_t i = 0; i < rows * n; i += kLanes) store(e + i, exp(load(e + i)));
    fold(e, vf{}, totals, [](vf a, vf b) { return a + b; });
    for (int r = 0; r < rows; r += kLanes) store(factor + r, 1.0f / load(totals + r));
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < vectors; v++) store_part(p, r, v, load(e + r * n + v * kLanes) * factor[r]);
  }
};

template <>
struct Rows<0> {
  const float* x;
  int64_t n;
  int rows;

  void largest(float* most) const {
    for (int r = 0; r < rows; r++) most[r] = max_of(x + r * n, n);
  }
  void normalize(const float* most, float* p, float* totals) const {
    for (int r = 0; r < rows; r++) {
      const float *from = x + r * n, shift = most[r];
      float* to = p + r * n;
      totals[r] = sum_of(n, [=](auto at) {
        const vf e = exp(at.load(from) - shift);
        at.store(to, e);
        return e;
      });
      each(0, n, [=, factor = 1 / totals[r]](auto at) { at.store(to, at.load(to) * factor); });
    }
  }
};

// body(Rows, first of them) for all rows of x, on several threads where there is enough to do.
template <class Body>
SIMDNN_INLINE void each_rows(const Args& args, const float* x, Matrix shape, Body body) {
  const int64_t n = shape.columns;
  const auto walk = [&](auto vectors) {
    parallel(args, shape.rows, grain(shape), [&](int64_t begin, int64_t end) {
      const Body own = body;
      for (int64_t i = begin; i < end; i += kRows) own(Rows<vectors.value>{x + i * n, n, static_cast<int>(end - i < kRows ? end - i : kRows)}, i);
    });
  };
  if (n > 0 && n <= kLanes) return walk(Index<1>{});
  if (n > 0 && n <= 2 * kLanes) return walk(Index<2>{});
  walk(Index<0>{});
}

void softmax(const Args& args) {
  float* out = data<float>(args.out[0]);
  const Matrix shape(args.in[0]);
  each_rows(args, data<float>(args.in[0]), shape, [=](auto rows, int64_t i) {
    alignas(64) float most[kRows], totals[kRows];
    rows.largest(most);
    rows.normalize(most, out + i * shape.columns, totals);
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
// whose terms are positive, so nothing cancels. `row_terms(row, max)` gives a row's Σ y and Σ y (z - max).
struct Terms {
  float weight, weighted;
};
template <class RowTerms>
SIMDNN_INLINE void each_loss(const Args& args, Matrix shape, RowTerms row_terms) {
  float *loss = data<float>(args.out[0]), *probabilities = data<float>(args.out[1]);
  each_rows(args, data<float>(args.in[0]), shape, [=](auto rows, int64_t i) {
    alignas(64) float most[kRows], totals[kRows] = {}, weight[kRows] = {}, weighted[kRows] = {};
    rows.largest(most);
    for (int r = 0; r < rows.rows; r++) {
      const Terms terms = row_terms(i + r, most[r]);
      weight[r] = terms.weight, weighted[r] = terms.weighted;
    }
    rows.normalize(most, probabilities + i * shape.columns, totals);
    each(0, rows.rows, [&](auto at) { at.store(loss + i, fma(log(at.load(totals)), at.load(weight), -at.load(weighted))); });
  });
}

void softmax_cross_entropy(const Args& args) {
  const float* logits = data<float>(args.in[0]);
  const Matrix shape(args.in[0]);
  const int64_t n = shape.columns;
  if (args.in[1].dtype == DType::int32) {
    const int32_t* labels = data<int32_t>(args.in[1]);
    FirstBadIndex bad;
    each_loss(args, shape, [=, &bad](int64_t row, float most) {
      const int32_t label = labels[row];
      return bad.check(row, label, n) ? Terms{1, logits[row * n + label] - most} : Terms{};
    });
    bad.report(args.status);
    return;
  }
  const float* targets = data<float>(args.in[1]);
  each_loss(args, shape, [=](int64_t row, float most) {
    const float *z = logits + row * n, *y = targets + row * n;
    const float weight = sum_of(n, [=](auto at) { return at.load(y); });
    const float weighted = sum_of(n, [=](auto at) {
      const vf target = at.load(y);
      return select(target == 0.0f, vf{}, target * (at.load(z) - most));
    });
    return Terms{weight, weighted};
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
