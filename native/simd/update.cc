// Optimizer steps in float32, one pass over parameter, gradient and state; formulas: reference/update.cc.
#include "../reference/unfit.h"
#include "columns.h"
#include "isa.h"

namespace simdnn {
namespace {

// √x to 0.56 ULP, below 2^-120 to 2^-14 of it, and NaN for infinity. An estimate good enough for one step of Newton's leaves the
// divider to the division.
SIMDNN_INLINE vf root(vf x) {
#if defined(__AVX512F__)
  const vf inverse = min(broadcast(1e30f), (vf)_mm512_maskz_rsqrt14_ps(0xffff, (__m512)x)), s = x * inverse;  // 0 for 0; NaN stays
  return fma(fma(-s, s, x), 0.5f * inverse, s);
#else
  return fma(vf{}, x, sqrt(x));
#endif
}

// What x is divided by for rate · x / (scale · root + epsilon), without a product for each element. A rate that moves nothing gives infinity.
struct Divisor {
  vf scale, epsilon;
  Divisor(double rate, double scale, double epsilon) {
    const bool moves = !(__builtin_fabs(rate) < 1e-30);
    this->scale = broadcast(moves ? static_cast<float>(scale / rate) : 0);
    this->epsilon = broadcast(moves ? static_cast<float>(epsilon / rate) : __builtin_inff());
  }
  SIMDNN_METHOD vf operator()(vf root) const { return fma(root, scale, epsilon); }
};

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

SIMDNN_INLINE bool all_finite(vf x) {
#if defined(__AVX512F__)
  return _mm512_fpclass_ps_mask((__m512)x, 0x99) == 0;  // quiet and signalling NaN, both infinities
#else
  const vf difference = x - x;  // 0, or NaN where x is not finite
#if defined(__AVX2__)
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)difference, (__m256)difference, _CMP_UNORD_Q)) == 0;
#else
  return !any(bits(difference) != 0);
#endif
#endif
}

// A place at which an element's parameter and state are written together, or not where one of them would not be finite. The new parameter
// shows it: every rule makes it of the new state, so that what is not finite there is not finite here.
template <class Place>
struct Sound : Place {
  bool* unfit;
  template <class... Rest>
  SIMDNN_METHOD void write(float* parameter, vf x, Rest... state) const {
    if (__builtin_expect(all_finite(Place::or_else(x, 0)), true)) return put(parameter, x, state...);
    *unfit = true;
    put_where(bits(x - x) == 0, parameter, x, state...);
  }

 private:
  SIMDNN_METHOD void put() const {}
  template <class... Rest>
  SIMDNN_METHOD void put(float* p, vf x, Rest... rest) const {
    Place::store(p, x);
    put(rest...);
  }
  SIMDNN_METHOD void put_where(vi) const {}
  template <class... Rest>
  SIMDNN_METHOD void put_where(vi lanes, float* p, vf x, Rest... rest) const {
    Place::store(p, select(lanes, x, Place::load(p)));
    put_where(lanes, rest...);
  }
};

// body(place) for all elements of the first `count` operands. That one became NaN or infinite is a fault.
template <int count, class Body>
SIMDNN_INLINE void each_parameter(const Args& args, Body body) {
  int32_t found = 0;
  each_piece(args, args.in[0].size, kGrain, [&, all = arrays<count>(args)](int64_t begin, int64_t end) {
    const Body own = body;
    const Arrays<count> ahead = all;
    bool unfit = false;
    each(begin, end, [&](auto at) {
      ahead.prefetch(at.i + kAhead);
      own(Sound<decltype(at)>{at, &unfit});
    });
    if (unfit) __atomic_store_n(&found, 1, __ATOMIC_RELAXED);
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
    at.write(parameter, fma(rate, nesterov ? fma(beta, v, g) : v, at.load(parameter)), velocity, v);
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
  const float rest = static_cast<float>(1 - args.attrs[0]);
  const vf rho = broadcast(static_cast<float>(args.attrs[0]));
  const Divisor divisor(scalar(args.in[3]), 1, args.attrs[1]);
  each_parameter<3>(args, [=](auto at) {
    const vf g = at.load(gradient), s = fma(rho, at.load(mean_square), rest * g * g);
    at.write(parameter, at.load(parameter) - g / divisor(root(s)), mean_square, s);
  });
}

void adam(const Args& args) {
  float *parameter = data<float>(args.in[0]), *first = data<float>(args.in[2]), *second = data<float>(args.in[3]);
  const float* gradient = data<float>(args.in[1]);
  const double lr = scalar(args.in[4]), t = scalar(args.in[5]) + 1;
  const vf beta1 = broadcast(static_cast<float>(args.attrs[0])), beta2 = broadcast(static_cast<float>(args.attrs[1]));
  const float rest1 = static_cast<float>(1 - args.attrs[0]), rest2 = static_cast<float>(1 - args.attrs[1]);
  const Divisor divisor(lr / (1 - __builtin_pow(args.attrs[0], t)), 1 / __builtin_sqrt(1 - __builtin_pow(args.attrs[1], t)), args.attrs[2]);
  const vf decay = broadcast(static_cast<float>(-lr * args.attrs[3]));
  const auto step = [=](auto at, bool decays) {
    const vf g = at.load(gradient), p = at.load(parameter);
    const vf m = fma(beta1, at.load(first), rest1 * g), v = fma(beta2, at.load(second), rest2 * g * g);
    at.write(parameter, (decays ? fma(decay, p, p) : p) - m / divisor(root(v)), first, m, second, v);
  };
  if (args.attrs[3] != 0) {
    each_parameter<4>(args, [=](auto at) { step(at, true); });
  } else {
    each_parameter<4>(args, [=](auto at) { step(at, false); });
  }
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
