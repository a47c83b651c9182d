// Names for what a file in simd/ exports. Such a file is compiled once per instruction set, with -DSIMDNN_ISA_NAME=avx2,
// avx512, amx or neon, and everything else in it has internal linkage. Holds no code.
#pragma once

#define SIMDNN_PASTE_(name, isa) name##_##isa
#define SIMDNN_PASTE(name, isa) SIMDNN_PASTE_(name, isa)

// SIMDNN_FOR_ISA(override_gemm) is override_gemm_avx512 in the copy that is compiled for AVX-512.
#define SIMDNN_FOR_ISA(name) SIMDNN_PASTE(name, SIMDNN_ISA_NAME)
