// Reductions over axes: sums, means, maxima and where they are.
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// An operand's dims divided into those that stay and those that are reduced, each with the operand's strides.
struct Split {
  int kept_rank = 0, reduced_rank = 0;
  int64_t kept_dims[kMaxRank], reduced_dims[kMaxRank];
  Strides kept, reduced;

  Split(const View& view, uint32_t reduced_axes) {
    const Strides all = strides(view);
    for (int d = 0; d < view.rank; ++d) {
      if (reduced_axes >> d & 1) {
        reduced_dims[reduced_rank] = view.dims[d];
        reduced.of[reduced_rank++] = all.of[d];
      } else {
        kept_dims[kept_rank] = view.dims[d];
        kept.of[kept_rank++] = all.of[d];
      }
    }
  }
  // f(i, base) for each output element; base is where its first operand is.
  template <class F>
  void each_output(F f) const {
    walk(kept_rank, kept_dims, f, kept);
  }
  // f(k, offset from base) for each element of one output's sum, in row-major order.
  template <class F>
  void each_operand(F f) const {
    walk(reduced_rank, reduced_dims, f, reduced);
  }
};

// The attributes (axes..., keepDims): axes as bits. keepDims only shapes the output.
uint32_t axes(const Args& args) {
  uint32_t bits = 0;
  for (int i = 0; i < int(args.attrs[0]); ++i) bits |= 1u << int(args.attrs[1 + i]);
  return bits;
}

// In the order in which a maximum is looked for, NaN is above everything.
bool above(double a, double b) { return a > b || (std::isnan(a) && !std::isnan(b)); }

// dinput takes a share where the input is the maximum.
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

// Σ x
template <class T>
void sum(const Args& args) {
  const T* in = data<T>(args.in[0]);
  T* out = data<T>(args.out[0]);
  const Split split(args.in[0], axes(args));
  split.each_output([&](int64_t i, int64_t base) {
    double total = 0;
    split.each_operand([&](int64_t, int64_t offset) { total += in[base + offset]; });
    out[i] = T(total);
  });
}

// Σ x / count; NaN over nothing
template <class T>
void mean(const Args& args) {
  const T* in = data<T>(args.in[0]);
  T* out = data<T>(args.out[0]);
  const Split split(args.in[0], axes(args));
  split.each_output([&](int64_t i, int64_t base) {
    double total = 0, count = 0;
    split.each_operand([&](int64_t, int64_t offset) {
      total += in[base + offset];
      ++count;
    });
    out[i] = T(total / count);
  });
}

// The largest x, NaN if there is one
template <class T>
void max(const Args& args) {
  const T* in = data<T>(args.in[0]);
  T* out = data<T>(args.out[0]);
  const Split split(args.in[0], axes(args));
  split.each_output([&](int64_t i, int64_t base) {
    T largest = in[base];
    split.each_operand([&](int64_t, int64_t offset) { largest = above(in[base + offset], largest) ? in[base + offset] : largest; });
    out[i] = largest;
  });
}

// dinput = input is the maximum ? dout / (how many are) : 0
template <class T>
void max_grad(const Args& args) {
  const T *dout = data<T>(args.in[0]), *in = data<T>(args.in[1]), *out = data<T>(args.in[2]);
  T* dinput = data<T>(args.out[0]);
  const Split split(args.in[1], axes(args));
  split.each_output([&](int64_t i, int64_t base) {
    double ties = 0;
    split.each_operand([&](int64_t, int64_t offset) { ties += same(in[base + offset], out[i]); });
    split.each_operand([&](int64_t, int64_t offset) { dinput[base + offset] = T(same(in[base + offset], out[i]) ? dout[i] / ties : 0); });
  });
}

// Σ x² over all elements
template <class T>
void squared_norm(const Args& args) {
  const T* in = data<T>(args.in[0]);
  double total = 0;
  for (int64_t i = 0; i < args.in[0].size; ++i) total += double(in[i]) * in[i];
  *data<T>(args.out[0]) = T(total);
}

// The first index along the axis at which the largest x is
template <class T>
void argmax(const Args& args) {
  const T* in = data<T>(args.in[0]);
  int32_t* out = data<int32_t>(args.out[0]);
  const Split split(args.in[0], 1u << int(args.attrs[0]));
  split.each_output([&](int64_t i, int64_t base) {
    int32_t best = 0;
    T largest = in[base];
    split.each_operand([&](int64_t k, int64_t offset) {
      if (!above(in[base + offset], largest)) return;
      largest = in[base + offset];
      best = int32_t(k);
    });
    out[i] = best;
  });
}

SIMDNN_REFERENCE(sum)
SIMDNN_REFERENCE(mean)
SIMDNN_REFERENCE(max)
SIMDNN_REFERENCE(max_grad)
SIMDNN_REFERENCE(squared_norm)
SIMDNN_REFERENCE(argmax)

}  // namespace simdnn::reference
