// Programs: that a sound image runs and that an unsound one is refused before it can touch anything. Not the kernels.
#include "../program.h"

#include <algorithm>
#include <limits>
#include <random>

#include "../cpu.h"
#include "../pool.h"
#include "image.h"
#include "test.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

const KernelTable& table() { return kernel_table(Isa::reference); }

std::string problem(const Image& image) {
  try {
    Program program(image.image(), table());
    return "";
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
}

// c = -(a + b), the sum being kept in an arena.
struct Sum {
  float a[4] = {1, 2, 3, 4}, b[4] = {10, 20, 30, 40}, c[4] = {};
  alignas(64) uint8_t arena[64] = {};
  Image image;

  Sum() {
    image.storages = {{arena, 64}, {reinterpret_cast<uint8_t*>(a), 16}, {reinterpret_cast<uint8_t*>(b), 16}, {reinterpret_cast<uint8_t*>(c), 16}};
    int32_t sum = image.vector(0, 0, 4), x = image.vector(1, 0, 4), y = image.vector(2, 0, 4), z = image.vector(3, 0, 4);
    image.instructions = {op_add, 2, 1, 0, x, y, sum, op_neg, 1, 1, 0, sum, z};
  }
};

}  // namespace

TEST("program: runs its instructions in order") {
  Sum sum;
  Program program(sum.image.image(), table());
  Status status{};
  EXPECT(program.run(nullptr, 1, &status));
  EXPECT_EQ(program.instruction_count(), size_t{2});
  for (int i = 0; i < 4; i++) EXPECT_EQ(sum.c[i], -11.0f * static_cast<float>(i + 1));
}

TEST("program: stops when it is told to between two instructions") {
  Sum sum;
  Program program(sum.image.image(), table());
  Status status{};
  std::atomic<bool> abandon{true};
  EXPECT(!program.run(nullptr, 1, &status, &abandon));
  EXPECT_EQ(sum.c[0], 0.0f);
}

TEST("program: what is too small for all digits counts as 0 on every thread, and the caller's arithmetic stays as it is") {
  constexpr int32_t length = 1 << 18;
  const float smallest = std::numeric_limits<float>::min();
  Pool pool;
  for (int i = 0; i < kIsaCount; i++) {
    if (!isa_available(static_cast<Isa>(i))) continue;
    for (int threads : {1, 3}) {
      std::vector<float> a(length, smallest), b(length, 0.25f), tiny(length, smallest / 4), product(length, 1), sum(length, 1);
      Image image;
      for (auto* values : {&a, &b, &tiny, &product, &sum}) image.storages.push_back({reinterpret_cast<uint8_t*>(values->data()), 4 * length});
      int32_t x = image.vector(0, 0, length), y = image.vector(1, 0, length), z = image.vector(2, 0, length);
      image.instructions = {op_mul, 2, 1, 0, x, y, image.vector(3, 0, length), op_add, 2, 1, 0, z, z, image.vector(4, 0, length)};
      Program program(image.image(), kernel_table(static_cast<Isa>(i)));
      Status status{};
      EXPECT(program.run(&pool, threads, &status));
      EXPECT_EQ(std::count(product.begin(), product.end(), 0.0f), length);
      EXPECT_EQ(std::count(sum.begin(), sum.end(), 0.0f), length);
      volatile float half = smallest;
      half = half / 2;
      EXPECT(half != 0);
    }
  }
}

