// Jobs as a busy server has them: trainings side by side, snapshots and predictions between their steps, cancelled at any moment, from
// several environments over one pool. What they compute shows whether they kept apart; ThreadSanitizer shows where they did not.
#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "finished.h"
#include "image.h"
#include "test.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

constexpr int32_t kSize = 1 << 15;  // shared by two threads, and as long as a step of a small network
constexpr int64_t kGroup = 7;

std::shared_ptr<Job> job_of(Program& program, int64_t steps, int threads, int budget) {
  auto job = std::make_shared<Job>();
  job->program = &program;
  job->steps = steps;
  job->threads = threads;
  job->budget = budget;
  return job;
}

// A step adds one to each of `first`, and copies it to `second`: the two differ only within a step. Others read them between steps.
struct Training {
  std::vector<float> first = std::vector<float>(kSize), next = first, second = first;
  float one = 1;
  std::unique_ptr<Program> step;

  Training() {
    Image image;
    int32_t a = image.whole(first.data(), DType::float32, {kSize}), b = image.whole(next.data(), DType::float32, {kSize}),
            c = image.whole(second.data(), DType::float32, {kSize}), d = image.whole(&one, DType::float32, {});
    image.instructions = {op_add, 2, 1, 0, a, d, b, op_assign, 2, 0, 0, a, b, op_assign, 2, 0, 0, c, a};
    step = std::make_unique<Program>(image.image(), kernel_table(active_isa()));
  }

  // Every element of both as often counted as there were steps.
  bool whole(int64_t steps) const {
    auto counted = [&](float value) { return value == static_cast<float>(steps); };
    return std::all_of(first.begin(), first.end(), counted) && std::all_of(second.begin(), second.end(), counted);
  }
};

// A copy of a training's weights, and a prediction that needs both to be of one moment: their difference.
struct Twin {
  std::vector<float> first = std::vector<float>(kSize), second = first, difference = first;
  std::unique_ptr<Program> copy, predict;

  explicit Twin(Training& from) {
    auto whole = [](Image& image, std::vector<float>& values) { return image.whole(values.data(), DType::float32, {kSize}); };
    Image copying;
    int32_t a = whole(copying, from.first), b = whole(copying, from.second), c = whole(copying, first), d = whole(copying, second);
    copying.instructions = {op_assign, 2, 0, 0, c, a, op_assign, 2, 0, 0, d, b};
    copy = std::make_unique<Program>(copying.image(), kernel_table(active_isa()));
    Image predicting;
    int32_t x = whole(predicting, first), y = whole(predicting, second), z = whole(predicting, difference);
    predicting.instructions = {op_sub, 2, 1, 0, x, y, z};
    predict = std::make_unique<Program>(predicting.image(), kernel_table(active_isa()));
  }
};

}  // namespace

TEST("serving: a snapshot is of one step, and predictions from it run beside the training") {
  for (int threads : {1, 2}) {
    Pool pool;
    Finished finished;
    Engine engine(&pool, Finished::notify, &finished);
    Training training;
    Twin twin(training);
    auto fit = job_of(*training.step, INT64_MAX, threads, 3);
    fit->group = kGroup;
    engine.submit(fit);
    size_t ended = 0;
    float last = 0;
    for (int round = 0; round < 100; round++) {
      auto copy = job_of(*twin.copy, 1, threads, 3);
      copy->group = kGroup;
      copy->priority = 2;
      engine.submit(copy);
      finished.wait_for(++ended);
      auto predict = job_of(*twin.predict, 1, 2, 3);
      predict->priority = 1;
      engine.submit(predict);
      finished.wait_for(++ended);
      EXPECT(std::all_of(twin.difference.begin(), twin.difference.end(), [](float value) { return value == 0; }));
      EXPECT(twin.first[0] >= last);
      last = twin.first[0];
    }
    EXPECT(last > 0);
    fit->cancelled = true;
    finished.wait_for(++ended);
    EXPECT(training.whole(fit->done));
  }
}

TEST("serving: of trainings side by side each is cancelled after a whole step, whenever that is") {
  std::mt19937 random(1);
  for (int round = 0; round < 30; round++) {
    Pool pool;
    Finished finished;
    Training trainings[4];
    std::vector<std::shared_ptr<Job>> jobs;
    {
      Engine engine(&pool, Finished::notify, &finished);
      for (size_t i = 0; i < 4; i++) {
        jobs.push_back(job_of(*trainings[i].step, INT64_MAX, i == 0 ? 2 : 1, 3));
        jobs[i]->priority = static_cast<int>(random() % 2);
        engine.submit(jobs[i]);
      }
      for (auto& job : jobs) {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
        job->cancelled = true;
      }
      finished.wait_for(4);
    }
    for (size_t i = 0; i < 4; i++) EXPECT(trainings[i].whole(jobs[i]->done));
  }
}

