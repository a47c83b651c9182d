// Images seen through a map of their pixels: a transform of the plane, a displacement of each pixel, and what lies beyond the
// edge. Between pixels it interpolates linearly in both directions.
#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// The two neighbours of a place along an axis of n pixels, -1 where there is none, and how far it is from the first to the second.
struct Taps {
  int64_t at[2];
  double fraction;
};

int64_t fold(int64_t i, int64_t n, Fill fill) {
  if (i >= 0 && i < n) return i;
  const auto modulo = [](int64_t a, int64_t b) { return (a % b + b) % b; };
  if (fill == Fill::nearest) return i < 0 ? 0 : n - 1;
  if (fill == Fill::wrap) return modulo(i, n);
  if (fill == Fill::constant) return -1;
  const int64_t twice = modulo(i, 2 * n);
  return twice < n ? twice : 2 * n - 1 - twice;
}

Taps taps(double place, int64_t n, Fill fill) {
  if (!(place > -1e9)) place = -1e9;  // also NaN: what no image reaches
  if (place > 1e9) place = 1e9;
  const double first = std::floor(place);
  return {{fold(int64_t(first), n, fill), fold(int64_t(first) + 1, n, fill)}, place - first};
}

// Where the pixels of the output lie in the input: about the centre, x = t0 u + t1 v + t2 and y = t3 u + t4 v + t5, then displaced.
template <class T>
struct Map {
  int64_t height, width, channels;
  const T *transform, *displacement;
  Fill fill;
  T value;

  Map(const Args& args, const View& input, int operand)
      : height(input.dims[1]),
        width(input.dims[2]),
        channels(input.dims[3]),
        transform(data<T>(args.in[operand])),
        displacement(operand + 1 < args.n_in ? data<T>(args.in[operand + 1]) : nullptr),
        fill(Fill(int(args.attrs[0]))),
        value(T(args.attrs[1])) {}

  // f(pixel, x's taps, y's taps) for each pixel of image b
  template <class F>
  void each(int64_t b, F f) const {
    const double half_width = double(width - 1) / 2, half_height = double(height - 1) / 2;
    const T* t = transform + b * 6;
    for (int64_t row = 0, pixel = 0; row < height; ++row)
      for (int64_t column = 0; column < width; ++column, ++pixel) {
        const double u = double(column) - half_width, v = double(row) - half_height;
        double x = t[0] * u + t[1] * v + t[2] + half_width, y = t[3] * u + t[4] * v + t[5] + half_height;
        if (displacement) {
          x += displacement[(2 * b) * height * width + pixel];
          y += displacement[(2 * b + 1) * height * width + pixel];
        }
        f(pixel, taps(x, width, fill), taps(y, height, fill));
      }
  }

  // The offset of a pixel in an image, -1 outside.
  int64_t offset(int64_t row, int64_t column) const { return row < 0 || column < 0 ? -1 : (row * width + column) * channels; }
};

double between(double a, double b, double fraction) { return a + fraction * (b - a); }

}  // namespace

template <class T>
void warp(const Args& args) {
  const View& input = args.in[0];
  const Map<T> map(args, input, 1);
  const int64_t image = map.height * map.width * map.channels;
  for (int64_t b = 0; b < input.dims[0]; ++b) {
    const T* in = data<T>(input) + b * image;
    T* out = data<T>(args.out[0]) + b * image;
    map.each(b, [&](int64_t pixel, const Taps& x, const Taps& y) {
      for (int64_t c = 0; c < map.channels; ++c) {
        const auto at = [&](int i, int j) {
          const int64_t offset = map.offset(y.at[i], x.at[j]);
          return double(offset < 0 ? map.value : in[offset + c]);
        };
        const double upper = between(at(0, 0), at(0, 1), x.fraction), lower = between(at(1, 0), at(1, 1), x.fraction);
        out[pixel * map.channels + c] = T(between(upper, lower, y.fraction));
      }
    });
  }
}

// dinput: each dout shared out to the four pixels it was made of; dplace[b, 2, h, w]: dout times the slopes along x and y
template <class T>
void warp_grad(const Args& args) {
  const View& input = args.in[1];
  const Map<T> map(args, input, 2);
  const int64_t pixels = map.height * map.width, image = pixels * map.channels;
  T *dinput = data<T>(args.out[0]), *dplace = data<T>(args.out[1]);
  for (int64_t i = 0; i < args.out[0].size; ++i) dinput[i] = 0;
  for (int64_t b = 0; b < input.dims[0]; ++b) {
    const T *dout = data<T>(args.in[0]) + b * image, *in = data<T>(input) + b * image;
    T* to = dinput + b * image;
    map.each(b, [&](int64_t pixel, const Taps& x, const Taps& y) {
      double dx = 0, dy = 0;
      for (int64_t c = 0; c < map.channels; ++c) {
        const double d = dout[pixel * map.channels + c];
        for (int i = 0; i < 2; ++i)
          for (int j = 0; j < 2; ++j) {
            const double wx = j ? x.fraction : 1 - x.fraction, wy = i ? y.fraction : 1 - y.fraction;
            const int64_t offset = map.offset(y.at[i], x.at[j]);
            const double value = offset < 0 ? map.value : in[offset + c];
            dx += d * wy * (j ? value : -value);
            dy += d * wx * (i ? value : -value);
            if (offset >= 0) to[offset + c] += T(d * wx * wy);
          }
      }
      dplace[2 * b * pixels + pixel] = T(dx);
      dplace[(2 * b + 1) * pixels + pixel] = T(dy);
    });
  }
}

SIMDNN_REFERENCE(warp)
SIMDNN_REFERENCE(warp_grad)

}  // namespace simdnn::reference
