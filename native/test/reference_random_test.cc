// Philox against its published vectors, and the random ops against its bits and their moments.
#include "../reference/philox.h"
#include "array.h"

using namespace simdnn;
using namespace simdnn::test;

TEST("reference: Philox4x32-10 gives its published vectors") {
  struct {
    PhiloxWords counter;
    uint32_t key[2];
    uint32_t wanted[4];
  } vectors[] = {
      {{{0, 0, 0, 0}}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{{~0u, ~0u, ~0u, ~0u}}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& vector : vectors) {
    const PhiloxWords words = philox(vector.counter, vector.key[0], vector.key[1]);
    for (int i = 0; i < 4; i++) EXPECT_EQ(words.word[i], vector.wanted[i]);
  }
}

TEST("reference: which bits belong to which element") {
  // 16 neighbouring blocks, word by word, lower halves first.
  const int64_t half_elements[] = {0, 15, 16, 32, 127, 128};
  const PhiloxLane halves[] = {{0, 0, 0}, {15, 0, 0}, {0, 0, 16}, {0, 1, 0}, {15, 3, 16}, {16, 0, 0}};
  const int64_t word_elements[] = {0, 15, 16, 63, 64, 81};
  const PhiloxLane words[] = {{0, 0, 0}, {15, 0, 0}, {0, 1, 0}, {15, 3, 0}, {16, 0, 0}, {17, 1, 0}};
  for (int i = 0; i < 6; i++) {
    const PhiloxLane half = half_lane(half_elements[i]), word = word_lane(word_elements[i]);
    EXPECT(half.block == halves[i].block && half.word == halves[i].word && half.shift == halves[i].shift);
    EXPECT(word.block == words[i].block && word.word == words[i].word && word.shift == words[i].shift);
  }
}

TEST("reference: dropout by the published bits") {
  // Seed 0, stream 0, step 0: element 0 has the low half 0xe8d5 of block 0's first word, element 16 its high half 0x6627.
  Array x = f32({17}), y = f32({17});
  for (int i = 0; i < 17; i++) x.set(i, 3);
  const Array counter = i32({}, {0});
  run(op_dropout, {&x, &counter}, {&y}, {0x6627 / 65536.0, 0, 0});
  EXPECT_EQ(y[16], double(3 * float(1 / (1 - 0x6627 / 65536.0))));
  run(op_dropout, {&x, &counter}, {&y}, {0x6628 / 65536.0, 0, 0});
  EXPECT_EQ(y[16], 0);
  EXPECT_EQ(y[0], double(3 * float(1 / (1 - 0x6628 / 65536.0))));
}

TEST("reference: dropout drops its rate, and another mask for another seed, stream and step") {
  constexpr int kCount = 65536;
  Array x = f32({kCount}), first = f32({kCount}), y = f32({kCount});
  for (int i = 0; i < kCount; i++) x.set(i, 1);
  const auto drop = [&](Array& out, double step, double seed, double stream) {
    const Array counter = i32({}, {step});
    run(op_dropout, {&x, &counter}, {&out}, {0.25, seed, stream});
  };
  drop(first, 0, 1, 2);
  int zeros = 0;
  for (int i = 0; i < kCount; i++) zeros += first[i] == 0;
  EXPECT_NEAR(zeros, kCount * 0.25, 5 * std::sqrt(kCount * 0.25 * 0.75));
  const double others[][3] = {{1, 1, 2}, {0, 2, 2}, {0, 1, 3}, {0, 1 + 4294967296.0, 2}, {-1, 1, 2}};
  for (const auto& other : others) {
    drop(y, other[0], other[1], other[2]);
    int both = 0;
    for (int i = 0; i < kCount; i++) both += first[i] == 0 && y[i] == 0;
    EXPECT_NEAR(both, kCount / 16.0, 5 * std::sqrt(kCount / 16.0));
  }
}

TEST("reference: tick gives the old value and counts on, past the end of int32 too") {
  Array counter = i32({}, {41}), old = i32({});
  run(op_tick, {&counter}, {&old});
  EXPECT_VALUES(old, 0, {41});
  EXPECT_VALUES(counter, 0, {42});
  counter.set(0, 2147483647);
  run(op_tick, {&counter}, {&old});
  EXPECT_VALUES(counter, 0, {-2147483648.0});
}

TEST("reference: random_uniform by the published bits, and its moments") {
  Array u = f64({65536});
  run(op_random_uniform, {}, {&u}, {1, 65536, -1, 3, 0, 0, 1});
  EXPECT_EQ(u[0], -1 + 4 * (0x6627e8 * 0x1p-24));
  EXPECT_EQ(u[16], -1 + 4 * (0xe169c5 * 0x1p-24));
  double sum = 0, squares = 0;
  for (int i = 0; i < 65536; i++) {
    EXPECT(u[i] >= -1 && u[i] < 3);
    sum += u[i];
    squares += (u[i] - 1) * (u[i] - 1);
  }
  EXPECT_NEAR(sum / 65536, 1, 5 * 4 / std::sqrt(12.0 * 65536));
  EXPECT_NEAR(squares / 65536, 16 / 12.0, 0.03);
}

TEST("reference: random_normal has its moments and follows its counter") {
  constexpr int kCount = 65536;
  Array n = f32({256, 256}), again = f32({256, 256});
  const std::vector<double> attrs = {2, 256, 256, 3, 2, 7, 9, 0};
  const Array zero = i32({}, {0}), one = i32({}, {1});
  run(op_random_normal, {}, {&n}, attrs);
  run(op_random_normal, {&zero}, {&again}, attrs);
  double moments[5] = {};
  for (int i = 0; i < kCount; i++) {
    EXPECT_EQ(n[i], again[i]);
    for (int k = 1; k < 5; k++) moments[k] += std::pow((n[i] - 3) / 2, k) / kCount;
  }
  const double wanted[] = {0, 0, 1, 0, 3}, deviations[] = {0, 1, 2, 15, 96};  // variances of x^k: 1, 2, 15, 96
  for (int k = 1; k < 5; k++) EXPECT_NEAR(moments[k], wanted[k], 5 * std::sqrt(deviations[k] / kCount));
  run(op_random_normal, {&one}, {&again}, attrs);
  double product = 0;
  for (int i = 0; i < kCount; i++) product += (n[i] - 3) * (again[i] - 3) / 4 / kCount;
  EXPECT_NEAR(product, 0, 5 / std::sqrt(double(kCount)));
}
