// Every op that simd/ overrides, on sizes around the vector widths and some that several threads share.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <tuple>

#include "kernel_case.h"
#include "test.h"

namespace {

using namespace simdnn;
using namespace simdnn::test;

// 0 … 2 N + 1 for the widest vectors, then lengths that end in the middle of blocks, grains and vectors.
std::vector<int64_t> lengths() {
  std::vector<int64_t> all;
  for (int64_t n = 0; n <= 33; n++) all.push_back(n);
  for (int64_t n : {63, 65, 127, 129, 1000, 4097, 50021}) all.push_back(n);
  return all;
}

// [rows, columns] around the widths of strips, and two that several threads share.
std::vector<std::pair<int64_t, int64_t>> matrices(int64_t fewest_rows = 0) {
  std::vector<std::pair<int64_t, int64_t>> all;
  for (int64_t columns : {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 33, 63, 64, 65, 100})
    for (int64_t rows : {0, 1, 2, 3, 7, 65})
      if (rows >= fewest_rows) all.push_back({rows, columns});
  all.push_back({131, 517});
  all.push_back({7, 9001});
  all.push_back({9001, 3});
  return all;
}

double number(Activation kind) { return static_cast<double>(kind); }
constexpr Activation kActivations[] = {Activation::linear, Activation::relu,     Activation::leaky_relu, Activation::elu, Activation::sigmoid,
                                       Activation::tanh,   Activation::softplus, Activation::swish,      Activation::gelu};

}  // namespace

TEST("simd: functions of one operand") {
  for (int64_t n : lengths()) {
    for (int op : {op_neg, op_sqrt, op_square, op_abs, op_sign, op_exp, op_log}) {
      const double ulps = op == op_exp || op == op_log ? 1.1 : 0.5;
      check_case({op, {normal_numbers({n}, 5)}, {{{n}, {}}}, {}, ulps, 0, {{0, 0}}});
      check_case({op, {with_specials(normal_numbers({n}, 5))}, {{{n}, {}}}, {}, ulps, 0, {{0, 0}}});
    }
    check_case({op_clip, {with_specials(normal_numbers({n}))}, {{{n}, {}}}, {-0.5, 0.25}, 0, 0, {{0, 0}}});
    check_case({op_cast, {integers({n}, 256, DType::uint8)}, {{{n}, {}}}, {0}});
    check_case({op_cast, {integers({n}, 1 << 30)}, {{{n}, {}}}, {0}, 0.5});
    check_case({op_cast, {normal_numbers({n}, 100)}, {{{n}, {}, DType::int32}}, {2}});
  }
}

TEST("simd: functions of two operands, broadcast") {
  constexpr int kOps[] = {op_add, op_sub, op_mul, op_div, op_maximum, op_minimum, op_equal, op_greater, op_greater_equal};
  for (int op : kOps) {
    const auto check = [&](Operand a, Operand b, std::vector<int64_t> out, std::vector<std::pair<int, int>> in_place = {}) {
      check_case({op, {a, b}, {{out, {}}}, {}, 0.5, 0, in_place});
    };
    for (int64_t n : lengths()) {
      check(normal_numbers({n}), normal_numbers({n}), {n}, {{0, 0}, {0, 1}});
      check(with_specials(normal_numbers({n})), with_specials(normal_numbers({n})), {n}, {{0, 0}, {0, 1}});
      check(normal_numbers({n}), normal_numbers({}), {n}, {{0, 0}});
      check(normal_numbers({1}), normal_numbers({n}), {n}, {{0, 1}});
    }
    for (auto [rows, columns] : matrices()) {
      check(normal_numbers({rows, columns}), normal_numbers({columns}), {rows, columns}, {{0, 0}});
      check(normal_numbers({rows, columns}), normal_numbers({rows, 1}), {rows, columns}, {{0, 0}});
      check(normal_numbers({1, columns}), normal_numbers({rows, columns}), {rows, columns}, {{0, 1}});
      check(normal_numbers({rows, 1}), normal_numbers({1, columns}), {rows, columns});
    }
    check(normal_numbers({2, 3, 5}), normal_numbers({3, 1}), {2, 3, 5});
    check(normal_numbers({2, 3, 5}), normal_numbers({3, 5}), {2, 3, 5});
    check(normal_numbers({2, 3, 1}), normal_numbers({2, 1, 5}), {2, 3, 5});
    check(normal_numbers({2, 3, 1}), normal_numbers({5}), {2, 3, 5});
    check(normal_numbers({2, 1, 1}), normal_numbers({5}), {2, 3, 5});
  }
  check_case({op_equal, {integers({1000}, 3), integers({1000}, 3)}, {{{1000}, {}}}});
}

