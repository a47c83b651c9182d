// The pool: every piece exactly once, from many callers at once. Run under ThreadSanitizer too.
#include "../pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "../kernel.h"
#include "no_threads.h"
#include "test.h"

using namespace simdnn;
using namespace simdnn::test;

namespace {

int64_t counted(Pool* pool, int threads, int64_t count, int64_t grain) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  Args args{};
  args.pool = pool;
  args.threads = threads;
  parallel(args, count, grain, [&](int64_t begin, int64_t end) {
    if (end - begin < grain && end < count) visits[0] += 1000;
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

#if defined(__GLIBC__)
TEST("pool: goes on with the threads there are when the system starts no more") {
  Pool pool;
  EXPECT_EQ(counted(&pool, 2, 100, 1), int64_t{100});
  {
    NoThreads none;
    EXPECT_EQ(counted(&pool, 8, 100, 1), int64_t{100});
  }
  EXPECT_EQ(counted(&pool, 8, 100, 1), int64_t{100});
}
#endif
