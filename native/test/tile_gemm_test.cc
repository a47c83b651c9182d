// Matrix products of the sizes that take the tile unit where there is one: not less accurate than float32 for many
// distributions of numbers, infinities and NaN as float32 has them, and the ends of tiles, rounds and bands.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "kernel_case.h"
#include "table.h"
#include "test.h"

namespace {

using namespace simdnn;
using namespace simdnn::test;

struct Problem {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
  std::vector<float> a, b;
  float a_at(int64_t i, int64_t p) const { return a[size_t(transpose_a ? p * m + i : i * k + p)]; }
  float b_at(int64_t p, int64_t j) const { return b[size_t(transpose_b ? j * k + p : p * n + j)]; }
};

using Number = std::function<double(int64_t line, int64_t p)>;

// Both operands by line (row of a, column of b) and place along k.
Problem problem(int64_t m, int64_t n, int64_t k, int form, const Number& a, const Number& b) {
  Problem x{m, n, k, (form & 1) != 0, (form & 2) != 0, std::vector<float>(size_t(m * k)), std::vector<float>(size_t(k * n))};
  for (int64_t i = 0; i < m; i++)
    for (int64_t p = 0; p < k; p++) x.a[size_t(x.transpose_a ? p * m + i : i * k + p)] = static_cast<float>(a(i, p));
  for (int64_t j = 0; j < n; j++)
    for (int64_t p = 0; p < k; p++) x.b[size_t(x.transpose_b ? j * k + p : p * n + j)] = static_cast<float>(b(j, p));
  return x;
}

std::vector<float> multiply(const Problem& x, Isa isa) {
  std::vector<float> a = x.a, b = x.b, c(size_t(x.m * x.n));
  const View in[] = {{a.data(), {x.transpose_a ? x.k : x.m, x.transpose_a ? x.m : x.k}, x.m * x.k, 2, DType::float32},
                     {b.data(), {x.transpose_b ? x.n : x.k, x.transpose_b ? x.k : x.n}, x.k * x.n, 2, DType::float32}};
  const View out{c.data(), {x.m, x.n}, x.m * x.n, 2, DType::float32};
  const double attrs[] = {double(x.transpose_a), double(x.transpose_b)};
  Status status{};
  Args args{in, &out, attrs, 2, 1, 2, nullptr, 0, nullptr, 1, &status};
  const KernelTable& table = kernel_table(isa);
  const Scratch scratch = table.scratch32[op_matmul];
  args.scratch_bytes = scratch ? scratch(args) : 0;
  std::vector<uint8_t> memory(size_t(args.scratch_bytes) + 64);
  args.scratch = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
  table.f32[op_matmul](args);
  return c;
}

// The largest error over all elements, against the norms of the row and the column; infinite where one has no finite value.
double error(const Problem& x, const std::vector<float>& c) {
  double worst = 0;
  for (int64_t i = 0; i < x.m; i++)
    for (int64_t j = 0; j < x.n; j++) {
      double exact = 0, a = 0, b = 0;
      for (int64_t p = 0; p < x.k; p++) {
        const double u = x.a_at(i, p), v = x.b_at(p, j);
        exact += u * v, a += u * u, b += v * v;
      }
      const double norms = std::sqrt(a) * std::sqrt(b), off = std::fabs(c[size_t(i * x.n + j)] - exact);
      worst = std::max(worst, std::isfinite(off) ? (off == 0 ? 0 : off / norms) : std::numeric_limits<double>::infinity());
    }
  return worst;
}

// One chain of fused multiply-adds per element, in order: the plain float32 loop.
std::vector<float> plain(const Problem& x) {
  std::vector<float> c(size_t(x.m * x.n));
  for (int64_t i = 0; i < x.m; i++)
    for (int64_t j = 0; j < x.n; j++) {
      float sum = 0;
      for (int64_t p = 0; p < x.k; p++) sum = std::fma(x.a_at(i, p), x.b_at(p, j), sum);
      c[size_t(i * x.n + j)] = sum;
    }
  return c;
}

std::mt19937_64 generator(7);
double normal() { return std::normal_distribution<double>()(generator); }
double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(generator); }

const Number gaussian = [](int64_t, int64_t) { return normal(); };

// The tile unit rounds otherwise: the same bits would say that a test of it tests something else.
void expect_tile_unit(int64_t m, int64_t n, int64_t k) {
  if (!isa_available(Isa::amx)) return;
  const Problem x = problem(m, n, k, 0, gaussian, gaussian);
  EXPECT(multiply(x, Isa::amx) != multiply(x, Isa::avx512));
}

struct Distribution {
  const char* name;
  Number a, b;
};