TEST("simd: a scaled sum") {
  for (int64_t n : lengths())
    check_case({op_add_scaled,
                {with_specials(normal_numbers({n})), normal_numbers({n}), one_number(0.375, DType::float32)},
                {{{n}, {}}},
                {},
                0.5,
                0,
                {{0, 0}, {0, 1}}});
}

TEST("simd: select") {
  for (int64_t n : lengths())
    check_case({op_select,
                {with_specials(integers({n}, 2, DType::float32)), normal_numbers({n}), normal_numbers({n})},
                {{{n}, {}}},
                {},
                0,
                0,
                {{0, 0}, {0, 1}, {0, 2}}});
}

TEST("simd: activations and their gradients") {
  for (Activation kind : kActivations) {
    const std::vector<double> attrs{number(kind), 0.3};
    const bool from_output = kind != Activation::swish && kind != Activation::gelu;
    for (int64_t n : lengths()) {
      // The largest error is gelu's; its factor Φ becomes a denormal below -13.
      check_case({op_activation, {normal_numbers({n}, 4)}, {{{n}, {}}}, attrs, 6.1, 1e-43, {{0, 0}}});
      const Operand saved = from_output ? uniform_numbers({n}) : normal_numbers({n}, 3);
      // In 1 - y², y (1 - y) and near a derivative's zero the operand's last place counts absolutely.
      check_case({op_activation_grad, {normal_numbers({n}), saved}, {{{n}, {}}}, attrs, 5, 1e-6, {{0, 0}, {0, 1}}});
    }
    for (auto [rows, columns] : matrices()) {
      if (!from_output) continue;
      const double absolute = 1e-6 * std::sqrt(static_cast<double>(rows) + 1) + 2e-7;
      check_case({op_dense_grad,
                  {normal_numbers({rows, columns}), uniform_numbers({rows, columns})},
                  {{{rows, columns}, {}}, {{columns}, {}}},
                  attrs,
                  5,
                  absolute,
                  {{0, 0}, {0, 1}}});
    }
  }
}

TEST("simd: NaN and infinities go through activations as through the reference") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (Activation kind : kActivations) {
    check_case({op_activation, {{{5}, {nan, inf, 0.0, -100.0, 100.0}}}, {{{5}, {}}}, {number(kind), 0.3}, 5, 1e-40});
    check_case({op_activation_grad, {{{3}, {1.0, nan, 1.0}}, {{3}, {nan, 1.0, 0.0}}}, {{{3}, {}}}, {number(kind), 0.3}, 5});
  }
}

// The largest difference within an operand: no element is further from its row's maximum.
double spread(const Operand& x) {
  const auto [least, most] = std::minmax_element(x.values.begin(), x.values.end());
  return x.values.empty() ? 0 : *most - *least;
}

// Besides the distance from the maximum: simd/softmax.cc says of what.
constexpr double kSoftmaxUlps = 12;

