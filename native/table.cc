// Fills the kernel tables: references first, then what each instruction set does better.
#include "table.h"

#include "reference/check.h"
#include "reference/reference.h"

namespace simdnn {

#define OVERRIDE(file)                         \
  void override_##file##_avx2(KernelTable&);   \
  void override_##file##_avx512(KernelTable&); \
  void override_##file##_amx(KernelTable&);    \
  void override_##file##_neon(KernelTable&);
#include "simd/overrides.inc"
#undef OVERRIDE
double fma_peak_avx2();
double fma_peak_avx512();
double fma_peak_amx();
double fma_peak_neon();

namespace {

constexpr OpInfo kOps[] = {
#define OP(name, min_in, max_in, n_out, check_name) {#name, min_in, max_in, n_out, check::check_name},
#include "ops.inc"
#undef OP
};

KernelTable reference_table() {
  return {{
#define OP(name, ...) reference::name<float>,
#include "ops.inc"
#undef OP
          },
          {
#define OP(name, ...) reference::name<double>,
#include "ops.inc"
#undef OP
          },
          {}};
}

KernelTable build(Isa isa) {
  KernelTable table = reference_table();
#define OVERRIDE_FOR(isa_suffix, file) override_##file##_##isa_suffix(table);
#if defined(__x86_64__)
  if (isa == Isa::avx2) {
#define OVERRIDE(file) OVERRIDE_FOR(avx2, file)
#include "simd/overrides.inc"
#undef OVERRIDE
  }
  if (isa == Isa::avx512) {
#define OVERRIDE(file) OVERRIDE_FOR(avx512, file)
#include "simd/overrides.inc"
#undef OVERRIDE
  }
#if defined(SIMDNN_HAS_AMX)
  if (isa == Isa::amx) {
#define OVERRIDE(file) OVERRIDE_FOR(amx, file)
#include "simd/overrides.inc"
#undef OVERRIDE
  }
#endif
#elif defined(__aarch64__)
  if (isa == Isa::neon) {
#define OVERRIDE(file) OVERRIDE_FOR(neon, file)
#include "simd/overrides.inc"
#undef OVERRIDE
  }
#endif
  (void)isa;
  return table;
}

}  // namespace

const OpInfo& op_info(int op) { return kOps[op]; }

const KernelTable& kernel_table(Isa isa) {
  static const KernelTable tables[kIsaCount] = {build(Isa::reference), build(Isa::avx2), build(Isa::avx512), build(Isa::amx), build(Isa::neon)};
  return tables[static_cast<int>(isa)];
}

double fma_peak(Isa isa) {
  if (!isa_available(isa)) return 0;
#if defined(__x86_64__)
  if (isa == Isa::avx2) return fma_peak_avx2();
  if (isa == Isa::avx512) return fma_peak_avx512();
#if defined(SIMDNN_HAS_AMX)
  if (isa == Isa::amx) return fma_peak_amx();
#endif
#elif defined(__aarch64__)
  if (isa == Isa::neon) return fma_peak_neon();
#endif
  return 0;
}

}  // namespace simdnn
