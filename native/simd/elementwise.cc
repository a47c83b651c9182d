// Arithmetic on elements in float32. Two operands may have the same shape, or one or both be a scalar, a row or a column of
// the output; other broadcasts go to the reference.
#include "../reference/reference.h"
#include "broadcast.h"
#include "isa.h"
#include "math.h"

namespace simdnn {
namespace {

SIMDNN_INLINE vf one_where(vi mask) { return from_bits(mask & 0x3f800000); }
SIMDNN_INLINE vf nan_or(vf a, vf otherwise) { return select(a != a, a, otherwise); }

template <class F>
SIMDNN_INLINE void map(const Args& args, F f) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  each(args, args.out[0].size, [=](auto at) { at.store(out, f(at.load(in))); });
}

void neg(const Args& args) {
  map(args, [](vf x) { return -x; });
}
void exp(const Args& args) {
  map(args, [](vf x) { return exp(x); });
}
void log(const Args& args) {
  map(args, [](vf x) { return log(x); });
}
void sqrt(const Args& args) {
  map(args, [](vf x) { return sqrt(x); });
}
void square(const Args& args) {
  map(args, [](vf x) { return x * x; });
}
void abs(const Args& args) {
  map(args, [](vf x) { return abs(x); });
}
void sign(const Args& args) {
  map(args, [](vf x) { return select((x < 0.0f) | (x > 0.0f), with_sign_of(broadcast(1.0f), x), x); });
}
void clip(const Args& args) {
  const float low = static_cast<float>(args.attrs[0]), high = static_cast<float>(args.attrs[1]);
  map(args, [=](vf x) { return min(broadcast(high), max(broadcast(low), x)); });  // in this order NaN stays
}

void select(const Args& args) {
  const float *condition = data<float>(args.in[0]), *a = data<float>(args.in[1]), *b = data<float>(args.in[2]);
  float* out = data<float>(args.out[0]);
  each(args, args.out[0].size, [=](auto at) { at.store(out, select(at.load(condition) != 0.0f, at.load(a), at.load(b))); });
}

void add_scaled(const Args& args) {
  const float *a = data<float>(args.in[0]), *b = data<float>(args.in[1]);
  float* out = data<float>(args.out[0]);
  const vf scale = broadcast(*data<float>(args.in[2]));
  each(args, args.out[0].size, [=](auto at) { at.store(out, fma(scale, at.load(b), at.load(a))); });
}

template <class F>
SIMDNN_INLINE void zip(const Args& args, Kernel reference, F f) {
  const View& shape = args.out[0];
  if (shape.size == 0) return;
  const Broadcast ba = broadcast_of(args.in[0], shape), bb = broadcast_of(args.in[1], shape);
  const bool fits = args.in[0].dtype == DType::float32 && shape.dtype == DType::float32 && ba.layout != Layout::other && bb.layout != Layout::other;
  if (!fits || (ba.columns && bb.columns && ba.columns != bb.columns)) return reference(args);
  const float *a = data<float>(args.in[0]), *b = data<float>(args.in[1]);
  float* out = data<float>(shape);
  if (is_flat(ba.layout) && is_flat(bb.layout)) {
    with_row(a, ba.layout, 0, 0,
             [&](auto x) { with_row(b, bb.layout, 0, 0, [&](auto y) { each(args, shape.size, [=](auto at) { at.store(out, f(x.at(at), y.at(at))); }); }); });
    return;
  }
  const int64_t columns = ba.columns ? ba.columns : bb.columns;
  parallel(args, shape.size / columns, row_grain(columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      float* row = out + i * columns;
      with_row(a, ba.layout, i, columns,
               [&](auto x) { with_row(b, bb.layout, i, columns, [&](auto y) { each(0, columns, [=](auto at) { at.store(row, f(x.at(at), y.at(at))); }); }); });
    }
  });
}

void add(const Args& args) {
  zip(args, reference::add<float>, [](vf a, vf b) { return a + b; });
}
void sub(const Args& args) {
  zip(args, reference::sub<float>, [](vf a, vf b) { return a - b; });
}
void mul(const Args& args) {
  zip(args, reference::mul<float>, [](vf a, vf b) { return a * b; });
}
void div(const Args& args) {
  zip(args, reference::div<float>, [](vf a, vf b) { return a / b; });
}
void maximum(const Args& args) {
  zip(args, reference::maximum<float>, [](vf a, vf b) { return nan_or(a, max(a, b)); });
}
void minimum(const Args& args) {
  zip(args, reference::minimum<float>, [](vf a, vf b) { return nan_or(a, min(a, b)); });
}
void equal(const Args& args) {
  zip(args, reference::equal<float>, [](vf a, vf b) { return one_where(a == b); });
}
void greater(const Args& args) {
  zip(args, reference::greater<float>, [](vf a, vf b) { return one_where(a > b); });
}
void greater_equal(const Args& args) {
  zip(args, reference::greater_equal<float>, [](vf a, vf b) { return one_where(a >= b); });
}

}  // namespace

void SIMDNN_FOR_ISA(override_elementwise)(KernelTable& table) {
  table.f32[op_neg] = neg;
  table.f32[op_exp] = exp;
  table.f32[op_log] = log;
  table.f32[op_sqrt] = sqrt;
  table.f32[op_square] = square;
  table.f32[op_abs] = abs;
  table.f32[op_sign] = sign;
  table.f32[op_clip] = clip;
  table.f32[op_select] = select;
  table.f32[op_add_scaled] = add_scaled;
  table.f32[op_add] = add;
  table.f32[op_sub] = sub;
  table.f32[op_mul] = mul;
  table.f32[op_div] = div;
  table.f32[op_maximum] = maximum;
  table.f32[op_minimum] = minimum;
  table.f32[op_equal] = equal;
  table.f32[op_greater] = greater;
  table.f32[op_greater_equal] = greater_equal;
}

}  // namespace simdnn