TEST("simd: softmax, its logarithm and their gradients") {
  for (auto [rows, columns] : matrices()) {
    const Operand x = normal_numbers({rows, columns}, 3), dout = normal_numbers({rows, columns}), out{{rows, columns}, {}};
    check_case({op_softmax, {x}, {out}, {}, spread(x) + kSoftmaxUlps, 0, {{0, 0}}});
    check_case({op_log_softmax, {x}, {out}, {}, 4, 1e-6, {{0, 0}}});
    const double absolute = 1e-7 * static_cast<double>(columns) + 1e-6;
    check_case({op_softmax_grad, {dout, uniform_numbers({rows, columns})}, {out}, {}, 4, absolute, {{0, 0}, {0, 1}}});
    check_case({op_log_softmax_grad, {dout, normal_numbers({rows, columns}, 1, -5)}, {out}, {}, 4, absolute, {{0, 0}, {0, 1}}});
  }
  check_case({op_softmax, {with_specials(normal_numbers({40, 3}))}, {{{40, 3}, {}}}, {}, 8, 1e-38});
}

TEST("simd: cross-entropies") {
  for (auto [rows, columns] : matrices()) {
    const Operand logits = normal_numbers({rows, columns}, 3), soft = uniform_numbers({rows, columns}), classes = integers({rows}, columns);
    const Operand loss{{rows}, {}}, probabilities{{rows, columns}, {}};
    check_case({op_softmax_cross_entropy, {logits, classes}, {loss, probabilities}, {}, 12, 1e-6, {{1, 0}}});
    check_case({op_softmax_cross_entropy, {logits, soft}, {loss, probabilities}, {}, 12, 1e-6, {{1, 0}, {1, 1}}});
    check_case({op_softmax_cross_entropy_grad, {normal_numbers({rows}), soft, classes}, {probabilities}, {}, 2, 1e-7, {{0, 1}}});
    check_case({op_softmax_cross_entropy_grad,
                {normal_numbers({rows}), soft, uniform_numbers({rows, columns})},
                {probabilities},
                {},
                4,
                2e-6 * static_cast<double>(columns),
                {{0, 1}, {0, 2}}});
  }
  for (int64_t n : lengths()) {
    check_case({op_sigmoid_cross_entropy, {normal_numbers({n}, 5), uniform_numbers({n})}, {{{n}, {}}}, {}, 4, 2e-6, {{0, 0}, {0, 1}}});
    check_case({op_sigmoid_cross_entropy_grad,
                {normal_numbers({n}), normal_numbers({n}, 5), uniform_numbers({n})},
                {{{n}, {}}},
                {},
                4,
                1e-6,
                {{0, 0}, {0, 1}, {0, 2}}});
  }
}

TEST("simd: indices out of range are reported, the first of them, and nothing else is touched") {
  for (double bad : {-1.0, 10.0, 2147483647.0, -2147483648.0}) {
    Operand labels = integers({5001}, 10);
    for (size_t at : {5000u, 3333u, 40u}) {
      labels.values[at] = bad;
      check_case({op_softmax_cross_entropy, {normal_numbers({5001, 10}), labels}, {{{5001}, {}}, {{5001, 10}, {}}}, {}, 8, 1e-6});
      check_case({op_softmax_cross_entropy_grad, {normal_numbers({5001}), uniform_numbers({5001, 10}), labels}, {{{5001, 10}, {}}}, {}, 8, 1e-6});
      check_case({op_gather, {normal_numbers({10, 10}), labels}, {{{5001, 10}, {}}}, {0}});
    }
  }
}

TEST("simd: batch normalisation") {
  for (auto [rows, columns] : matrices(2))
    for (double mean : {0.0, 1e4}) {
      const std::vector<int64_t> c{columns};
      const Operand x = normal_numbers({rows, columns}, 1, mean), gamma = normal_numbers(c), beta = normal_numbers(c), variance = uniform_numbers(c);
      const Operand y{{rows, columns}, {}}, row{c, {}};
      // Two rows may lie so close that a last place of x becomes ε's size: 1e-3 keeps the problem itself well conditioned.
      check_case({op_batch_norm, {x, gamma, beta, normal_numbers(c), variance}, {y, row, row}, {0.9, 1e-3}, 16, 4e-6, {{0, 0}}});
      check_case({op_batch_norm_inference, {x, gamma, beta, normal_numbers(c, 1, mean), variance}, {y}, {1e-3}, 4, 4e-6, {{0, 0}}});
      const double absolute = 2e-6 * std::sqrt(static_cast<double>(rows)) * 30;
      check_case({op_batch_norm_grad,
                  {normal_numbers({rows, columns}), x, gamma, normal_numbers(c, 1, mean), uniform_numbers(c)},
                  {y, row, row},
                  {},
                  8,
                  absolute,
                  {{0, 0}, {0, 1}}});
    }
}

