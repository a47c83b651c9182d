// Ops that move data without computing: they go by the views' dtypes and work for all of them.
#include <cstring>

#include "reference.h"
#include "visit.h"

namespace simdnn::reference {
namespace {

// in[...] to out[...] for the indices of `shape`, each side at its own offset and strides
void move(const View& shape, const View& in, int64_t in_base, const Strides& in_by, const View& out, int64_t out_base, const Strides& out_by) {
  visit(out.dtype, [&](auto zero) {
    using E = decltype(zero);
    const E* from = data<E>(in);
    E* to = data<E>(out);
    walk(
        shape.rank, shape.dims, [&](int64_t, int64_t i, int64_t o) { to[out_base + o] = from[in_base + i]; }, in_by, out_by);
  });
}

// Where a block whose corner is at the indices `begin` starts in a view.
int64_t corner(const Strides& strides, const double* begin, int rank) {
  int64_t offset = 0;
  for (int d = 0; d < rank; ++d) offset += int64_t(begin[d]) * strides.of[d];
  return offset;
}

int64_t bytes(const View& view) {
  int64_t element = 0;
  visit(view.dtype, [&](auto zero) { element = sizeof zero; });
  return view.size * element;
}

// to[i] = from[i], converted from one dtype to the other
template <class To, class From>
void convert_row(To* to, const From* from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = convert<To>(double(from[i]));
}

}  // namespace

template <class T>
void broadcast_to(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  move(out, in, 0, broadcast_strides(in, out), out, 0, strides(out));
}

// out[..., index of dimension d, ...] = in[...] where out's dimension d is in's dimension perm[d]
template <class T>
void transpose(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  const Strides all = strides(in);
  Strides permuted{};
  for (int d = 0; d < in.rank; ++d) permuted.of[d] = all.of[int(args.attrs[1 + d])];
  move(out, in, 0, permuted, out, 0, strides(out));
}

// out = in[begin : begin + size]
template <class T>
void slice(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  const Strides by = strides(in);
  move(out, in, corner(by, args.attrs + 1, in.rank), by, out, 0, strides(out));
}

// out = 0 but for out[begin : begin + in's dims] = in
template <class T>
void pad(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  const Strides by = strides(out);
  if (out.size) std::memset(out.data, 0, size_t(bytes(out)));
  move(in, in, 0, strides(in), out, corner(by, args.attrs + 1, in.rank), by);
}

// The operands one after the other along the axis
template <class T>
void concat(const Args& args) {
  const View& out = args.out[0];
  const int axis = int(args.attrs[0]);
  const Strides by = strides(out);
  int64_t base = 0;
  for (int k = 0; k < args.n_in; ++k) {
    const View& in = args.in[k];
    move(in, in, 0, strides(in), out, base, by);
    base += in.size ? in.dims[axis] * by.of[axis] : 0;
  }
}

// out[k] = source[indices[k]], rows, converted to the output's dtype
template <class T>
void gather(const Args& args) {
  const View &source = args.in[0], &indices = args.in[1], &out = args.out[0];
  const int64_t row = indices.size ? out.size / indices.size : 0;
  visit(source.dtype, [&](auto from) {
    visit(out.dtype, [&](auto to) {
      for (int64_t k = 0; k < indices.size; ++k) {
        const int64_t index = checked_index(args, indices, k, source.dims[0]);
        if (index < 0) return;
        convert_row(data<decltype(to)>(out) + k * row, data<decltype(from)>(source) + index * row, row);
      }
    });
  });
}

// dsource = 0, then dsource[indices[k]] += dout[k] for k in order, each sum rounded to T
template <class T>
void gather_grad(const Args& args) {
  const View &indices = args.in[1], &out = args.out[0];
  const T* dout = data<T>(args.in[0]);
  T* dsource = data<T>(out);
  const int64_t row = indices.size ? args.in[0].size / indices.size : 0;
  for (int64_t i = 0; i < out.size; ++i) dsource[i] = 0;
  for (int64_t k = 0; k < indices.size; ++k) {
    const int64_t index = checked_index(args, indices, k, out.dims[0]);
    if (index < 0) return;
    for (int64_t j = 0; j < row; ++j) dsource[index * row + j] += dout[k * row + j];
  }
}

// Towards zero for integers, ends of the range beyond it, NaN as 0
template <class T>
void cast(const Args& args) {
  visit(args.in[0].dtype, [&](auto from) {
    visit(args.out[0].dtype, [&](auto to) { convert_row(data<decltype(to)>(args.out[0]), data<decltype(from)>(args.in[0]), args.out[0].size); });
  });
}

// target = source
template <class T>
void assign(const Args& args) {
  if (args.in[0].size) std::memmove(args.in[0].data, args.in[1].data, size_t(bytes(args.in[0])));
}

SIMDNN_REFERENCE(broadcast_to)
SIMDNN_REFERENCE(transpose)
SIMDNN_REFERENCE(slice)
SIMDNN_REFERENCE(pad)
SIMDNN_REFERENCE(concat)
SIMDNN_REFERENCE(gather)
SIMDNN_REFERENCE(gather_grad)
SIMDNN_REFERENCE(cast)
SIMDNN_REFERENCE(assign)

}  // namespace simdnn::reference
