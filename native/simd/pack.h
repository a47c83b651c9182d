// Copies a part of an operand of the GEMM to where it lies as a kernel reads it. Multiplies nothing.
#pragma once
#include "tile.h"
#include "transpose.h"

namespace simdnn {
namespace {

// out[p * out_width + i] = x(p, i) for p < k and i < width, and 0 from there to out_width, at most a vector further.
static void pack(Matrix x, int64_t k, int64_t width, float* out, int64_t out_width) {
  if (x.column != 1) return transpose(x.data, x.column, width, k, out, out_width, out_width);
  const int64_t whole = width / kLanes * kLanes;
  const Lanes loaded = first(static_cast<int>(width - whole)), stored = first(static_cast<int>(out_width - whole < kLanes ? out_width - whole : kLanes));
  for (int64_t p = 0; p < k; p++) {
    const float* from = x.data + p * x.row;
    float* to = out + p * out_width;
    for (int64_t i = 0; i < whole; i += kLanes) store(to + i, load(from + i));
    if (out_width > whole) store(to + whole, load(from + whole, loaded), stored);
  }
}

}  // namespace
}  // namespace simdnn