TEST("simd: random numbers have the reference's bits") {
  const Operand counter{{}, {7}, DType::int32};
  for (int64_t n : lengths()) {
    for (double rate : {0.0, 0.2, 0.9999})
      check_case({op_dropout, {normal_numbers({n}), counter}, {{{n}, {}}}, {rate, 0x1234567890abc, 3}, 0, 0, {{0, 0}}, true});
    const double size = static_cast<double>(n);
    check_case({op_random_uniform, {counter}, {{{n}, {}}}, {1, size, -2.5, 1.1, 0x1234567890abc, 4294967295, 0}, 0, 0, {}, true});
    check_case({op_random_uniform, {}, {{{n}, {}}}, {1, size, 0, 1, 1, 0, 0}, 0, 0, {}, true});
  }
}

TEST("simd: normal random numbers") {
  const Operand counter{{}, {7}, DType::int32};
  for (int64_t n : lengths()) {
    const double size = static_cast<double>(n);
    // The logarithm's error halves under the root; with those of the root, the cosine and two products less than 4 units.
    check_case({op_random_normal, {}, {{{n}, {}}}, {1, size, 0, 1, 1, 0, 0}, 4});
    check_case({op_random_normal, {counter}, {{{n}, {}}}, {1, size, -2.5, 1.1, 0x1234567890abc, 4294967295, 0}, 0.5, 4 * 0x1p-23 * 1.1 * 5.8});
  }
}

TEST("simd: warp") {
  for (double fill : {0, 1, 2, 3})
    for (int64_t channels : {1, 3})
      for (auto [height, width] : {std::pair<int64_t, int64_t>{1, 1}, {2, 5}, {9, 17}, {33, 16}, {64, 65}}) {
        const Operand images = normal_numbers({3, height, width, channels});
        Operand transforms = normal_numbers({3, 6});
        const Operand displacements = normal_numbers({3, 2, height, width}, 3);
        // A place is a sum of four numbers of the image's size, each rounded; a place that is wrong by ε gives a pixel that is by ε times the slopes.
        const double far = static_cast<double>(width + height), absolute = 8 * 0x1p-24 * 4 * far * 16;
        const auto check = [&](std::vector<Operand> operands) {
          check_case({op_warp, operands, {{{3, height, width, channels}, {}}}, {fill, 0.5}, 0, absolute});
        };
        check({images, transforms});
        check({images, transforms, displacements});
        // The image itself, mirrored in either direction, and moved by whole pixels, to the bit.
        for (auto [a, d, shift] : {std::tuple{1.0, 1.0, 0.0}, {-1.0, 1.0, 0.0}, {1.0, -1.0, 0.0}, {1.0, 1.0, 3.0}}) {
          Operand exact{{3, 6}, {}};
          for (int i = 0; i < 3; i++) exact.values.insert(exact.values.end(), {a, 0, shift, 0, d, -shift});
          check_case({op_warp, {images, exact}, {{{3, height, width, channels}, {}}}, {fill, 0.5}});
        }
      }
}

TEST("simd: warp keeps inside the image wherever it is sent") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (double fill : {0, 1})
    for (double place : {1e30, -1e30, inf, -inf, nan, 3e9, -3e9})
      check_case({op_warp, {normal_numbers({1, 4, 20, 1}), {{1, 6}, {0, 0, place, 0, 1, 0}}}, {{{1, 4, 20, 1}, {}}}, {fill, 0.5}});
}

