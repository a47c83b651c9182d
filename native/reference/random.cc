// Ops that draw random numbers (philox.h says which bits), and the counter that makes each step draw new ones.
#include "philox.h"
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// The step is the counter operand's value, 0 without one.
uint32_t step(const Args& args, int operand) { return operand < args.n_in ? uint32_t(*data<int32_t>(args.in[operand])) : 0; }

// The attributes (shape..., a, b, seed, stream, dtype) of a random op, and the 24 upper bits drawn for an element.
struct Draw {
  double a, b;
  uint64_t seed;
  uint32_t stream, step;

  explicit Draw(const Args& args) : step(reference::step(args, 0)) {
    const double* attrs = args.attrs + 1 + args.out[0].rank;
    a = attrs[0];
    b = attrs[1];
    seed = uint64_t(attrs[2]);
    stream = uint32_t(attrs[3]);
  }
  double bits(int64_t element, uint32_t stream_offset = 0) const {
    const PhiloxLane lane = word_lane(element);
    return philox_block(seed, stream + stream_offset, step, lane.block).word[lane.word] >> 8;
  }
};

constexpr double kTwoPi = 6.283185307179586;

}  // namespace

// output = 16 bits < threshold ? 0 : input / (1 - rate); the same mask for the gradient
template <class T>
void dropout(const Args& args) {
  const double rate = args.attrs[0];
  const uint64_t seed = uint64_t(args.attrs[1]);
  const uint32_t stream = uint32_t(args.attrs[2]), now = step(args, 1), threshold = dropout_threshold(rate);
  const T scale = T(1 / (1 - rate));
  const T* in = data<T>(args.in[0]);
  T* out = data<T>(args.out[0]);
  for (int64_t i = 0; i < args.out[0].size; ++i) {
    const PhiloxLane lane = half_lane(i);
    const uint32_t bits = philox_block(seed, stream, now, lane.block).word[lane.word] >> lane.shift & 0xffff;
    out[i] = bits < threshold ? T(0) : in[i] * scale;
  }
}

// output = counter; counter += 1 (after 2^31 - 1 comes -2^31: a step is 32 bits)
template <class T>
void tick(const Args& args) {
  int32_t* counter = data<int32_t>(args.in[0]);
  const int32_t now = *counter;
  *counter = int32_t(uint32_t(now) + 1);
  *data<int32_t>(args.out[0]) = now;
}

// low + (high - low) u, u = bits 2^-24 in [0, 1)
template <class T>
void random_uniform(const Args& args) {
  const Draw draw(args);
  T* out = data<T>(args.out[0]);
  for (int64_t i = 0; i < args.out[0].size; ++i) out[i] = T(draw.a + (draw.b - draw.a) * (draw.bits(i) * 0x1p-24));
}

// mean + deviation √(-2 ln u1) cos(2π u2), u1 in (0, 1], u2 in [0, 1) from a second stream (Box, Muller)
template <class T>
void random_normal(const Args& args) {
  const Draw draw(args);
  T* out = data<T>(args.out[0]);
  for (int64_t i = 0; i < args.out[0].size; ++i) {
    const double u1 = (draw.bits(i) + 1) * 0x1p-24, u2 = draw.bits(i, 0x80000000) * 0x1p-24;
    out[i] = T(draw.a + draw.b * (std::sqrt(-2 * std::log(u1)) * std::cos(kTwoPi * u2)));
  }
}

SIMDNN_REFERENCE(dropout)
SIMDNN_REFERENCE(tick)
SIMDNN_REFERENCE(random_uniform)
SIMDNN_REFERENCE(random_normal)

}  // namespace simdnn::reference
