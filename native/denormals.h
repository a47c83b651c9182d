// Floats too small for all their digits count as 0 while programs run: processors take a hundred times as long over them, and the averages of
// optimizers would end among them for good where gradients vanish. Kernels know nothing of it.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace simdnn {

#if defined(__x86_64__)
constexpr uint32_t kFlush = 0x8040;  // results and operands
inline bool flushes_denormals() { return (_mm_getcsr() & kFlush) == kFlush; }
inline void flush_denormals(bool on) { _mm_setcsr(on ? _mm_getcsr() | kFlush : _mm_getcsr() & ~kFlush); }
#elif defined(__aarch64__)
constexpr uint64_t kFlush = 1 << 24;
inline uint64_t float_control() {
  uint64_t state;
  asm volatile("mrs %0, fpcr" : "=r"(state));
  return state;
}
inline bool flushes_denormals() { return (float_control() & kFlush) != 0; }
inline void flush_denormals(bool on) {
  uint64_t state = on ? float_control() | kFlush : float_control() & ~kFlush;
  asm volatile("msr fpcr, %0" : : "r"(state));
}
#else
inline bool flushes_denormals() { return false; }
inline void flush_denormals(bool) {}
#endif

// On the thread that it is made on, for as long as it lives.
class NoDenormals {
 public:
  NoDenormals() : before_(flushes_denormals()) {
    if (!before_) flush_denormals(true);
  }
  ~NoDenormals() {
    if (!before_) flush_denormals(false);
  }
  NoDenormals(const NoDenormals&) = delete;
  NoDenormals& operator=(const NoDenormals&) = delete;

 private:
  const bool before_;
};

}  // namespace simdnn