TEST("simd: rows in another order") {
  for (int64_t columns : {1, 2, 7, 16, 17, 33, 100})
    for (auto [a, b] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {70, 40}}) {
      check_case({op_transpose, {normal_numbers({a, b, columns})}, {{{b, a, columns}, {}}}, {3, 1, 0, 2}});
      check_case({op_transpose, {normal_numbers({a, 2, b, columns})}, {{{b, a, 2, columns}, {}}}, {4, 2, 0, 1, 3}});
      check_case({op_transpose, {normal_numbers({a, b, columns})}, {{{a, columns, b}, {}}}, {3, 0, 2, 1}});
      check_case({op_transpose, {integers({a, b, columns}, 100)}, {{{b, a, columns}, {}, DType::int32}}, {3, 1, 0, 2}});
    }
  check_case({op_transpose, {normal_numbers({0, 3, 4})}, {{{3, 0, 4}, {}}}, {3, 1, 0, 2}});
}

TEST("simd: reductions") {
  const auto check = [](std::vector<int64_t> dims, std::vector<double> axes, std::vector<int64_t> out) {
    std::vector<double> attrs{static_cast<double>(axes.size())};
    attrs.insert(attrs.end(), axes.begin(), axes.end());
    attrs.push_back(0);
    const Operand x = normal_numbers(dims);
    // Four deviations of n roundings to 2^-25 of a running sum, which over at least 16 sums side by side grows to √(n / 16).
    const double absolute = 4 * 0x1p-25 * static_cast<double>(x.size()) / 4;
    check_case({op_sum, {x}, {{out, {}}}, attrs, 2, absolute});
    check_case({op_mean, {x}, {{out, {}}}, attrs, 2, absolute});
    if (x.size() == 0) return;
    check_case({op_max, {x}, {{out, {}}}, attrs});
    check_case({op_max, {with_specials(x)}, {{out, {}}}, attrs});
  };
  for (int64_t n : lengths()) {
    check({n}, {0}, {});
    check_case({op_squared_norm, {normal_numbers({n})}, {{{}, {}}}, {}, 4});
  }
  for (auto [rows, columns] : matrices(1)) {
    check({rows, columns}, {0}, {columns});
    check({rows, columns}, {1}, {rows});
    check({rows, columns}, {0, 1}, {});
    check_case({op_argmax, {normal_numbers({rows, columns})}, {{{rows}, {}, DType::int32}}, {1}});
    check_case({op_argmax, {with_specials(integers({rows, columns}, 5, DType::float32))}, {{{rows}, {}, DType::int32}}, {1}});
  }
  check({5, 70, 9}, {1}, {5, 9});
  check({90, 7, 41}, {1}, {90, 41});
  check({2, 3, 4, 5}, {0, 2}, {3, 5});
  check({2, 3, 1, 5}, {1, 2}, {2, 5});
  check_case({op_argmax, {normal_numbers({4, 5, 6})}, {{{4, 6}, {}, DType::int32}}, {1}});
}

