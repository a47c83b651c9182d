// Ops that move data without computing, where their dtypes and layouts are the common ones; others go to the reference.
#include "../reference/reference.h"
#include "broadcast.h"
#include "fault.h"
#include "isa.h"
#include "transpose.h"

namespace simdnn {
namespace {

void broadcast_to(const Args& args) {
  const View& shape = args.out[0];
  if (shape.size == 0) return;
  const Broadcast from = broadcast_of(args.in[0], shape);
  if (shape.dtype != DType::float32 || from.layout == Layout::other) return reference::broadcast_to<float>(args);
  const float* in = data<float>(args.in[0]);
  float* out = data<float>(shape);
  if (is_flat(from.layout)) {
    with_row(in, from.layout, 0, 0, [&](auto x) { each(args, shape.size, [=](auto at) { at.store(out, x.at(at)); }); });
    return;
  }
  parallel(args, shape.size / from.columns, row_grain(from.columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      float* row = out + i * from.columns;
      with_row(in, from.layout, i, from.columns, [&](auto x) { each(0, from.columns, [=](auto at) { at.store(row, x.at(at)); }); });
    }
  });
}

SIMDNN_INLINE vf convert(vb x) {  // by intrinsics, where gcc 12 would go lane by lane
#if defined(__AVX512F__)
  return to_float((vi)_mm512_maskz_cvtepu8_epi32(0xffff, (__m128i)x));
#elif defined(__AVX2__)
  return to_float((vi)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)x)));
#else
  return (vf)vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8((uint32_t)x)))));
#endif
}
SIMDNN_INLINE vf convert(vi x) { return to_float(x); }
SIMDNN_INLINE vf convert(vf x) { return x; }

// Calls f with a pointer to a view's elements if they convert to float32 exactly as they do in vectors.
template <class F>
SIMDNN_INLINE bool with_source(const View& view, F f) {
  if (view.dtype == DType::float64) return false;
  if (view.dtype == DType::uint8) f(data<uint8_t>(view));
  if (view.dtype == DType::int32) f(data<int32_t>(view));
  if (view.dtype == DType::float32) f(data<float>(view));
  return true;
}

// A permutation that exchanges two neighbouring groups of axes: each of `count` matrices is transposed.
struct Exchange {
  int64_t count = 1, rows = 1, columns = 1;
  bool fits = false;
};
Exchange exchange_of(const View& in, const double* perm) {
  int axes[kMaxRank], n = 0;  // those longer than 1, in the order of the output
  for (int d = 0; d < in.rank; d++)
    if (in.dims[static_cast<int>(perm[d])] != 1) axes[n++] = static_cast<int>(perm[d]);
  Exchange exchange;
  int runs = 0, begin = 0;  // runs of rising axes; axes in front that stay
  const auto is_first_left = [&](int i) {
    for (int j = i + 1; j < n; j++)
      if (axes[j] < axes[i]) return false;
    return true;
  };
  while (begin < n && is_first_left(begin)) exchange.count *= in.dims[axes[begin++]];
  for (int i = begin; i < n; i++) {
    if (i == begin || axes[i] < axes[i - 1]) runs++;
    (runs == 1 ? exchange.columns : exchange.rows) *= in.dims[axes[i]];
  }
  // Two rising runs are an exchange if the second ends before the first begins.
  exchange.fits = runs == 2 && axes[n - 1] < axes[begin];
  return exchange;
}

// Whole rows in another order, where the last dimension stays the last.
void transpose_rows(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  const int rank = out.rank;
  if (out.dtype == DType::uint8 || rank < 2 || args.attrs[rank] != rank - 1 || out.size == 0) return reference::transpose<float>(args);
  int64_t strides[kMaxRank], by[kMaxRank];
  for (int64_t d = rank - 1, stride = 1; d >= 0; stride *= in.dims[d--]) strides[d] = stride;
  for (int d = 0; d < rank; d++) by[d] = strides[static_cast<int>(args.attrs[1 + d])];
  const int64_t row = out.dims[rank - 1];
  const float* from = data<float>(in);  // or int32_t
  float* to = data<float>(out);
  parallel(args, out.size / row, row_grain(row), [&, rank, row, from, to](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t rest = i, offset = 0;
      for (int d = rank - 2; d >= 0; rest /= out.dims[d--]) offset += rest % out.dims[d] * by[d];
      each(0, row, [p = from + offset, q = to + i * row](auto at) { at.store(q, at.load(p)); });
    }
  });
}

void transpose(const Args& args) {
  const View& in = args.in[0];
  const Exchange exchange = exchange_of(in, args.attrs + 1);
  if (!exchange.fits || in.size == 0 || in.dtype == DType::uint8) return transpose_rows(args);
  const float* from = data<float>(in);  // or int32_t, which moves alike
  float* to = data<float>(args.out[0]);
  const int64_t rows = exchange.rows, columns = exchange.columns, blocks = (columns + kLanes - 1) / kLanes;
  const int64_t most = kGrain / 4 / (rows * kLanes);
  parallel(args, exchange.count * blocks, most ? most : 1, [=](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t matrix = begin / blocks, first = begin % blocks, last = end - begin < blocks - first ? first + end - begin : blocks;
      const int64_t j = first * kLanes, stop = last * kLanes < columns ? last * kLanes : columns, start = matrix * rows * columns;
      transpose(from + start + j, columns, rows, stop - j, to + start + j * rows, rows, rows);
      begin += last - first;
    }
  });
}

// Rows in the order of the indices: images into a batch, converted from bytes as they are gathered.
void gather(const Args& args) {
  const View &source = args.in[0], &out = args.out[0];
  const int32_t* indices = data<int32_t>(args.in[1]);
  const int64_t count = args.in[1].size, row = count ? out.size / count : 0, limit = source.dims[0];
  float* to = data<float>(out);
  FirstBadIndex bad;
  const bool done = out.dtype == DType::float32 && with_source(source, [&](auto* from) {
                      parallel(args, count, row_grain(row), [=, &bad](int64_t begin, int64_t end) {
                        for (int64_t k = begin; k < end; k++) {
                          const int32_t index = indices[k];
                          if (!bad.check(k, index, limit)) return;
                          each(0, row, [p = from + index * row, q = to + k * row](auto at) { at.store(q, convert(at.load(p))); });
                        }
                      });
                    });
  if (!done) return reference::gather<float>(args);
  bad.report(args.status);
}

void cast(const Args& args) {
  const View& out = args.out[0];
  float* to = data<float>(out);
  const bool done =
      out.dtype == DType::float32 && with_source(args.in[0], [&](auto* from) { each(args, out.size, [=](auto at) { at.store(to, convert(at.load(from))); }); });
  if (!done) reference::cast<float>(args);
}

}  // namespace

void SIMDNN_FOR_ISA(override_view)(KernelTable& table) {
  table.f32[op_broadcast_to] = broadcast_to;
  table.f32[op_transpose] = transpose;
  table.f32[op_gather] = gather;
  table.f32[op_cast] = cast;
}

}  // namespace simdnn
