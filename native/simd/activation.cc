// Activation functions on their own, and the part of dense's gradient that is not a matrix product, in float32.
#include "activate.h"
#include "columns.h"
#include "each.h"
#include "isa.h"

namespace simdnn {
namespace {

Activation kind_of(const Args& args) { return static_cast<Activation>(static_cast<int>(args.attrs[0])); }

void activation(const Args& args) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const float slope = static_cast<float>(args.attrs[1]);
  with_activation(kind_of(args), [&](auto k) { each(args, args.out[0].size, [=](auto at) { at.store(out, activate<k.kind>(at.load(in), slope)); }); });
}

void activation_grad(const Args& args) {
  const float *dout = data<float>(args.in[0]), *saved = data<float>(args.in[1]);
  float* din = data<float>(args.out[0]);
  const float slope = static_cast<float>(args.attrs[1]);
  with_activation(kind_of(args),
                  [&](auto k) { each(args, args.out[0].size, [=](auto at) { at.store(din, at.load(dout) * derivative<k.kind>(at.load(saved), slope)); }); });
}

// dz = dout g'(output) and, while it is in registers, dbias = Σ_rows dz
void dense_grad(const Args& args) {
  const float *dout = data<float>(args.in[0]), *output = data<float>(args.in[1]);
  float *dz = data<float>(args.out[0]), *dbias = data<float>(args.out[1]);
  const float slope = static_cast<float>(args.attrs[1]);
  with_activation(kind_of(args), [&](auto k) {
    each_column(args, Matrix(args.out[0]), [=](auto strip) {
      vf sums[1][strip.width];
      strip.sum(sums, [=](auto at, auto, vf* term) {
        *term = at.load(dout) * derivative<k.kind>(at.load(output), slope);
        at.store(dz, *term);
      });
      unroll<strip.width>([&](auto v) { strip.store(dbias, v, sums[0][v]); });
    });
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_activation)(KernelTable& table) {
  table.f32[op_activation] = activation;
  table.f32[op_activation_grad] = activation_grad;
  table.f32[op_dense_grad] = dense_grad;
}

}  // namespace simdnn