TEST("simd: moving data") {
  for (auto [rows, columns] : matrices()) {
    const Operand out{{rows, columns}, {}};
    const std::vector<double> attrs{2, static_cast<double>(rows), static_cast<double>(columns)};
    check_case({op_broadcast_to, {normal_numbers({columns})}, {out}, attrs});
    check_case({op_broadcast_to, {normal_numbers({rows, 1})}, {out}, attrs});
    check_case({op_broadcast_to, {normal_numbers({})}, {out}, attrs});
    check_case({op_broadcast_to, {normal_numbers({rows, columns})}, {out}, attrs});
    check_case({op_transpose, {normal_numbers({rows, columns})}, {{{columns, rows}, {}}}, {2, 1, 0}});
    check_case({op_transpose, {integers({rows, columns}, 1000)}, {{{columns, rows}, {}, DType::int32}}, {2, 1, 0}});
    check_case({op_transpose, {normal_numbers({3, rows, columns})}, {{{3, columns, rows}, {}}}, {3, 0, 2, 1}});
    check_case({op_gather, {normal_numbers({11, columns}), integers({rows}, 11)}, {out}, {0}});
    check_case({op_gather, {integers({11, columns}, 256, DType::uint8), integers({rows}, 11)}, {out}, {0}});
    check_case({op_gather, {integers({11, columns}, 256, DType::uint8), integers({rows}, 11)}, {{{rows, columns}, {}, DType::uint8}}, {3}});
  }
  check_case({op_broadcast_to, {normal_numbers({3, 1})}, {{{2, 3, 4}, {}}}, {3, 2, 3, 4}});
  const std::vector<int64_t> dims{2, 17, 1, 5, 3};
  std::vector<double> perm{0, 1, 2, 3, 4};
  do {
    std::vector<int64_t> permuted;
    for (double axis : perm) permuted.push_back(dims[static_cast<size_t>(axis)]);
    check_case({op_transpose, {normal_numbers(dims)}, {{permuted, {}}}, {5, perm[0], perm[1], perm[2], perm[3], perm[4]}});
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST("simd: optimizer steps") {
  const Operand rate = one_number(0.01);
  for (int64_t n : lengths()) {
    const Operand p = normal_numbers({n}), g = normal_numbers({n}), v = normal_numbers({n}), s = uniform_numbers({n});
    const double absolute = 2e-7;
    check_case({op_sgd, {p, g, rate}, {}, {}, 1, 1e-9});
    check_case({op_lerp, {p, g, rate}, {}, {}, 1, 3e-8});  // the difference, at most 8, is rounded, then a hundredth taken of it
    for (double damped : {0.0, 1.0})
      for (double nesterov : {0.0, 1.0}) check_case({op_momentum, {p, g, v, rate}, {}, {0.9, damped, nesterov}, 2, absolute});
    check_case({op_rmsprop, {p, g, s, rate}, {}, {0.9, 1e-7}, 2, absolute});
    for (double step : {0.0, 1000.0})
      for (double decay : {0.0, 0.1}) check_case({op_adam, {p, g, v, s, rate, one_number(step, DType::int32)}, {}, {0.9, 0.999, 1e-8, decay}, 2, absolute});
  }
}

TEST("simd: optimizer steps write nothing but finite numbers") {
  const Operand rate = one_number(0.01), step = one_number(3, DType::int32);
  for (double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    for (int64_t n : {1, 5, 33, 50021})
      for (size_t spoilt : {0, 1, 2}) {
        std::vector<Operand> sound{normal_numbers({n}), normal_numbers({n}), uniform_numbers({n})};
        sound[spoilt].values[static_cast<size_t>(n - 1)] = sound[spoilt].values[static_cast<size_t>(n / 2)] = bad;
        const Operand &p = sound[0], &g = sound[1], &s = sound[2];
        if (spoilt < 2) check_case({op_sgd, {p, g, rate}, {}, {}, 1, 1e-9});
        check_case({op_momentum, {p, g, s, rate}, {}, {0.9, 0, 1}, 2, 2e-7});
        check_case({op_rmsprop, {p, g, s, rate}, {}, {0.9, 1e-7}, 2, 2e-7});
        check_case({op_adam, {p, g, s, uniform_numbers({n}), rate, step}, {}, {0.9, 0.999, 1e-8, 0.1}, 2, 2e-7});
      }
}

TEST("simd: assert_finite reports the first") {
  for (int64_t n : lengths()) check_case({op_assert_finite, {normal_numbers({n}, 1e38)}, {}});
  for (double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    for (int64_t n : {1, 5, 33, 50021}) {
      Operand x = normal_numbers({n});
      x.values[static_cast<size_t>(n - 1)] = x.values[static_cast<size_t>(n / 2)] = bad;
      check_case({op_assert_finite, {x}, {}});
    }
}
