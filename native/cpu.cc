// Picks the instruction set once per process. Knows nothing of kernels.
#include "cpu.h"

#include <cstdlib>
#include <cstring>
#include <string>

namespace simdnn {
namespace {

constexpr const char* kNames[kIsaCount] = {"reference", "avx2", "avx512", "neon"};

struct Choice {
  Isa isa;
  std::string error;
};

Choice choose() {
  Isa best = Isa::reference;
  for (Isa isa : {Isa::neon, Isa::avx2, Isa::avx512})
    if (isa_available(isa)) best = isa;
  const char* wanted = std::getenv("SIMDNN_ISA");
  if (!wanted || !*wanted) return {best, ""};
  Isa isa;
  if (!isa_from_name(wanted, &isa)) return {best, std::string("SIMDNN_ISA=") + wanted + " names no instruction set; use reference, avx2, avx512 or neon"};
  if (!isa_available(isa)) return {best, std::string("SIMDNN_ISA=") + wanted + " cannot run on this processor; unset it or choose " + isa_name(best)};
  return {isa, ""};
}

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
    case Isa::reference:
      return true;
#if defined(__x86_64__)
    // These builtins also ask the operating system (XGETBV) whether it saves the wide registers.
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    case Isa::neon:
      return true;
#endif
    default:
      return false;
  }
}

Isa active_isa() { return choice().isa; }

const char* isa_error() { return choice().error.empty() ? nullptr : choice().error.c_str(); }

}  // namespace simdnn
