// The split-k form of the GEMM, for a B that is by far the largest matrix, as weights are beside a batch: two products, of halves
// of k, of which the second is added to the first. Two threads take one each, so that rows of B stay near the core that reads
// them; it is the one that updates them, too. How a half is multiplied is gemm.h's business.
#pragma once
#include "product.h"

namespace simdnn {
namespace {

struct SplitK {
  const Gemm& g;
  int64_t unit;                                     // of k, whole numbers of which the form of the first half takes best
  static constexpr int64_t kLeast = 512;            // of k that is worth splitting
  static constexpr int64_t kLeastFloats = 1 << 15;  // of B: fewer are updated by one thread
  static constexpr int64_t kOnePass = 512;          // of k that each form adds to C in one pass
  static constexpr int64_t kAddGrain = 2048;        // floats, half of which come from the other core's cache

  static bool pays(const Gemm& g) {
    return g.k >= kLeast && g.k >= 4 * g.m && g.m > 1 && g.k * g.n >= kLeastFloats && g.b.column == 1 && gemm_work(g) >= 2 * kWorthwhile;
  }

  Gemm first() const {
    Gemm half = g;
    half.k = (g.k / 2 + unit - 1) / unit * unit, half.activation = Activation::linear;
    return half;
  }
  Gemm second(const Target& target, Activation activation) const {
    const int64_t begin = first().k;
    Gemm half = g;
    half.k = g.k - begin, half.a = at(g.a, 0, begin), half.b = at(g.b, begin, 0), half.target = target, half.activation = activation;
    return half;
  }
  Gemm second_apart(float* product) const { return second({product, g.n, nullptr, 0, 1, 0}, Activation::linear); }
  int64_t product_bytes() const { return (g.m * g.n + 15) / 16 * 64; }

  // scratch(problem) and multiply(args, problem) are for a half.
  template <class Scratch>
  int64_t scratch_bytes(Scratch scratch) const {
    return scratch(first()) + product_bytes() + scratch(second_apart(nullptr));
  }
  template <class Scratch, class Multiply>
  void run(const Args& args, Scratch scratch, Multiply multiply) const {
    const Target rest = target_at(g.target, 0, 0, false);
    if (args.threads != 2 && second(rest, g.activation).k <= kOnePass) {
      multiply(args, first());
      multiply(args, second(rest, g.activation));
      return;
    }
    const bool one_each = args.threads == 2;
    const int64_t seconds = scratch(second_apart(nullptr));
    char* const memory = static_cast<char*>(args.scratch) + args.scratch_bytes - product_bytes() - seconds;  // at the end, as in amx.h
    float* const product = reinterpret_cast<float*>(memory);
    const auto multiply_halves = [&](int64_t begin, int64_t end) {
      Args own = args;
      own.threads = one_each ? 1 : args.threads;
      if (begin == 0) own.scratch_bytes = scratch(first()), multiply(own, first());
      own.scratch = memory + product_bytes(), own.scratch_bytes = seconds;
      if (end == 2) multiply(own, second_apart(product));
    };
    if (one_each) {
      parallel(args, 2, 1, multiply_halves);
    } else {
      multiply_halves(0, 2);
    }
    parallel(args, g.m, kAddGrain / g.n + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const Target row = target_at(rest, i, 0, true);
        put(row, product + i * g.n, g.n, 1, g.n);
        activate(g, row, 1, g.n);
      }
    });
  }
};

}  // namespace
}  // namespace simdnn
