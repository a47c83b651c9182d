// Random numbers from counters, a lane per block: philox.h says which bits belong to which element.
#include "../reference/philox.h"
#include "each.h"
#include "isa.h"
#include "math.h"

namespace simdnn {
namespace {

// 32-bit numbers in 64-bit lanes, whose upper halves hold anything: products of 32 by 32 bits exist only in this form.
typedef uint64_t vw __attribute__((vector_size(4 * kLanes)));

SIMDNN_INLINE vw multiply(vw a, uint32_t b) {
#if defined(__AVX512F__)
  return (vw)_mm512_maskz_mul_epu32(0xff, (__m512i)a, _mm512_set1_epi32(static_cast<int32_t>(b)));
#elif defined(__AVX2__)
  return (vw)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi32(static_cast<int32_t>(b)));
#else
  return (vw)vmull_n_u32(vmovn_u64((uint64x2_t)a), b);
#endif
}

// A stream of blocks of four words.
struct Stream {
  uint32_t keys[kPhiloxRounds][2];
  uint32_t step, stream;

  Stream(double seed, double stream, uint32_t step) : step(step), stream(static_cast<uint32_t>(stream)) {
    const uint64_t bits = static_cast<uint64_t>(seed);
    for (int round = 0; round < kPhiloxRounds; round++) {
      keys[round][0] = static_cast<uint32_t>(bits) + static_cast<uint32_t>(round) * kPhiloxWeyl[0];
      keys[round][1] = static_cast<uint32_t>(bits >> 32) + static_cast<uint32_t>(round) * kPhiloxWeyl[1];
    }
  }

  // words[w] lane l = word w of block first + l; `first` is a multiple of kLanes.
  SIMDNN_METHOD void draw(uint64_t first, vu (&words)[4]) const {
    struct Counter {
      vw c[4];
    };
    const vw number = (vw)(iota() & ~1) >> 32;  // 1, 3, 5 … less 1, in the lower halves: 0, 2, 4 …
    const auto counter = [&](uint64_t offset) { return Counter{{number + (first + offset), vw{} + (first >> 32), vw{} + step, vw{} + stream}}; };
    Counter even = counter(0), odd = counter(1);
    const auto round = [](Counter& x, uint32_t key0, uint32_t key1) {
      const vw p0 = multiply(x.c[0], kPhiloxMultiplier[0]), p1 = multiply(x.c[2], kPhiloxMultiplier[1]);
      x = {{(p1 >> 32) ^ x.c[1] ^ key0, p1, (p0 >> 32) ^ x.c[3] ^ key1, p0}};
    };
#pragma GCC unroll 10
    for (int i = 0; i < kPhiloxRounds; i++) {
      round(even, keys[i][0], keys[i][1]);
      round(odd, keys[i][0], keys[i][1]);
    }
    for (int w = 0; w < 4; w++) words[w] = (vu)((even.c[w] & 0xffffffff) | odd.c[w] << 32);
  }
};

uint32_t step_of(const Args& args, int operand) { return operand < args.n_in ? static_cast<uint32_t>(*data<int32_t>(args.in[operand])) : 0; }

// body(place, bits) for the elements of [begin, end), where a group of 16 blocks holds 16 elements in each of `parts` parts
// of its words: words[i / (parts / 4)], from the bit 32 / (parts / 4) · (i mod (parts / 4)) on. An element has bits of each stream.
template <int parts, class Body, int n>
SIMDNN_INLINE void each_drawn(const Stream (&streams)[n], int64_t begin, int64_t end, Body body) {
  constexpr int kBlocks = 16, kGroup = kBlocks * parts, kPerWord = parts / 4;
  for (int64_t group = begin / kGroup; group * kGroup < end; group++) {
    for (int b = 0; b < kBlocks; b += kLanes) {
      vu words[n][4];
      for (int s = 0; s < n; s++) streams[s].draw(static_cast<uint64_t>(group * kBlocks + b), words[s]);
      for (int part = 0; part < parts; part++) {
        const int64_t i = group * kGroup + part * kBlocks + b;
        vi bits[n];
        for (int s = 0; s < n; s++) bits[s] = (vi)(words[s][part / kPerWord] >> (part % kPerWord * (32 / kPerWord)));
        if (i + kLanes <= end) {
          body(Whole{i}, bits);
        } else if (i < end) {
          body(Part{i, static_cast<int>(end - i)}, bits);
        }
      }
    }
  }
}

void dropout(const Args& args) {
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(args.out[0]);
  const Stream streams[]{{args.attrs[1], args.attrs[2], step_of(args, 1)}};
  const int32_t threshold = static_cast<int32_t>(dropout_threshold(args.attrs[0]));
  const float scale = static_cast<float>(1 / (1 - args.attrs[0]));
  each_piece(args, args.out[0].size, kGrain / 4, [&, threshold, scale](int64_t begin, int64_t end) {
    each_drawn<8>(streams, begin, end, [=](auto at, const vi* bits) { at.store(out, select((bits[0] & 0xffff) < threshold, vf{}, at.load(in) * scale)); });
  });
}

void random_uniform(const Args& args) {
  typedef double vd __attribute__((vector_size(8 * kLanes)));
  float* out = data<float>(args.out[0]);
  const double *attrs = args.attrs + 1 + args.out[0].rank, low = attrs[0], range = attrs[1] - attrs[0];
  const Stream streams[]{{attrs[2], attrs[3], step_of(args, 0)}};
  each_piece(args, args.out[0].size, kGrain / 4, [&, low, range](int64_t begin, int64_t end) {
    each_drawn<4>(streams, begin, end, [=](auto at, const vi* bits) {
      const vd u = __builtin_convertvector((vi)((vu)bits[0] >> 8), vd) * 0x1p-24;
      at.store(out, __builtin_convertvector(low + range * u, vf));
    });
  });
}

// cos(2π u) for u in [0, 1): a quarter turn on it is an odd function, a minimax fit of 2^-27.5. Multiples of 2^-24 are turned exactly.
SIMDNN_INLINE vf cos_turns(vf u) {
  constexpr float c[] = {6.2831855f, -41.34168f, 81.602234f, -76.57499f, 39.71092f};
  const vf s = abs(u - 0.5f) - 0.25f;
  return s * polynomial(s * s, c);
}

void random_normal(const Args& args) {
  float* out = data<float>(args.out[0]);
  const double* attrs = args.attrs + 1 + args.out[0].rank;
  const float mean = static_cast<float>(attrs[0]), deviation = static_cast<float>(attrs[1]);
  const uint32_t step = step_of(args, 0);
  const Stream streams[]{{attrs[2], attrs[3], step}, {attrs[2], static_cast<double>(static_cast<uint32_t>(attrs[3]) + 0x80000000), step}};
  each_piece(args, args.out[0].size, kGrain / 8, [&, mean, deviation](int64_t begin, int64_t end) {
    each_drawn<4>(streams, begin, end, [=](auto at, const vi* bits) {
      const vf u1 = to_float((vi)((vu)bits[0] >> 8) + 1) * 0x1p-24f, u2 = to_float((vi)((vu)bits[1] >> 8)) * 0x1p-24f;
      const vf radius = sqrt(-2.0f * log(u1));
      at.store(out, fma(broadcast(deviation) * radius, cos_turns(u2), broadcast(mean)));
    });
  });
}

}  // namespace

void SIMDNN_FOR_ISA(override_random)(KernelTable& table) {
  table.f32[op_dropout] = dropout;
  table.f32[op_random_uniform] = random_uniform;
  table.f32[op_random_normal] = random_normal;
}

}  // namespace simdnn
