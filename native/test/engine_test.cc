// The engine: jobs to their end, in fair turns. Run under ThreadSanitizer too.
#include "../engine.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include "finished.h"
#include "image.h"
#include "no_threads.h"
#include "test.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

// A counter that a program of one tick instruction counts up.
struct Counter {
  alignas(64) int32_t value = 0;
  int32_t old = 0;
  std::unique_ptr<Program> program;

  // Counts in `shared` instead of its own value, where there is one.
  explicit Counter(int32_t* shared = nullptr) {
    Image image;
    int32_t counter = image.whole(shared ? shared : &value, DType::int32, {}), before = image.whole(&old, DType::int32, {});
    image.instructions = {op_tick, 1, 1, 0, counter, before};
    program = std::make_unique<Program>(image.image(), kernel_table(Isa::reference));
  }

  std::shared_ptr<Job> job(int64_t steps) {
    auto made = std::make_shared<Job>();
    made->program = program.get();
    made->steps = steps;
    return made;
  }
};

}  // namespace

TEST("engine: feeds, runs and fetches every step") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Counter counter;
  std::vector<int32_t> fed(1000), fetched(1000);
  std::iota(fed.begin(), fed.end(), 5);
  auto job = counter.job(1000);
  job->feeds = {{0, reinterpret_cast<uint8_t*>(fed.data()), 4}};
  job->fetches = {{1, reinterpret_cast<uint8_t*>(fetched.data()), 4}};
  engine.submit(job);
  finished.wait_for(1);
  EXPECT(fed == fetched);
  EXPECT_EQ(counter.value, 1005);
  EXPECT_EQ(job->done.load(), int64_t{1000});
}

TEST("engine: jobs take turns, a higher priority goes first, a cancelled one ends") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Counter endless, first, second;
  auto forever = endless.job(INT64_MAX);
  auto low = first.job(10), high = second.job(10);
  high->priority = 1;
  engine.submit(forever);
  engine.submit(low);
  engine.submit(high);
  finished.wait_for(2);
  EXPECT_EQ(first.value, 10);
  EXPECT_EQ(second.value, 10);
  forever->cancelled = true;
  finished.wait_for(3);
  EXPECT(finished.jobs[2] == forever.get());
  EXPECT_EQ(forever->done.load(), int64_t{endless.value});
}

namespace {

// Two programs of three instructions over one array, whose kernels are these: one of long steps, and one that is submitted in the middle
// of its second and written down where it ran.
struct Passing {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> ran;
  bool submitted = false;

  static inline Passing* current = nullptr;

  void note(const char* what) {
    std::lock_guard lock(mutex);
    ran.push_back(what);
  }
  static void slow(const Args&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    Passing& passing = *current;
    passing.note("slow");
    std::unique_lock lock(passing.mutex);
    passing.changed.notify_all();
    if (passing.ran.size() == 4) passing.changed.wait(lock, [&] { return passing.submitted; });
  }
  static void quick(const Args&) { current->note("quick"); }
};

}  // namespace

TEST("engine: a higher priority passes between two instructions of a long step") {
  for (int priority : {0, 1}) {
    Pool pool;
    Finished finished;
    Passing passing;
    Passing::current = &passing;
    Engine engine(&pool, Finished::notify, &finished);
    KernelTable table = kernel_table(Isa::reference);
    table.f32[op_neg] = Passing::slow, table.f32[op_abs] = Passing::quick;
    float numbers[2] = {};
    const auto program = [&](int32_t op) {
      Image image;
      int32_t a = image.whole(&numbers[0], DType::float32, {}), b = image.whole(&numbers[1], DType::float32, {});
      image.instructions = {op, 1, 1, 0, a, b, op, 1, 1, 0, a, b, op, 1, 1, 0, a, b};
      return std::make_unique<Program>(image.image(), table);
    };
    const auto slow = program(op_neg), quick = program(op_abs);
    const auto job = [](Program& program, int64_t steps) {
      auto made = std::make_shared<Job>();
      made->program = &program;
      made->steps = steps;
      return made;
    };
    auto low = job(*slow, 2), high = job(*quick, 1);
    high->priority = priority;
    engine.submit(low);
    {
      std::unique_lock lock(passing.mutex);
      passing.changed.wait(lock, [&] { return passing.ran.size() == 4; });
    }
    engine.submit(high);
    {
      std::lock_guard lock(passing.mutex);
      passing.submitted = true;
    }
    passing.changed.notify_all();
    finished.wait_for(2);
    using Order = std::vector<std::string>;
    const Order first{"slow", "slow", "slow", "slow"};
    const Order rest = priority > 0 ? Order{"quick", "quick", "quick", "slow", "slow"} : Order{"slow", "slow", "quick", "quick", "quick"};
    EXPECT(std::equal(first.begin(), first.end(), passing.ran.begin()));
    EXPECT(Order(passing.ran.begin() + 4, passing.ran.end()) == rest);
  }
}

