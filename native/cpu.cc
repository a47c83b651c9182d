// Picks the instruction set once per process. Knows nothing of kernels.
#include "cpu.h"

#include <cstdlib>
#include <cstring>
#include <string>

#if defined(SIMDNN_HAS_AMX) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace simdnn {
namespace {

constexpr const char* kNames[kIsaCount] = {"reference", "avx2", "avx512", "amx", "neon"};

struct Choice {
  Isa isa;
  std::string error;
};

Choice choose() {
  Isa best = Isa::reference;
  for (Isa isa : kSimdIsas)
    if (isa_available(isa)) best = isa;
  const char* wanted = std::getenv("SIMDNN_ISA");
  if (!wanted || !*wanted) return {best, ""};
  Isa isa;
  if (!isa_from_name(wanted, &isa)) return {best, std::string("SIMDNN_ISA=") + wanted + " names no instruction set; use reference, avx2, avx512, amx or neon"};
  if (!isa_available(isa)) return {best, std::string("SIMDNN_ISA=") + wanted + " cannot run on this processor; unset it or choose " + isa_name(best)};
  return {isa, ""};
}

#if defined(SIMDNN_HAS_AMX)
// Linux keeps the 8 KB of tile registers from a process until it asks; the answer holds for all its threads.
bool tile_unit_granted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  constexpr unsigned kBf16 = 1u << 22, kTiles = 1u << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & kBf16) == 0 || (d & kTiles) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

}  // namespace

const char* isa_name(Isa isa) { return kNames[static_cast<int>(isa)]; }

bool isa_from_name(const char* name, Isa* isa) {
  for (int i = 0; i < kIsaCount; i++) {
    if (std::strcmp(name, kNames[i]) != 0) continue;
    *isa = static_cast<Isa>(i);
    return true;
  }
  return false;
}

bool isa_available(Isa isa) {
  switch (isa) {
    case Isa::reference: return true;
#if defined(__x86_64__)
    // These builtins also ask the operating system (XGETBV) whether it saves the wide registers.
    case Isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
#if defined(SIMDNN_HAS_AMX)
    case Isa::amx: {
      static const bool granted = isa_available(Isa::avx512) && tile_unit_granted();
      return granted;
    }
#endif
#elif defined(__aarch64__)
    case Isa::neon: return true;
#endif
    default: return false;
  }
}

Isa active_isa() { return choice().isa; }

const char* isa_error() { return choice().error.empty() ? nullptr : choice().error.c_str(); }

}  // namespace simdnn
