// Images seen through a map of their pixels, a vector of neighbouring pixels at a time. The gradient is the reference's.
#include "../reference/reference.h"
#include "each.h"
#include "isa.h"

namespace simdnn {
namespace {

SIMDNN_INLINE vf floor(vf x) {  // for |x| < 2^31
  const vf whole = to_float(to_int(x));
  return whole - select(x < whole, broadcast(1.0f), vf{});
}

// The two neighbours of a place along an axis of n pixels, and how far it is from the first to the second.
struct Taps {
  vi at[2], inside[2];
  vf fraction;
};

template <Fill fill>
SIMDNN_INLINE Taps taps(vf place, int32_t n) {
  const float size = static_cast<float>(n);
  if constexpr (fill == Fill::wrap) place = place - size * floor(place / size);
  if constexpr (fill == Fill::reflect) place = place - 2 * size * floor((place + 0.5f) / (2 * size));
  // In this order they answer the bound where the place is NaN.
  place = min(max(place, broadcast(-2.0f)), broadcast(2 * size + 1));
  const vf first = floor(place);
  Taps taps;
  taps.fraction = place - first;
  for (int k = 0; k < 2; k++) {
    vi i = to_int(first) + k;
    taps.inside[k] = (i >= 0) & (i < n);
    if constexpr (fill == Fill::wrap) i = select(i < 0, i + n, select(i < n, i, i - n));
    if constexpr (fill == Fill::reflect) i = select(i < 0, -1 - i, select(i < n, i, 2 * n - 1 - i));
    taps.at[k] = select(i < 0, vi{}, select(i < n, i, broadcast(n - 1)));  // whatever came before: inside the image
  }
  return taps;
}

SIMDNN_INLINE vf between(vf a, vf b, vf fraction) { return fma(fraction, b - a, a); }

// The pixels of `at` in one row of the output, whose place in the input along x and y is given.
template <Fill fill, class Place>
SIMDNN_INLINE void sample(Place at, vf x, vf y, const float* image, float* row, const int64_t* dims, float value) {
  const int32_t height = static_cast<int32_t>(dims[1]), width = static_cast<int32_t>(dims[2]), channels = static_cast<int32_t>(dims[3]);
  const Taps across = taps<fill>(x, width), down = taps<fill>(y, height);
  for (int32_t c = 0; c < channels; c++) {
    const auto pixel = [&](int i, int j) {
      const vf found = gather(image + c, (down.at[i] * width + across.at[j]) * channels);
      if constexpr (fill == Fill::constant) return select(down.inside[i] & across.inside[j], found, broadcast(value));
      return found;
    };
    const vf upper = between(pixel(0, 0), pixel(0, 1), across.fraction), lower = between(pixel(1, 0), pixel(1, 1), across.fraction);
    const vf result = between(upper, lower, down.fraction);
    if (channels == 1) {
      at.store(row, result);
    } else {
      for (int lane = 0; lane < at.lanes(); lane++) row[(at.i + lane) * channels + c] = result[lane];
    }
  }
}

template <Fill fill>
void warp_rows(const Args& args) {
  const int64_t* dims = args.in[0].dims;
  const int64_t height = dims[1], width = dims[2], pixels = height * width, channels = dims[3];
  const float *in = data<float>(args.in[0]), *transform = data<float>(args.in[1]);
  const float* displacement = args.n_in > 2 ? data<float>(args.in[2]) : nullptr;
  float* out = data<float>(args.out[0]);
  const float value = static_cast<float>(args.attrs[1]);
  const float half_width = static_cast<float>(width - 1) / 2, half_height = static_cast<float>(height - 1) / 2;
  parallel(args, dims[0] * height, row_grain(8 * width * channels), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t b = i / height, row = i % height;
      const float *t = transform + b * 6, *image = in + b * pixels * channels;
      float* to = out + i * width * channels;
      const float v = static_cast<float>(row) - half_height;
      const float x0 = t[1] * v + t[2] + half_width, y0 = t[4] * v + t[5] + half_height;
      each(0, width, [&](auto at) {
        const vf u = to_float(iota() + static_cast<int32_t>(at.i)) - half_width;
        vf x = fma(u, broadcast(t[0]), broadcast(x0)), y = fma(u, broadcast(t[3]), broadcast(y0));
        if (displacement) {
          x = x + at.load(displacement + 2 * b * pixels + row * width);
          y = y + at.load(displacement + (2 * b + 1) * pixels + row * width);
        }
        sample<fill>(at, x, y, image, to, dims, value);
      });
    }
  });
}

void warp(const Args& args) {
  const View& input = args.in[0];
  if (input.size == 0) return;
  if (input.size / input.dims[0] > INT32_MAX / 4) return reference::warp<float>(args);  // too far for a lane's index
  switch (static_cast<Fill>(static_cast<int>(args.attrs[0]))) {
    case Fill::constant: return warp_rows<Fill::constant>(args);
    case Fill::nearest: return warp_rows<Fill::nearest>(args);
    case Fill::reflect: return warp_rows<Fill::reflect>(args);
    case Fill::wrap: return warp_rows<Fill::wrap>(args);
  }
}

}  // namespace

void SIMDNN_FOR_ISA(override_warp)(KernelTable& table) { table.f32[op_warp] = warp; }

}  // namespace simdnn
