// Which instruction sets this processor and operating system can run. Not the kernels themselves (table.h).
#pragma once

namespace simdnn {

// amx is avx512 with matrix products on the tile unit (AMX bf16).
enum class Isa { reference, avx2, avx512, amx, neon };
constexpr int kIsaCount = 5;
constexpr Isa kSimdIsas[] = {Isa::avx2, Isa::avx512, Isa::amx, Isa::neon};  // on one machine, the later the better

const char* isa_name(Isa isa);
bool isa_from_name(const char* name, Isa* isa);

// Compiled in, and supported by the processor and the operating system.
bool isa_available(Isa isa);

// The level that SIMDNN_ISA names, else the best available one. `isa_error` is not null when the variable asks for
// something that does not exist or cannot run here.
Isa active_isa();
const char* isa_error();

}  // namespace simdnn
