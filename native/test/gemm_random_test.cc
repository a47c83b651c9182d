// Matrix products of random shapes: the forms meet at limits that no list names. SIMDNN_SEED=n tries other shapes.
#include <cstdint>
#include <cstdlib>
#include <random>

#include "kernel_case.h"
#include "test.h"

namespace {

using namespace simdnn;
using namespace simdnn::test;

constexpr int64_t kMostProducts = 2500000;  // enough for a piece of work for each of seven threads

struct Shapes {
  std::mt19937_64 generator;
  int64_t between(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(generator); }

  // Narrow, a few vectors, many vectors or very long; whole vectors as often as not.
  int64_t dim() {
    constexpr int64_t highest[] = {16, 16, 70, 70, 300, 300, 3000};
    const int64_t any = between(1, highest[between(0, std::size(highest) - 1)]);
    return between(0, 2) > 0 ? any : any < 16 ? 16 : any / 16 * 16;
  }
};

Operand operand(int64_t rows, int64_t columns, bool transposed) { return transposed ? normal_numbers({columns, rows}) : normal_numbers({rows, columns}); }

}  // namespace

TEST("gemm: random shapes, forms, alpha, beta, biases and activations") {
  const char* seed = std::getenv("SIMDNN_SEED");
  Shapes shapes{std::mt19937_64(seed ? std::strtoull(seed, nullptr, 10) : 1)};
  for (int done = 0; done < 250;) {
    const int64_t m = shapes.dim(), n = shapes.dim(), k = shapes.dim();
    if (m * n * k > kMostProducts || (done % 5 != 0 && m * n * k > kMostProducts / 20)) continue;
    done++;
    // The partial sums of k normal products have deviations up to √k, their roundings add up to one of 2.4e-8 k. The worst of
    // millions of elements is four deviations off in both; a product that is missing is off by 0.6.
    const double rounding = 4e-7 * static_cast<double>(k + 8), transpose_a = double(shapes.between(0, 1)), transpose_b = double(shapes.between(0, 1));
    const Operand a = operand(m, k, transpose_a != 0), b = operand(k, n, transpose_b != 0);
    const int64_t op = shapes.between(0, 3);
    if (op < 2) {
      check_case({op_matmul, {a, b}, {{{m, n}, {}}}, {transpose_a, transpose_b}, 0, rounding});
    } else if (op == 2) {
      const double scales[] = {0, 1, -0.5};
      const double alpha = scales[shapes.between(1, 2)], beta = scales[shapes.between(0, 2)];
      check_case({op_gemm, {a, b, normal_numbers({m, n})}, {}, {transpose_a, transpose_b, alpha, beta}, 1, rounding});
    } else {
      std::vector<Operand> in{normal_numbers({m, k}), normal_numbers({k, n})};
      if (shapes.between(0, 2) > 0) in.push_back(normal_numbers({n}));
      check_case({op_dense, in, {{{m, n}, {}}}, {double(shapes.between(0, 6)), 0.3}, 4, rounding});
    }
  }
}
