// Optimizer steps in float32, one pass over parameter, gradient and state; formulas: reference/update.cc.
#include "../reference/unfit.h"
#include "columns.h"
#include "isa.h"

namespace simdnn {
namespace {

// √x to 0.56 ULP, below 2^-120 to 2^-14 of it. An estimate good enough for one step of Newton's leaves the divider to the
// division: 0.22 instead of 0.36 ns per parameter of Adam in L2, where moving it takes 0.21.
SIMDNN_INLINE vf root(vf x) {
#if defined(__AVX512F__)
  x = min(broadcast(3.4028235e38f), x);                                                                       // NaN stays
  const vf inverse = min((vf)_mm512_maskz_rsqrt14_ps(0xffff, (__m512)x), broadcast(1e30f)), s = x * inverse;  // 0 for 0
  return fma(fma(-s, s, x), 0.5f * inverse, s);
#else
  return sqrt(x);
#endif
}

// Floats that are asked for ahead: of as many arrays at a time the hardware does not foresee enough.
constexpr int64_t kAhead = 512;

// The arrays of an update: the parameter, its gradient, its state.
template <int count>
struct Arrays {
  const float* of[count];
  SIMDNN_METHOD void prefetch(int64_t place) const {
    unroll<count>([&](auto a) { __builtin_prefetch(of[a] + place); });
  }
};
template <int count>
SIMDNN_INLINE Arrays<count> arrays(const Args& args) {
  Arrays<count> result;
  unroll<count>([&](auto a) { result.of[a] = data<float>(args.in[a]); });
  return result;
}

// A place at which an element's parameter and state are written together, or not where one of them would not be finite. One test
// for all of them fits beside Adam's division.
#if defined(__AVX512F__)
using Unfit = __mmask16;
SIMDNN_INLINE bool any(Unfit unfit) { return unfit != 0; }
SIMDNN_INLINE Unfit lanes_of(const Whole&) { return 0xffff; }
SIMDNN_INLINE Unfit lanes_of(const Part& part) { return first(part.n).mask; }
#else
using Unfit = vi;
#endif
template <class Place>
struct Sound : Place {
  Unfit* unfit;
  template <class... Rest>
  SIMDNN_METHOD void write(float* p, vf x, Rest... rest) const {
    const vf all = with(x, rest...);
#if defined(__AVX512F__)
    constexpr int not_finite = 0x99;  // quiet and signalling NaN, both infinities
    const Unfit wanted = lanes_of(*this), wrong = _mm512_mask_fpclass_ps_mask(wanted, (__m512)all, not_finite);
    *unfit = _kor_mask16(*unfit, wrong);
    put(_kandn_mask16(wrong, wanted), p, x, rest...);
#else
    const vf known = Place::or_else(all, 0);
    const vi wrong = bits(known - known) != 0;  // x - x is 0, or NaN where x is not finite
    *unfit |= wrong;
    put(wrong, p, x, rest...);
#endif
  }

 private:
  // x, or what is not finite where one of the others is not.
  SIMDNN_METHOD static vf with(vf x) { return x; }
  template <class... Rest>
  SIMDNN_METHOD static vf with(vf x, float*, vf y, Rest... rest) {
    return with(fma(vf{}, x, y), rest...);
  }

