// The pool and the engine: every piece exactly once, from many callers at once; jobs to their end, in fair turns. Run under
// ThreadSanitizer too.
#include "../pool.h"

#include <algorithm>
#include <numeric>

#include "../engine.h"
#include "../kernel.h"
#include "test.h"

using namespace simdnn;

namespace {

int64_t counted(Pool* pool, int threads, int64_t count, int64_t grain) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  Args args{};
  args.pool = pool;
  args.threads = threads;
  parallel(args, count, grain, [&](int64_t begin, int64_t end) {
    if (begin % grain != 0) visits[0] += 1000;
    for (int64_t i = begin; i < end; i++) visits[static_cast<size_t>(i)]++;
  });
  return std::count_if(visits.begin(), visits.end(), [](const auto& n) { return n == 1; });
}

}  // namespace

TEST("pool: visits everything once, whatever the budget and the grain") {
  Pool pool;
  for (int threads : {1, 2, 3, 8})
    for (int64_t grain : {1, 7, 64})
      for (int64_t count : {0, 1, 6, 7, 8, 100, 1000}) EXPECT_EQ(counted(&pool, threads, count, grain), count);
}

TEST("pool: makes no more pieces than there are whole grains") {
  Pool pool;
  Args args{};
  args.pool = &pool;
  args.threads = 4;
  for (int64_t count : {1, 15, 16, 31, 32, 47, 48, 1000}) {
    std::atomic<int64_t> pieces{0};
    parallel(args, count, 16, [&](int64_t, int64_t) { pieces++; });
    EXPECT(pieces.load() <= std::clamp<int64_t>(count / 16, 1, 4));
  }
}

TEST("pool: serves callers that come at the same time") {
  Pool pool;
  std::atomic<int64_t> visited{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; caller++)
    callers.emplace_back([&] {
      for (int round = 0; round < 500; round++) visited += counted(&pool, 3, 50, 1);
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(visited.load(), int64_t{4 * 500 * 50});
}

TEST("pool: wakes parked helpers and leaves at once") {
  for (int round = 0; round < 20; round++) {
    Pool pool;
    EXPECT_EQ(counted(&pool, 4, 100, 1), int64_t{100});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(counted(&pool, 4, 100, 1), int64_t{100});
  }
}

namespace {

// A counter that a program of one tick instruction counts up.
struct Counter {
  alignas(64) int32_t value = 0;
  int32_t old = 0;
  std::unique_ptr<Program> program;

  // Counts in `shared` instead of its own value, where there is one.
  explicit Counter(int32_t* shared = nullptr) {
    auto bytes = [](int32_t* data) { return Storage{reinterpret_cast<uint8_t*>(data), sizeof(int32_t)}; };
    int32_t scalar = static_cast<int32_t>(DType::int32);
    std::vector<int32_t> tensors = {0, 0, scalar, 0, 0, 0, 0, 0, 0, 0, 1, 0, scalar, 0, 0, 0, 0, 0, 0, 0};
    std::vector<int32_t> instructions = {op_tick, 1, 1, 0, 0, 1};
    std::vector<Storage> storages = {bytes(shared ? shared : &value), bytes(&old)};
    program = std::make_unique<Program>(ProgramImage{tensors, instructions, {}, {}, storages}, kernel_table(Isa::reference));
  }

  std::shared_ptr<Job> job(int64_t steps) {
    auto made = std::make_shared<Job>();
    made->program = program.get();
    made->steps = steps;
    return made;
  }
};

struct Finished {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Job*> jobs;

  static void notify(void* self, std::shared_ptr<Job> job, bool finished) {
    if (!finished) return;
    auto& list = *static_cast<Finished*>(self);
    std::lock_guard lock(list.mutex);
    list.jobs.push_back(job.get());
    list.changed.notify_all();
  }

  void wait_for(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return jobs.size() >= count; });
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
#include <pthread.h>

namespace {

// While it lives no thread can be started: their stacks would not fit the address space.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 47);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

}  // namespace

TEST("pool: goes on with the threads there are when the system starts no more") {
  Pool pool;
  EXPECT_EQ(counted(&pool, 2, 100, 1), int64_t{100});
  {
    NoThreads none;
    EXPECT_EQ(counted(&pool, 8, 100, 1), int64_t{100});
  }
  EXPECT_EQ(counted(&pool, 8, 100, 1), int64_t{100});
}

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