TEST("serving: what a training has fetched can be read while it goes on") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Training training;
  constexpr int64_t kSteps = 300;
  std::vector<float> fetched(kSteps * kSize);
  auto job = job_of(*training.step, kSteps, 2, 2);
  job->fetches = {{1, reinterpret_cast<uint8_t*>(fetched.data()), kSize * sizeof(float)}};
  engine.submit(job);
  for (int64_t read = 0; read < kSteps;) {
    for (int64_t done = job->done.load(std::memory_order_acquire); read < done; read++) {
      EXPECT_EQ(fetched[read * kSize], static_cast<float>(read + 1));
      EXPECT_EQ(fetched[(read + 1) * kSize - 1], static_cast<float>(read + 1));
    }
    std::this_thread::yield();
  }
  finished.wait_for(1);
}

TEST("serving: a training that a fault ends tells it, and those beside it go on") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Training sound;
  float one = 1;
  std::vector<float> values(kSize), result(kSize), spoilt = values;
  spoilt[kSize - 1] = INFINITY;
  Image image;
  int32_t a = image.whole(values.data(), DType::float32, {kSize}), b = image.whole(&one, DType::float32, {}),
          c = image.whole(result.data(), DType::float32, {kSize});
  image.instructions = {op_add, 2, 1, 0, a, b, c, op_assert_finite, 1, 0, 0, c};
  Program program(image.image(), kernel_table(active_isa()));
  auto good = job_of(*sound.step, 200, 1, 3);
  engine.submit(good);
  // The second step's numbers are bad.
  std::vector<float> fed(values);
  fed.insert(fed.end(), spoilt.begin(), spoilt.end());
  auto bad = job_of(program, 2, 2, 3);
  bad->feeds = {{a, reinterpret_cast<uint8_t*>(fed.data()), kSize * sizeof(float)}};
  engine.submit(bad);
  finished.wait_for(2);
  EXPECT(bad->status.fault == Fault::non_finite);
  EXPECT_EQ(bad->status.position, int64_t{kSize - 1});
  EXPECT_EQ(bad->non_finite_tensor, a);
  EXPECT_EQ(bad->done.load(), int64_t{1});
  EXPECT(sound.whole(200));
}

namespace {

// A step of products that the pool's threads share: weights = tanh(weights x weights).
struct Products {
  static constexpr int32_t kSide = 96;
  std::vector<float> weights = std::vector<float>(kSide * kSide), product = weights;
  double nanoseconds[3] = {INFINITY, INFINITY, INFINITY};  // of the three instructions
  std::unique_ptr<Program> program;

  Products() {
    for (size_t i = 0; i < weights.size(); i++) weights[i] = std::sin(static_cast<float>(i));
    Image image;
    int32_t w = image.whole(weights.data(), DType::float32, {kSide, kSide}), p = image.whole(product.data(), DType::float32, {kSide, kSide});
    image.instructions = {op_matmul, 2, 1, 2, w, w, p, op_activation, 1, 1, 2, p, p, op_assign, 2, 0, 0, w, p};
    image.attrs = {0, 0, static_cast<double>(Activation::tanh), 0};
    program = std::make_unique<Program>(image.image(), kernel_table(active_isa()));
  }
};

}  // namespace

TEST("serving: trainings of several environments share the pool and give the bits that each gives alone") {
  constexpr int64_t kSteps = 40;
  Products alone;
  Status status{};
  for (int64_t i = 0; i < kSteps; i++) alone.program->run(nullptr, 1, &status);

  Pool pool;
  std::vector<std::thread> environments;
  Products products[3];
  for (Products& own : products)
    environments.emplace_back([&] {
      Finished finished;
      Engine engine(&pool, Finished::notify, &finished);
      auto job = job_of(*own.program, kSteps, 3, 4);
      job->nanoseconds = own.nanoseconds;
      engine.submit(job);
      finished.wait_for(1);
    });
  // A worker that is terminated in the middle, again and again.
  environments.emplace_back([&] {
    for (int round = 0; round < 20; round++) {
      Products own;
      Finished finished;
      Engine engine(&pool, Finished::notify, &finished);
      engine.submit(job_of(*own.program, INT64_MAX, 3, 4));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (auto& environment : environments) environment.join();
  for (const Products& own : products) {
    EXPECT(own.weights == alone.weights);
    for (double time : own.nanoseconds) EXPECT(std::isfinite(time));
  }
}