TEST("program: a fault leaves no trace in what is to be restored, nor does the search for where it came from") {
  float parameter[2] = {1, 2}, gradient[2] = {0.5f, 0.5f}, poisoned[2] = {1, INFINITY}, result[2];
  double rate = 0.1;
  Image image;
  auto bytes = [](void* data) { return static_cast<uint8_t*>(data); };
  image.storages = {{bytes(parameter), 8}, {bytes(gradient), 8}, {bytes(&rate), 8}, {bytes(poisoned), 8}, {bytes(result), 8}};
  int32_t p = image.vector(0, 0, 2), g = image.vector(1, 0, 2);
  image.tensor(2, DType::float64, {});
  int32_t bad = image.vector(3, 0, 2), out = image.vector(4, 0, 2);
  image.instructions = {op_sgd, 3, 0, 0, p, g, 2, op_square, 1, 1, 0, bad, out, op_assert_finite, 1, 0, 0, out};
  image.restored = {p};
  Program program(image.image(), table());
  Status status{};
  EXPECT(!program.run(nullptr, 1, &status));
  EXPECT(status.fault == Fault::non_finite);
  EXPECT_EQ(status.instruction, 2);
  EXPECT_EQ(status.position, int64_t{1});
  EXPECT_EQ(parameter[0], 1.0f);
  EXPECT_EQ(parameter[1], 2.0f);
  EXPECT_EQ(program.find_non_finite(status, nullptr, 1), bad);  // not what was made of it
  EXPECT_EQ(parameter[0], 1.0f);
  poisoned[1] = 1;
  status = {};
  EXPECT(program.run(nullptr, 1, &status));
  EXPECT_NEAR(parameter[0], 0.95, 1e-7);
}

TEST("program: an update that cannot be made says what its gradient came from, and those before it stay") {
  float first[2] = {1, 2}, second[2] = {3, 4}, x[2] = {1, 0}, counter[2] = {0, 0}, one[2] = {1, 1}, result[4];
  double rate = 1;
  Image image;
  auto bytes = [](void* data) { return static_cast<uint8_t*>(data); };
  image.storages = {{bytes(first), 8}, {bytes(second), 8}, {bytes(x), 8}, {bytes(counter), 8}, {bytes(one), 8}, {bytes(&rate), 8}, {bytes(result), 8}};
  int32_t p = image.vector(0, 0, 2), q = image.vector(1, 0, 2), in = image.vector(2, 0, 2), count = image.vector(3, 0, 2), ones = image.vector(4, 0, 2);
  image.tensor(5, DType::float64, {});
  const int32_t lr = 5, log = image.vector(6, 0, 2);
  for (bool stays : {true, false}) {
    image.instructions = {op_log, 1, 1, 0, in, log, op_assign, 2, 0, 0, count, ones, op_sgd, 3, 0, 0, p, ones, lr, op_sgd, 3, 0, 0, q, log, lr};
    image.restored = stays ? std::vector<int32_t>{count} : std::vector<int32_t>{count, p};
    Program program(image.image(), table());
    Status status{};
    EXPECT(!program.run(nullptr, 1, &status));
    EXPECT(status.fault == Fault::unfit_update);
    EXPECT_EQ(status.instruction, 3);
    EXPECT_EQ(status.operand, 1);
    EXPECT_EQ(status.position, int64_t{1});
    EXPECT_EQ(program.find_non_finite(status, nullptr, 1), log);
    EXPECT_EQ(first[0], 0.0f);  // by the first round
    EXPECT_EQ(second[1], 4.0f);
    EXPECT_EQ(counter[0], 0.0f);
  }
}

