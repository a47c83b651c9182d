// The vector vocabulary: float and integer vectors of the compiled instruction set's width, over GCC and Clang vector
// extensions. `+ - * / & | ^ ~ << >>` and comparisons are the language's own. Holds no mathematics: that is math.h.
// Everything has internal linkage, since this is compiled once per instruction set.
#pragma once
#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#else
#error "compile simd/ for AVX-512, AVX2 with FMA, or NEON"
#endif

#define SIMDNN_INLINE static inline __attribute__((always_inline))

// In front of a loop of at most 32 constant turns over an array that must live in registers.
#if defined(__clang__)
#define SIMDNN_UNROLL _Pragma("unroll")
#define SIMDNN_TWO_TURNS _Pragma("unroll(2)")
#else
#define SIMDNN_UNROLL _Pragma("GCC unroll 32")
#define SIMDNN_TWO_TURNS _Pragma("GCC unroll 2")  // at a time, of a loop that its counters slow down
#endif

namespace simdnn {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float vf __attribute__((vector_size(4 * kLanes)));
typedef int32_t vi __attribute__((vector_size(4 * kLanes)));
typedef uint32_t vu __attribute__((vector_size(4 * kLanes)));

// How vectors lie in memory: aligned to an element. Loads through these stay in registers where memcpy would not.
typedef float vf_memory __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef int32_t vi_memory __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

SIMDNN_INLINE vf broadcast(float x) { return x - vf{}; }  // 0 + x would lose the sign of -0
SIMDNN_INLINE vi broadcast(int32_t x) { return x - vi{}; }

SIMDNN_INLINE vf load(const float* p) { return *reinterpret_cast<const vf_memory*>(p); }
SIMDNN_INLINE vi load(const int32_t* p) { return *reinterpret_cast<const vi_memory*>(p); }
SIMDNN_INLINE void store(float* p, vf x) { *reinterpret_cast<vf_memory*>(p) = x; }
SIMDNN_INLINE void store(int32_t* p, vi x) { *reinterpret_cast<vi_memory*>(p) = x; }

// The first n lanes, 0 <= n <= kLanes. A load through it gives 0 in the others; neither touches memory behind them.
struct Lanes {
#if defined(__AVX512F__)
  __mmask16 mask;
#elif defined(__AVX2__)
  __m256i mask;
#else
  int n;
#endif
};

// Whether such loads and stores cost little more than whole ones.
#if defined(__AVX512F__)
constexpr bool kCheapMaskedLoads = true, kCheapMaskedStores = true;
#elif defined(__AVX2__)
constexpr bool kCheapMaskedLoads = true, kCheapMaskedStores = false;
#else
constexpr bool kCheapMaskedLoads = false, kCheapMaskedStores = false;
#endif

#if defined(__AVX512F__)

SIMDNN_INLINE Lanes first(int n) { return {static_cast<__mmask16>((1u << n) - 1)}; }
SIMDNN_INLINE vf load(const float* p, Lanes l) { return (vf)_mm512_maskz_loadu_ps(l.mask, p); }
SIMDNN_INLINE vi load(const int32_t* p, Lanes l) { return (vi)_mm512_maskz_loadu_epi32(l.mask, p); }
SIMDNN_INLINE void store(float* p, vf x, Lanes l) { _mm512_mask_storeu_ps(p, l.mask, (__m512)x); }
SIMDNN_INLINE void store(int32_t* p, vi x, Lanes l) { _mm512_mask_storeu_epi32(p, l.mask, (__m512i)x); }

SIMDNN_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
// With a full mask, because gcc 12 warns about its own unmasked forms.
SIMDNN_INLINE vf min(vf a, vf b) { return (vf)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b); }
SIMDNN_INLINE vf max(vf a, vf b) { return (vf)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b); }
SIMDNN_INLINE vf sqrt(vf x) { return (vf)_mm512_maskz_sqrt_ps(0xffff, (__m512)x); }
SIMDNN_INLINE vi round_to_int(vf x) { return (vi)_mm512_maskz_cvtps_epi32(0xffff, (__m512)x); }

#elif defined(__AVX2__)

constexpr int32_t kLaneMasks[2 * kLanes] = {-1, -1, -1, -1, -1, -1, -1, -1};
SIMDNN_INLINE Lanes first(int n) { return {(__m256i)load(kLaneMasks + kLanes - n)}; }
SIMDNN_INLINE vf load(const float* p, Lanes l) { return (vf)_mm256_maskload_ps(p, l.mask); }
SIMDNN_INLINE vi load(const int32_t* p, Lanes l) { return (vi)_mm256_maskload_epi32(p, l.mask); }
SIMDNN_INLINE void store(float* p, vf x, Lanes l) { _mm256_maskstore_ps(p, l.mask, (__m256)x); }
SIMDNN_INLINE void store(int32_t* p, vi x, Lanes l) { _mm256_maskstore_epi32(p, l.mask, (__m256i)x); }