  SIMDNN_METHOD void put(Unfit) const {}
  template <class... Rest>
  SIMDNN_METHOD void put(Unfit lanes, float* p, vf x, Rest... rest) const {
#if defined(__AVX512F__)
    simdnn::store(p + Place::i, x, Lanes{lanes});
#else
    Place::store(p, select(lanes, Place::load(p), x));
#endif
    put(lanes, rest...);
  }
};

// body(place) for all elements of the first `count` operands. That one became NaN or infinite is a fault.
template <int count, class Body>
SIMDNN_INLINE void each_parameter(const Args& args, Body body) {
  int32_t found = 0;
  parallel(args, args.in[0].size, kGrain, [&, all = arrays<count>(args)](int64_t begin, int64_t end) {
    const Body own = body;
    const Arrays<count> ahead = all;
    Unfit unfit = {};
    each(begin, end, [&](auto at) {
      ahead.prefetch(at.i + kAhead);
      own(Sound<decltype(at)>{at, &unfit});
    });
    if (any(unfit)) __atomic_store_n(&found, 1, __ATOMIC_RELAXED);
  });
  if (found) reference::report_unfit(args);
}

void sgd(const Args& args) {
  float* parameter = data<float>(args.in[0]);
  const float* gradient = data<float>(args.in[1]);
  const vf rate = broadcast(static_cast<float>(-scalar(args.in[2])));
  each_parameter<2>(args, [=](auto at) { at.write(parameter, fma(rate, at.load(gradient), at.load(parameter))); });
}

void lerp(const Args& args) {
  float* target = data<float>(args.in[0]);
  const float* source = data<float>(args.in[1]);
  const vf share = broadcast(static_cast<float>(scalar(args.in[2])));
  each(args, args.in[0].size, [=](auto at) { at.store(target, fma(share, at.load(source) - at.load(target), at.load(target))); });
}

void momentum(const Args& args) {
  float *parameter = data<float>(args.in[0]), *velocity = data<float>(args.in[2]);
  const float* gradient = data<float>(args.in[1]);
  const vf rate = broadcast(static_cast<float>(-scalar(args.in[3]))), beta = broadcast(static_cast<float>(args.attrs[0]));
  const float damping = args.attrs[1] != 0 ? static_cast<float>(1 - args.attrs[0]) : 1;
  const auto step = [=](auto at, bool nesterov) {
    const vf g = damping * at.load(gradient), v = fma(beta, at.load(velocity), g);
    at.write(velocity, v, parameter, fma(rate, nesterov ? fma(beta, v, g) : v, at.load(parameter)));
  };
  if (args.attrs[2] != 0) {
    each_parameter<3>(args, [=](auto at) { step(at, true); });
  } else {
    each_parameter<3>(args, [=](auto at) { step(at, false); });
  }
}

void rmsprop(const Args& args) {
  float *parameter = data<float>(args.in[0]), *mean_square = data<float>(args.in[2]);
  const float* gradient = data<float>(args.in[1]);
  const float rate = static_cast<float>(scalar(args.in[3])), rest = static_cast<float>(1 - args.attrs[0]), epsilon = static_cast<float>(args.attrs[1]);
  const vf rho = broadcast(static_cast<float>(args.attrs[0]));
  each_parameter<3>(args, [=](auto at) {
    const vf g = at.load(gradient), s = fma(rho, at.load(mean_square), rest * g * g);
    at.write(mean_square, s, parameter, at.load(parameter) - rate * g / (root(s) + epsilon));
  });
}

void adam(const Args& args) {
  float *parameter = data<float>(args.in[0]), *first = data<float>(args.in[2]), *second = data<float>(args.in[3]);
  const float* gradient = data<float>(args.in[1]);
  const double lr = scalar(args.in[4]), t = scalar(args.in[5]) + 1;
  const vf beta1 = broadcast(static_cast<float>(args.attrs[0])), beta2 = broadcast(static_cast<float>(args.attrs[1]));
  const float rest1 = static_cast<float>(1 - args.attrs[0]), rest2 = static_cast<float>(1 - args.attrs[1]), epsilon = static_cast<float>(args.attrs[2]);
  const vf decay = broadcast(static_cast<float>(-lr * args.attrs[3]));
  const float rate = static_cast<float>(lr / (1 - __builtin_pow(args.attrs[0], t)));
  const float unbias = static_cast<float>(1 / (1 - __builtin_pow(args.attrs[1], t)));
  each_parameter<4>(args, [=](auto at) {
    const vf g = at.load(gradient), p = at.load(parameter);
    const vf m = fma(beta1, at.load(first), rest1 * g), v = fma(beta2, at.load(second), rest2 * g * g);
    at.write(first, m, second, v, parameter, fma(decay, p, p) - rate * m / (root(v * unbias) + epsilon));
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_update)(KernelTable& table) {
  table.f32[op_sgd] = sgd;
  table.f32[op_lerp] = lerp;
  table.f32[op_momentum] = momentum;
  table.f32[op_rmsprop] = rmsprop;
  table.f32[op_adam] = adam;
}

}  // namespace simdnn
