// Checks of ops that change shapes: broadcasting, reductions, and those that only move data.
#include "check.h"
#include "requirement.h"

namespace simdnn::check {
namespace {

// `out` has the shape to which a and b broadcast.
const char* broadcasts(const View& a, const View& b, const View& out) {
  const int rank = a.rank > b.rank ? a.rank : b.rank;
  REQUIRE(out.rank == rank, "the output must have the higher rank");
  for (int d = 0; d < rank; ++d) {
    const int in_a = d - (rank - a.rank), in_b = d - (rank - b.rank);
    const int64_t dim_a = in_a < 0 ? 1 : a.dims[in_a], dim_b = in_b < 0 ? 1 : b.dims[in_b];
    REQUIRE(dim_a == dim_b || dim_a == 1 || dim_b == 1, "operands' dimensions must be equal or 1");
    REQUIRE(out.dims[d] == (dim_a == 1 ? dim_b : dim_a), "the output must have the broadcast shape");
  }
  return nullptr;
}

// `out` has the shape of `in` with the attributes (axes..., keepDims) reduced.
const char* reduces(const Args& args, const View& in, const View& out) {
  List axes;
  REQUIRE(axes.read(args, 0), "axes must be a list");
  PASS(basics(args, axes.length + 2));
  bool reduced[kMaxRank] = {};
  for (int i = 0; i < axes.length; ++i) {
    REQUIRE(integer(axes.values[i], 0, in.rank - 1), "an axis is out of range");
    REQUIRE(!reduced[int(axes.values[i])], "an axis occurs twice");
    reduced[int(axes.values[i])] = true;
  }
  REQUIRE(flag(args.attrs[axes.length + 1]), "keepDims must be 0 or 1");
  const bool keep = args.attrs[axes.length + 1] != 0;
  int rank = 0;
  for (int d = 0; d < in.rank; ++d) {
    if (reduced[d] && !keep) continue;
    REQUIRE(rank < out.rank && out.dims[rank] == (reduced[d] ? 1 : in.dims[d]), "the output must have the reduced shape");
    ++rank;
  }
  REQUIRE(rank == out.rank, "the output must have the reduced shape");
  return nullptr;
}

bool same_dtype(const View& a, const View& b) { return a.dtype == b.dtype; }

// The attributes (begin..., shape...): `inner` at begin lies within `outer`, and `shape` is that of the output.
const char* block_within(const Args& args, const View& inner, const View& outer) {
  const View& out = args.out[0];
  List begin, shape;
  REQUIRE(begin.read(args, 0) && begin.length == outer.rank, "begin must have as many values as the input has dimensions");
  REQUIRE(shape.read(args, begin.length + 1) && shape.equals_dims(out), "shape must be the output's");
  PASS(basics(args, begin.length + shape.length + 2));
  REQUIRE(inner.rank == outer.rank, "the output must have the input's rank");
  REQUIRE(same_dtype(inner, outer), "the output must have the input's dtype");
  for (int d = 0; d < outer.rank; ++d) {
    REQUIRE(inner.dims[d] <= outer.dims[d], "the block is larger than what it lies in");
    REQUIRE(integer(begin.values[d], 0, double(outer.dims[d] - inner.dims[d])), "the block does not lie inside");
  }
  return nullptr;
}

// `taken` holds as many rows as there are indices, and its rows are those of `table`.
const char* rows_by_index(const View& table, const View& indices, const View& taken) {
  REQUIRE(indices.dtype == DType::int32 && indices.rank == 1, "indices must be int32 [k]");
  REQUIRE(table.rank >= 1 && taken.rank == table.rank, "the rows must have the same rank on both sides");
  REQUIRE(taken.dims[0] == indices.dims[0], "there must be as many rows as indices");
  for (int d = 1; d < table.rank; ++d) REQUIRE(taken.dims[d] == table.dims[d], "the rows must have the same shape on both sides");
  return nullptr;
}

}  // namespace

const char* broadcast(const Args& args) {
  PASS(basics(args, 0));
  PASS(floats(args, 2));
  return broadcasts(args.in[0], args.in[1], args.out[0]);
}

const char* compare(const Args& args) {
  const View &a = args.in[0], &b = args.in[1], &out = args.out[0];
  PASS(basics(args, 0));
  REQUIRE(a.dtype == b.dtype && a.dtype != DType::uint8, "operands must both be floating-point or both int32");
  REQUIRE(out.dtype == (is_float(a) ? a.dtype : DType::float32), "the output must have the operands' dtype, or float32 for int32");
  return broadcasts(a, b, out);
}

const char* reduce(const Args& args) {
  PASS(floats(args, 1));
  return reduces(args, args.in[0], args.out[0]);
}

const char* max(const Args& args) {
  PASS(reduce(args));
  REQUIRE(args.in[0].size > 0 || args.out[0].size == 0, "there is no maximum of nothing");
  return nullptr;
}

const char* max_grad(const Args& args) {
  const View &dout = args.in[0], &input = args.in[1], &output = args.in[2], &dinput = args.out[0];
  PASS(floats(args, 3));
  PASS(reduces(args, input, output));
  REQUIRE(same_shape(dout, output), "dout must have the output's shape");
  REQUIRE(same_shape(dinput, input), "dinput must have the input's shape");
  return nullptr;
}

const char* squared_norm(const Args& args) {
  PASS(basics(args, 0));
  PASS(floats(args, 1));
  REQUIRE(args.out[0].rank == 0, "the output must be a scalar");
  return nullptr;
}

const char* argmax(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  PASS(basics(args, 1));
  REQUIRE(is_float(in) && out.dtype == DType::int32, "argmax goes from floating-point to int32");
  REQUIRE(integer(args.attrs[0], 0, in.rank - 1), "the axis is out of range");
  REQUIRE(out.rank == in.rank - 1, "the output must have the input's shape without the axis");
  const int axis = int(args.attrs[0]);
  for (int d = 0; d < out.rank; ++d) REQUIRE(out.dims[d] == in.dims[d < axis ? d : d + 1], "the output must have the input's shape without the axis");
  REQUIRE(in.size > 0 || out.size == 0, "there is no maximum of nothing");
  REQUIRE(in.dims[axis] <= INT32_MAX, "the axis is too long for an int32 index");
  return nullptr;
}

const char* broadcast_to(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  List shape;
  REQUIRE(shape.read(args, 0) && shape.equals_dims(out), "shape must be the output's");
  PASS(basics(args, shape.length + 1));
  REQUIRE(same_dtype(in, out), "the output must have the input's dtype");
  REQUIRE(in.rank <= out.rank, "the output must not have a lower rank");
  for (int d = 0; d < in.rank; ++d)
    REQUIRE(in.dims[d] == 1 || in.dims[d] == out.dims[d + out.rank - in.rank], "the input's dimensions must be 1 or the output's");
  return nullptr;
}

const char* transpose(const Args& args) {
  const View &in = args.in[0], &out = args.out[0];
  List perm;
  REQUIRE(perm.read(args, 0) && perm.length == in.rank, "perm must name each dimension");
  PASS(basics(args, perm.length + 1));
  REQUIRE(same_dtype(in, out), "the output must have the input's dtype");
  REQUIRE(out.rank == in.rank, "the output must have the input's rank");
  bool used[kMaxRank] = {};
  for (int d = 0; d < in.rank; ++d) {
    REQUIRE(integer(perm.values[d], 0, in.rank - 1) && !used[int(perm.values[d])], "perm must name each dimension once");
    used[int(perm.values[d])] = true;
    REQUIRE(out.dims[d] == in.dims[int(perm.values[d])], "the output must have the permuted shape");
  }
  return nullptr;
}

const char* slice(const Args& args) { return block_within(args, args.out[0], args.in[0]); }

const char* pad(const Args& args) { return block_within(args, args.in[0], args.out[0]); }

const char* concat(const Args& args) {
  const View& out = args.out[0];
  PASS(basics(args, 1));
  REQUIRE(integer(args.attrs[0], 0, out.rank - 1), "the axis is out of range");
  const int axis = int(args.attrs[0]);
  int64_t left = out.dims[axis];
  for (int i = 0; i < args.n_in; ++i) {
    const View& in = args.in[i];
    REQUIRE(same_dtype(in, out), "operands must have the output's dtype");
    REQUIRE(in.rank == out.rank, "operands must have the output's rank");
    for (int d = 0; d < out.rank; ++d) REQUIRE(d == axis || in.dims[d] == out.dims[d], "operands must have the output's shape but for the axis");
    REQUIRE(in.dims[axis] <= left, "operands are longer than the output along the axis");
    left -= in.dims[axis];
  }
  REQUIRE(left == 0, "operands are shorter than the output along the axis");
  return nullptr;
}

const char* gather(const Args& args) {
  PASS(basics(args, 1));
  REQUIRE(args.attrs[0] == int(args.out[0].dtype), "dtype must be the output's");
  return rows_by_index(args.in[0], args.in[1], args.out[0]);
}

const char* gather_grad(const Args& args) {
  const View &dout = args.in[0], &dsource = args.out[0];
  PASS(basics(args, 1));
  PASS(floats(args, 1));
  PASS(rows_by_index(dsource, args.in[1], dout));
  REQUIRE(args.attrs[0] == double(dsource.dims[0]), "rows must be the output's first dimension");
  return nullptr;
}

namespace {

// input[b, h, w, c], transform[b, 6] and, where there is one, displacement[b, 2, h, w]; the attributes (fill, value).
const char* warps(const Args& args, const View& input, int transform) {
  PASS(basics(args, 2));
  PASS(floats(args, args.n_in));
  REQUIRE(integer(args.attrs[0], 0, 3), "fill is out of range");
  REQUIRE(input.rank == 4, "images must be [batch, height, width, channels]");
  REQUIRE(shaped(args.in[transform], {input.dims[0], 6}), "there must be a transform of six numbers for each image");
  REQUIRE(args.n_in == transform + 1 || shaped(args.in[transform + 1], {input.dims[0], 2, input.dims[1], input.dims[2]}),
          "displacements must be [batch, 2, height, width]");
  return nullptr;
}

}  // namespace

const char* warp(const Args& args) {
  PASS(warps(args, args.in[0], 1));
  REQUIRE(same_shape(args.in[0], args.out[0]), "the output must have the input's shape");
  return nullptr;
}

const char* warp_grad(const Args& args) {
  const View &dout = args.in[0], &input = args.in[1];
  PASS(warps(args, input, 2));
  REQUIRE(same_shape(dout, input) && same_shape(args.out[0], input), "dout and dinput must have the input's shape");
  REQUIRE(shaped(args.out[1], {input.dims[0], 2, input.dims[1], input.dims[2]}), "the second output must be [batch, 2, height, width]");
  return nullptr;
}

const char* cast(const Args& args) {
  PASS(basics(args, 1));
  REQUIRE(args.attrs[0] == int(args.out[0].dtype), "dtype must be the output's");
  REQUIRE(same_shape(args.in[0], args.out[0]), "the output must have the input's shape");
  return nullptr;
}

const char* assign(const Args& args) {
  PASS(basics(args, 0));
  REQUIRE(same_dtype(args.in[0], args.in[1]) && same_shape(args.in[0], args.in[1]), "target and source must have the same shape and dtype");
  return nullptr;
}

}  // namespace simdnn::check