namespace {

// Two jobs that meet: each holds its thread when it is finished until the other one is, too.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  int arrived = 0, met = 0, left = 0;

  static void notify(void* self, std::shared_ptr<Job>, bool finished) {
    if (!finished) return;
    auto& meeting = *static_cast<Meeting*>(self);
    std::unique_lock lock(meeting.mutex);
    meeting.arrived++;
    meeting.changed.notify_all();
    meeting.met += meeting.changed.wait_for(lock, std::chrono::seconds(10), [&] { return meeting.arrived == 2; });
    meeting.left++;
    meeting.changed.notify_all();
  }
};

}  // namespace

TEST("engine: jobs run side by side within the budget") {
  Pool pool;
  Meeting meeting;
  Engine engine(&pool, Meeting::notify, &meeting);
  Counter first, second;
  auto jobs = {first.job(INT64_MAX), second.job(INT64_MAX)};
  for (auto& job : jobs) {
    job->budget = 2;
    engine.submit(job);
  }
  for (auto& job : jobs) job->cancelled = true;
  std::unique_lock lock(meeting.mutex);
  meeting.changed.wait(lock, [&] { return meeting.left == 2; });
  EXPECT_EQ(meeting.met, 2);
}

TEST("engine: jobs of one program take turns") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Counter counter;
  constexpr size_t kJobs = 4, kSteps = 20000;
  std::vector<std::vector<int32_t>> fetched(kJobs, std::vector<int32_t>(kSteps));
  for (auto& values : fetched) {
    auto job = counter.job(kSteps);
    job->budget = kJobs;
    job->fetches = {{1, reinterpret_cast<uint8_t*>(values.data()), 4}};
    engine.submit(job);
  }
  finished.wait_for(kJobs);
  std::vector<int32_t> all;
  for (const auto& values : fetched) all.insert(all.end(), values.begin(), values.end());
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); i++)
    if (all[i] != static_cast<int32_t>(i)) return EXPECT_EQ(all[i], static_cast<int32_t>(i));
  EXPECT_EQ(counter.value, static_cast<int32_t>(kJobs * kSteps));
}

TEST("engine: jobs of one group take turns") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  alignas(64) int32_t shared = 0;
  Counter first(&shared), second(&shared);
  constexpr int64_t kSteps = 200000;
  for (Counter* counter : {&first, &second}) {
    auto job = counter->job(kSteps);
    job->budget = 2;
    job->group = 7;
    engine.submit(job);
  }
  finished.wait_for(2);
  EXPECT_EQ(shared, static_cast<int32_t>(2 * kSteps));
}

TEST("engine: a job that needs all threads gets its turn among smaller ones") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Counter small[3], large;
  std::vector<std::shared_ptr<Job>> endless;
  for (Counter& counter : small) {
    endless.push_back(counter.job(INT64_MAX));
    endless.back()->budget = 2;
    engine.submit(endless.back());
  }
  auto whole = large.job(10);
  whole->budget = whole->threads = 2;
  engine.submit(whole);
  finished.wait_for(1);
  EXPECT_EQ(large.value, 10);
  for (auto& job : endless) job->cancelled = true;
  finished.wait_for(4);
}

TEST("engine: stops in the middle of a job") {
  Pool pool;
  Finished finished;
  Counter endless;
  {
    Engine engine(&pool, Finished::notify, &finished);
    engine.submit(endless.job(INT64_MAX));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(finished.jobs.size(), size_t{0});
}

#if defined(__GLIBC__)
TEST("engine: refuses a job when the system starts no thread, and takes the next") {
  Pool pool;
  Finished finished;
  Engine engine(&pool, Finished::notify, &finished);
  Counter counter;
  bool refused = false;
  try {
    NoThreads none;
    engine.submit(counter.job(1));
  } catch (const std::runtime_error&) {
    refused = true;
  }
  EXPECT(refused);
  engine.submit(counter.job(1));
  finished.wait_for(1);
  EXPECT_EQ(counter.value, 1);
}
#endif