std::vector<Distribution> distributions() {
  const auto ignore = [](double (*f)()) { return [f](int64_t, int64_t) { return f(); }; };
  const Number positive = ignore([] { return uniform(0, 1); }), signs = ignore([] { return uniform(-1, 1); });
  const auto rows = [](double most) { return Number([most](int64_t line, int64_t) { return normal() * std::exp2(most * std::sin(double(line) * 1.7)); }); };
  const Number wide = [](int64_t, int64_t) { return normal() * std::exp2(uniform(-20, 20)); };
  const auto scaled = [](double factor) { return Number([factor](int64_t, int64_t) { return normal() * factor; }); };
  // Neighbours along k nearly cancel, with what is left in the last places.
  const Number same = [](int64_t line, int64_t p) { return std::sin(double(line + p / 2)) * 1000; };
  const Number opposite = [](int64_t line, int64_t p) { return (p % 2 ? -1 : 1) * (std::cos(double(line * 3 + p / 2)) + uniform(0, 1e-6)); };
  const Number last_bits = [](int64_t, int64_t) { return 1 + std::ldexp(double(generator() % 256), -23); };
  return {
      {"normal", gaussian, gaussian},
      {"uniform, positive", positive, positive},
      {"uniform, both signs", signs, signs},
      {"rows from 2^-60 to 2^60", rows(60), gaussian},
      {"rows and columns from 2^-30 to 2^30", rows(30), rows(30)},
      {"numbers from 2^-20 to 2^20", wide, wide},
      {"cancelling", same, opposite},
      {"all in the last bits", last_bits, last_bits},
      {"rows of 1e-36, whose last pieces would be denormal", scaled(1e-36), gaussian},
      {"1e-34 times 1e34", scaled(1e-34), scaled(1e34)},
      {"denormals times 1e30", scaled(1e-40), scaled(1e30)},
      {"products of 1e30, beyond what the scale leaves", scaled(1e15), scaled(1e15)},
      {"up to the largest float", scaled(5e35), scaled(1)},
  };
}

struct Shape {
  int64_t m, n, k;
};

}  // namespace

TEST("tile gemm: as accurate as the plain float32 loop and as AVX-512, for many distributions") {
  if (!isa_available(Isa::amx)) return;
  for (const auto& [name, a, b] : distributions())
    for (auto [m, n, k] : {Shape{128, 128, 320}, Shape{288, 160, 1100}, Shape{96, 160, 1152}}) {
      expect_tile_unit(m, n, k);
      const int form = static_cast<int>(generator() % 4);
      const Problem x = problem(m, n, k, form, a, b);
      const double got = error(x, multiply(x, Isa::amx)), loop = error(x, plain(x)), vectors = error(x, multiply(x, Isa::avx512));
      if (std::getenv("SIMDNN_SWEEP")) std::printf("%s, k = %d: %.2e, plain loop %.2e, AVX-512 %.2e\n", name, int(k), got, loop, vectors);
      if (got > loop || got > vectors || !std::isfinite(got))
        fail(__FILE__, __LINE__,
             std::string(name) + ": " + std::to_string(got * 1e9) + "e-9, the plain loop " + std::to_string(loop * 1e9) + "e-9, AVX-512 " +
                 std::to_string(vectors * 1e9) + "e-9");
    }
}

TEST("tile gemm: infinities, NaN and overflow are those of float32") {
  expect_tile_unit(159, 160, 220);
  using Limits = std::numeric_limits<float>;
  const float specials[] = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::max(), Limits::lowest()};
  for (int form = 0; form < 4; form++)
    for (float special : specials) {
      Problem x = problem(159, 160, 220, form, gaussian, gaussian);
      // Of a row, of a column, and against a zero, a one and an infinity.
      x.a[5] = x.a[x.a.size() / 2] = x.b[77] = special;
      std::fill(x.b.begin() + 300, x.b.begin() + 500, 0.0f);
      std::fill(x.b.begin() + 1000, x.b.begin() + 1200, 1.0f);
      x.b[x.b.size() - 1] = Limits::infinity();
      const std::vector<float> wanted = plain(x);
      for (Isa isa : kSimdIsas) {
        if (!isa_available(isa)) continue;
        const std::vector<float> got = multiply(x, isa);
        int64_t different = 0;
        for (size_t i = 0; i < got.size(); i++)
          different += std::isnan(got[i]) != std::isnan(wanted[i]) || std::isinf(got[i]) != std::isinf(wanted[i]) ||
                       (!std::isnan(got[i]) && std::signbit(got[i]) != std::signbit(wanted[i]) && std::isinf(got[i]));
        EXPECT_EQ(different, int64_t{0});
      }
    }
}

// By their shapes these take the tile unit where there is one: ends of tiles and blocks, several rounds of k, several bands.
TEST("tile gemm: every form at the ends of tiles, rounds and bands") {
  for (auto [m, n, k] : {Shape{128, 128, 128}, Shape{333, 270, 130}, Shape{160, 147, 1057}, Shape{449, 448, 60}, Shape{340, 337, 1000}, Shape{96, 200, 1040}}) {
    expect_tile_unit(m, n, k);
    const double rounding = 1e-6 * static_cast<double>(k);  // finds a product that is missing; the tests above, a piece of one
    for (bool ta : {false, true})
      for (bool tb : {false, true}) {
        const std::vector<int64_t> a = ta ? std::vector<int64_t>{k, m} : std::vector<int64_t>{m, k},
                                   b = tb ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
        if (k < 500) check_case({op_matmul, {normal_numbers(a), normal_numbers(b)}, {{{m, n}, {}}}, {double(ta), double(tb)}, 0, rounding});
        if (ta == tb)
          check_case({op_gemm, {normal_numbers(a), normal_numbers(b), normal_numbers({m, n})}, {}, {double(ta), double(tb), -0.5, 0.75}, 0, rounding});
      }
    check_case({op_dense, {normal_numbers({m, k}), normal_numbers({k, n}), normal_numbers({n})}, {{{m, n}, {}}}, {4, 0}, 4, rounding});
  }
  check_case({op_gemm, {normal_numbers({128, 128}), normal_numbers({128, 128}), with_specials(normal_numbers({128, 128}))}, {}, {0, 0, 2, 0}, 0, 1e-4});
}
