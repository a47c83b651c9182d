// Optimizer steps in float32, one pass over parameter, gradient and state; formulas: reference/update.cc. Division and
// square root are exact.
#include "each.h"
#include "isa.h"

namespace simdnn {
namespace {

void sgd(const Args& args) {
  float* parameter = data<float>(args.in[0]);
  const float* gradient = data<float>(args.in[1]);
  const vf rate = broadcast(static_cast<float>(-scalar(args.in[2])));
  each(args, args.in[0].size, [=](auto at) { at.store(parameter, fma(rate, at.load(gradient), at.load(parameter))); });
}

void momentum(const Args& args) {
  float *parameter = data<float>(args.in[0]), *velocity = data<float>(args.in[2]);
  const float* gradient = data<float>(args.in[1]);
  const vf rate = broadcast(static_cast<float>(-scalar(args.in[3]))), beta = broadcast(static_cast<float>(args.attrs[0]));
  const float damping = args.attrs[1] != 0 ? static_cast<float>(1 - args.attrs[0]) : 1;
  const auto step = [=](auto at, bool nesterov) {
    const vf g = damping * at.load(gradient), v = fma(beta, at.load(velocity), g);
    at.store(velocity, v);
    at.store(parameter, fma(rate, nesterov ? fma(beta, v, g) : v, at.load(parameter)));
  };
  if (args.attrs[2] != 0) {
    each(args, args.in[0].size, [=](auto at) { step(at, true); });
  } else {
    each(args, args.in[0].size, [=](auto at) { step(at, false); });
  }
}

void rmsprop(const Args& args) {
  float *parameter = data<float>(args.in[0]), *mean_square = data<float>(args.in[2]);
  const float* gradient = data<float>(args.in[1]);
  const float rate = static_cast<float>(scalar(args.in[3])), rest = static_cast<float>(1 - args.attrs[0]), epsilon = static_cast<float>(args.attrs[1]);
  const vf rho = broadcast(static_cast<float>(args.attrs[0]));
  each(args, args.in[0].size, [=](auto at) {
    const vf g = at.load(gradient), s = fma(rho, at.load(mean_square), rest * g * g);
    at.store(mean_square, s);
    at.store(parameter, at.load(parameter) - rate * g / (sqrt(s) + epsilon));
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
  each(args, args.in[0].size, [=](auto at) {
    const vf g = at.load(gradient), p = at.load(parameter);
    const vf m = fma(beta1, at.load(first), rest1 * g), v = fma(beta2, at.load(second), rest2 * g * g);
    at.store(first, m);
    at.store(second, v);
    at.store(parameter, fma(decay, p, p) - rate * m / (sqrt(v * unbias) + epsilon));
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_update)(KernelTable& table) {
  table.f32[op_sgd] = sgd;
  table.f32[op_momentum] = momentum;
  table.f32[op_rmsprop] = rmsprop;
  table.f32[op_adam] = adam;
}

}  // namespace simdnn