SIMDNN_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
SIMDNN_INLINE vf min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
SIMDNN_INLINE vf max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
SIMDNN_INLINE vf sqrt(vf x) { return (vf)_mm256_sqrt_ps((__m256)x); }
SIMDNN_INLINE vi round_to_int(vf x) { return (vi)_mm256_cvtps_epi32((__m256)x); }

#else

template <class V, class T>
SIMDNN_INLINE V load_lanes(const T* p, int n) {
  V x = {};
  for (int i = 0; i < n; i++) x[i] = p[i];
  return x;
}
template <class V, class T>
SIMDNN_INLINE void store_lanes(T* p, V x, int n) {
  for (int i = 0; i < n; i++) p[i] = x[i];
}
SIMDNN_INLINE Lanes first(int n) { return {n}; }
SIMDNN_INLINE vf load(const float* p, Lanes l) { return load_lanes<vf>(p, l.n); }
SIMDNN_INLINE vi load(const int32_t* p, Lanes l) { return load_lanes<vi>(p, l.n); }
SIMDNN_INLINE void store(float* p, vf x, Lanes l) { store_lanes(p, x, l.n); }
SIMDNN_INLINE void store(int32_t* p, vi x, Lanes l) { store_lanes(p, x, l.n); }

SIMDNN_INLINE vf fma(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
// vminq and vmaxq would answer NaN where x86 answers b.
SIMDNN_INLINE vf min(vf a, vf b) { return a < b ? a : b; }
SIMDNN_INLINE vf max(vf a, vf b) { return a > b ? a : b; }
SIMDNN_INLINE vf sqrt(vf x) { return (vf)vsqrtq_f32((float32x4_t)x); }
SIMDNN_INLINE vi round_to_int(vf x) { return (vi)vcvtnq_s32_f32((float32x4_t)x); }

#endif

// Lane i is p[index[i]].
SIMDNN_INLINE vf gather(const float* p, vi index) {
#if defined(__AVX512F__)
  return (vf)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xffff, (__m512i)index, p, 4);
#elif defined(__AVX2__)
  return (vf)_mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, (__m256i)index, (__m256)(vf)(vi{} - 1), 4);
#else
  vf x;
  for (int i = 0; i < kLanes; i++) x[i] = p[index[i]];
  return x;
#endif
}

// Both halves of the answer are p[0 … kHalf).
SIMDNN_INLINE vf load_twice(const float* p) {
#if defined(__AVX512F__)
  return (vf)_mm512_maskz_broadcast_f32x8(0xffff, _mm256_loadu_ps(p));
#elif defined(__AVX2__)
  return (vf)_mm256_broadcast_ps(reinterpret_cast<const __m128*>(p));
#else
  return (vf)vreinterpretq_f32_f64(vld1q_dup_f64(reinterpret_cast<const double*>(p)));
#endif
}

// Part q of four lanes is part[q][offset … offset + 4).
SIMDNN_INLINE vf load_parts(const float* const* part, int64_t offset) {
#if defined(__AVX512F__)
  __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(part[0] + offset));
  x = _mm512_maskz_insertf32x4(0xffff, x, _mm_loadu_ps(part[1] + offset), 1);
  x = _mm512_maskz_insertf32x4(0xffff, x, _mm_loadu_ps(part[2] + offset), 2);
  return (vf)_mm512_maskz_insertf32x4(0xffff, x, _mm_loadu_ps(part[3] + offset), 3);
#elif defined(__AVX2__)
  return (vf)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(part[0] + offset)), _mm_loadu_ps(part[1] + offset), 1);
#else
  return load(part[0] + offset);
#endif
}

// Keeps a loaded value in a register where the compiler would load it again for each use.
SIMDNN_INLINE vf kept(vf x) {
#if defined(__AVX2__)
  asm("" : "+v"(x));
#else
  asm("" : "+w"(x));
#endif
  return x;
}

// The same pointer, of which the compiler does not know where it comes from.
template <class T>
SIMDNN_INLINE T* opaque(T* p) {
  asm("" : "+r"(p));
  return p;
}

// min and max answer b where either is NaN. round_to_int rounds to nearest, ties to even.

