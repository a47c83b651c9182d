// Kernels that are matrix products, for float32: matmul, gemm, dense. The product itself is gemm.h's.
#include "gemm.h"

#include "isa.h"

namespace simdnn {
namespace {

// op(a) op(b) for two views of rank 2
Gemm product(const Args& args, float* c) {
  const View &a = args.in[0], &b = args.in[1];
  const Matrix left{data<float>(a), a.dims[1], 1}, right{data<float>(b), b.dims[1], 1};
  const int transpose_a = static_cast<int>(args.attrs[0]), transpose_b = static_cast<int>(args.attrs[1]);
  Gemm g{};
  g.m = a.dims[transpose_a], g.k = a.dims[1 - transpose_a], g.n = b.dims[1 - transpose_b];
  g.a = transpose_a ? transposed(left) : left;
  g.b = transpose_b ? transposed(right) : right;
  g.target = {c, g.n, c, g.n, 1, 0};
  return g;
}

Gemm matmul_problem(const Args& args) { return product(args, data<float>(args.out[0])); }

Gemm gemm_problem(const Args& args) {
  Gemm g = product(args, data<float>(args.in[2]));
  g.target.alpha = static_cast<float>(args.attrs[2]), g.target.beta = static_cast<float>(args.attrs[3]);
  return g;
}

Gemm dense_problem(const Args& args) {
  const View &input = args.in[0], &weight = args.in[1];
  Gemm g{};
  g.m = 1, g.k = weight.dims[0], g.n = weight.dims[1];
  for (int i = 0; i + 1 < input.rank; i++) g.m *= input.dims[i];
  g.a = {data<float>(input), g.k, 1}, g.b = {data<float>(weight), g.n, 1};
  float* output = data<float>(args.out[0]);
  g.target = {output, g.n, output, g.n, 1, 0};
  if (args.n_in > 2) g.target.d = data<float>(args.in[2]), g.target.d_row = 0, g.target.beta = 1;
  g.activation = static_cast<Activation>(static_cast<int>(args.attrs[0])), g.slope = static_cast<float>(args.attrs[1]);
  return g;
}

template <Gemm problem(const Args&)>
void run(const Args& args) {
  gemm(args, problem(args));
}
template <Gemm problem(const Args&)>
int64_t scratch(const Args& args) {
  return gemm_scratch(problem(args));
}

}  // namespace

void SIMDNN_FOR_ISA(override_gemm)(KernelTable& table) {
  table.f32[op_matmul] = run<matmul_problem>, table.scratch32[op_matmul] = scratch<matmul_problem>;
  table.f32[op_gemm] = run<gemm_problem>, table.scratch32[op_gemm] = scratch<gemm_problem>;
  table.f32[op_dense] = run<dense_problem>, table.scratch32[op_dense] = scratch<dense_problem>;
}

}  // namespace simdnn