TEST("program: refuses what reaches outside its memory") {
  auto refused = [](auto change) {
    Sum sum;
    change(sum.image);
    return !problem(sum.image).empty();
  };
  auto row = [](Image& image, int tensor, int field) -> int32_t& { return image.tensors[tensor * Program::kTensorFields + field]; };
  EXPECT(!refused([](Image&) {}));
  EXPECT(refused([&](Image& image) { row(image, 1, 4) = 5; }));
  EXPECT(refused([&](Image& image) { row(image, 0, 1) = 1; }));
  EXPECT(refused([&](Image& image) { row(image, 0, 1) = -1; }));
  EXPECT(refused([&](Image& image) { row(image, 0, 0) = 9; }));
  EXPECT(refused([&](Image& image) { row(image, 0, 2) = 7; }));
  EXPECT(refused([&](Image& image) { row(image, 0, 3) = kMaxRank + 1; }));
  EXPECT(refused([&](Image& image) { row(image, 0, 4) = -4; }));
  EXPECT(refused([&](Image& image) {
    row(image, 0, 3) = 3;
    row(image, 0, 4) = row(image, 0, 5) = row(image, 0, 6) = INT32_MAX;
  }));
  EXPECT(refused([](Image& image) { image.tensors.pop_back(); }));
  EXPECT(refused([](Image& image) { image.instructions.pop_back(); }));
  EXPECT(refused([](Image& image) { image.instructions[0] = kOpCount; }));
  EXPECT(refused([](Image& image) { image.instructions[0] = -1; }));
  EXPECT(refused([](Image& image) { image.instructions[1] = 3; }));
  EXPECT(refused([](Image& image) { image.instructions[3] = 1; }));
  EXPECT(refused([](Image& image) { image.instructions[4] = 99; }));
  EXPECT(refused([](Image& image) { image.attrs.push_back(1); }));
  EXPECT(refused([](Image& image) { image.restored = {17}; }));
  EXPECT(refused([](Image& image) { image.storages[1].data++; }));
}

// Whatever a random image does, it does inside its storages: the guards around them must survive.
TEST("program: random images touch nothing they do not own") {
  constexpr size_t kGuard = 256, kBytes = 256;
  std::mt19937 random(1);
  auto below = [&](int n) { return static_cast<int32_t>(random() % static_cast<uint32_t>(n)); };
  std::vector<uint8_t> memory(2 * (kBytes + kGuard) + kGuard + 64);
  uint8_t* aligned = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  int ran = 0;
  for (int round = 0; round < 200000; round++) {
    std::fill(memory.begin(), memory.end(), 0xA5);
    Image image;
    for (int s = 0; s < 2; s++) {
      uint8_t* start = aligned + kGuard + s * (kBytes + kGuard);
      for (size_t i = 0; i < kBytes / 4; i++) reinterpret_cast<float*>(start)[i] = static_cast<float>(below(9)) - 4;
      image.storages.push_back({start, kBytes});
    }
    int tensors = 2 + below(5);
    for (int t = 0; t < tensors; t++) {
      image.tensors.insert(image.tensors.end(), {below(2), below(3), below(10) < 8 ? static_cast<int32_t>(DType::float32) : below(kDTypeCount), below(4)});
      for (int d = 0; d < kMaxRank; d++) image.tensors.push_back(below(20) == 0 ? below(1 << 30) : below(4));
    }
    for (int i = 1 + below(3); i > 0; i--) {
      int op = below(kOpCount);
      const OpInfo& info = op_info(op);
      int n_in = info.min_in + below(std::min(info.max_in - info.min_in, 2) + 1), n_attrs = below(6);
      image.instructions.insert(image.instructions.end(), {op, n_in, info.n_out, n_attrs});
      for (int t = 0; t < n_in + info.n_out; t++) image.instructions.push_back(below(tensors));
      for (int a = 0; a < n_attrs; a++) image.attrs.push_back(below(8) == 0 ? (below(2) ? NAN : 1e18) : below(5) - 1);
    }
    try {
      Program program(image.image(), kernel_table(active_isa()));
      Status status{};
      program.run(nullptr, 1, &status);
      ran++;
    } catch (const std::invalid_argument&) {
    }
    const uint8_t* end = aligned + 2 * (kBytes + kGuard) + kGuard;
    for (const uint8_t* byte = aligned; byte < end; byte++) {
      size_t place = static_cast<size_t>(byte - aligned) % (kBytes + kGuard);
      if (place < kGuard && *byte != 0xA5) return EXPECT(!"a guard was overwritten");
    }
  }
  EXPECT(ran > 1000);
}