// Lane by lane `mask ? a : b`; a mask is what a comparison gives, -1 or 0.
SIMDNN_INLINE vf select(vi mask, vf a, vf b) { return mask ? a : b; }
SIMDNN_INLINE vi select(vi mask, vi a, vi b) { return mask ? a : b; }

SIMDNN_INLINE vf to_float(vi x) { return __builtin_convertvector(x, vf); }
SIMDNN_INLINE vi to_int(vf x) { return __builtin_convertvector(x, vi); }  // towards zero
SIMDNN_INLINE vi bits(vf x) { return (vi)x; }
SIMDNN_INLINE vf from_bits(vi x) { return (vf)x; }

#if defined(__AVX512F__)
#define SIMDNN_LANES(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15)
#elif defined(__AVX2__)
#define SIMDNN_LANES(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)
#else
#define SIMDNN_LANES(f) f(0), f(1), f(2), f(3)
#endif

// Lane i gets lane i ^ distance of x; a distance of half the width swaps the halves.
template <int distance>
SIMDNN_INLINE vf swap(vf x) {
#define SIMDNN_LANE(i) (i ^ distance)
  return __builtin_shufflevector(x, x, SIMDNN_LANES(SIMDNN_LANE));
#undef SIMDNN_LANE
}

constexpr int kHalf = kLanes / 2;

// Lane i of the lower half goes to lane 2i, that of the upper half to lane 2i + 1.
SIMDNN_INLINE vf zip_halves(vf x) {
#define SIMDNN_LANE(i) (i / 2 + i % 2 * kHalf)
  return __builtin_shufflevector(x, x, SIMDNN_LANES(SIMDNN_LANE));
#undef SIMDNN_LANE
}

// Lane i gets that of b where i has the bit `distance`, else that of a.
template <int distance>
SIMDNN_INLINE vf alternate(vf a, vf b) {
#if defined(__AVX512F__)  // gcc would make it a permutation, for which there is one port only
  constexpr __mmask16 mask = distance == 8 ? 0xff00 : distance == 4 ? 0xf0f0 : distance == 2 ? 0xcccc : 0xaaaa;
  return (vf)_mm512_mask_blend_ps(mask, (__m512)a, (__m512)b);
#else
#define SIMDNN_LANE(i) (i & distance ? kLanes + i : i)
  return __builtin_shufflevector(a, b, SIMDNN_LANES(SIMDNN_LANE));
#undef SIMDNN_LANE
#endif
}

// In every part of four lanes, two lanes of x and two of y, from `first` on: in turns, or one pair after the other.
template <int first>
SIMDNN_INLINE vf zip(vf x, vf y) {
#define SIMDNN_LANE(i) (i / 4 * 4 + first + i % 4 / 2 + (i % 2 ? kLanes : 0))
  return __builtin_shufflevector(x, y, SIMDNN_LANES(SIMDNN_LANE));
#undef SIMDNN_LANE
}
template <int first>
SIMDNN_INLINE vf join(vf x, vf y) {
#define SIMDNN_LANE(i) (i / 4 * 4 + first + i % 2 + (i % 4 / 2 ? kLanes : 0))
  return __builtin_shufflevector(x, y, SIMDNN_LANES(SIMDNN_LANE));
#undef SIMDNN_LANE
}

// Combines the lanes as a tree, lane i with lane i ^ width/2, then i ^ width/4 …, so the order is fixed.
template <int distance = kLanes / 2, class Combine>
SIMDNN_INLINE float fold(vf x, Combine combine) {
  if constexpr (distance == 0) {
    return x[0];
  } else {
    return fold<distance / 2>(combine(x, swap<distance>(x)), combine);
  }
}
SIMDNN_INLINE float sum(vf x) {
  return fold(x, [](vf a, vf b) { return a + b; });
}
SIMDNN_INLINE float max(vf x) {
  return fold(x, [](vf a, vf b) { return max(a, b); });
}

// Lane r of the answer is fold(rows[r], combine): the same operations, on a commutative `combine`.
template <int distance = kLanes / 2, class Combine>
SIMDNN_INLINE vf fold_rows(vf (&rows)[kLanes], Combine combine) {
  if constexpr (distance == 0) {
    return rows[0];
  } else {
    SIMDNN_UNROLL for (int r = 0; r < distance; r++) {
      const vf a = rows[r], b = rows[r + distance];
      rows[r] = combine(alternate<distance>(a, b), swap<distance>(alternate<distance>(b, a)));
    }
    return fold_rows<distance / 2>(rows, combine);
  }
}

}  // namespace
}  // namespace simdnn
