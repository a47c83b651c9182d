// The matrix products of simd/ against the reference, over the shapes at which they choose differently: tiles, packed or
// in place, rows of tiles, blocks of k, narrow results, and the ends of all of these.
#include <cstdint>
#include <vector>

#include "kernel_case.h"
#include "test.h"

namespace {

using namespace simdnn;
using namespace simdnn::test;

struct Shape {
  int64_t m, n, k;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (int64_t m : {0, 1, 3, 17})
    for (int64_t n : {0, 1, 5, 33})
      for (int64_t k : {0, 1, 2, 40}) all.push_back({m, n, k});
  uint32_t state = 1;
  const auto below = [&state](uint32_t limit) { return static_cast<int64_t>((state = state * 1664525 + 1013904223) >> 16) % limit; };
  for (int i = 0; i < 60; i++) all.push_back({1 + below(33), 1 + below(33), 1 + below(33)});
  const Shape large[] = {
      {128, 10, 256}, {256, 10, 67},  {10, 67, 128}, {128, 67, 10},   {131, 96, 10},  {1, 67, 300},    {67, 1, 300},   {8, 130, 131},
      {13, 129, 65},  {33, 77, 101},  {61, 67, 71},  {127, 129, 131}, {41, 140, 512}, {41, 140, 1100}, {140, 41, 600}, {600, 33, 40},
      {300, 300, 30}, {1, 1100, 203}, {40, 600, 29}, {21, 70, 1024},  {35, 97, 2100}, {67, 70, 650},
  };
  all.insert(all.end(), std::begin(large), std::end(large));
  return all;
}

// A sum of k products of normal numbers is off by about its roundings' random walk; no product may be missing.
double rounding(int64_t k) { return 2e-7 * static_cast<double>(k + 8); }

Operand operand(int64_t rows, int64_t columns, bool transposed) { return transposed ? normal_numbers({columns, rows}) : normal_numbers({rows, columns}); }

}  // namespace

TEST("gemm: matmul in four transpose forms") {
  for (auto [m, n, k] : shapes())
    for (bool ta : {false, true})
      for (bool tb : {false, true}) check_case({op_matmul, {operand(m, k, ta), operand(k, n, tb)}, {{{m, n}, {}}}, {double(ta), double(tb)}, 0, rounding(k)});
}

TEST("gemm: alpha and beta") {
  for (auto [m, n, k] : shapes())
    for (int form = 0; form < 4; form++) {
      const bool ta = form & 1, tb = form & 2;
      const double alpha = form == 1 ? 1 : -0.5, beta = form == 2 ? 1 : form == 3 ? 0 : 0.75;
      check_case({op_gemm, {operand(m, k, ta), operand(k, n, tb), normal_numbers({m, n})}, {}, {double(ta), double(tb), alpha, beta}, 1, rounding(k)});
    }
}

// The smallest normal number is 1.2e-38: what is rounded before it is added to something is not what is rounded after.
TEST("gemm: the same bits for any number of threads where sums are about to vanish") {
  for (auto [m, n, k] : {Shape{64, 130, 700}, Shape{17, 130, 700}})
    check_case({op_gemm, {normal_numbers({m, k}, 2e-20), normal_numbers({k, n}, 2e-20), normal_numbers({m, n}, 1e-38)}, {}, {0, 0, -0.5, 0.75}, 0, 1e-42});
}

TEST("gemm: beta = 0 does not read c") {
  for (auto [m, n, k] : {Shape{5, 7, 9}, Shape{40, 10, 200}, Shape{40, 70, 300}})
    check_case({op_gemm, {operand(m, k, false), operand(k, n, false), with_specials(normal_numbers({m, n}))}, {}, {0, 0, 2, 0}, 0, 2 * rounding(k)});
}

TEST("gemm: dense with and without a bias, with every activation it takes") {
  int kind = 0;
  for (auto [m, n, k] : shapes()) {
    const std::vector<double> attrs{double(kind++ % 7), 0.3};
    check_case({op_dense, {normal_numbers({m, k}), normal_numbers({k, n}), normal_numbers({n})}, {{{m, n}, {}}}, attrs, 4, rounding(k)});
    check_case({op_dense, {normal_numbers({m, k}), normal_numbers({k, n})}, {{{m, n}, {}}}, attrs, 4, rounding(k)});
  }
  check_case({op_dense, {normal_numbers({2, 3, 5}), normal_numbers({5, 7}), normal_numbers({7})}, {{{2, 3, 7}, {}}}, {1, 0}, 4, rounding(5)});
}
