// The threads that kernels share: one pool per process, one parallel region at a time. Not the engine thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>

namespace simdnn {

constexpr int kMaxThreads = 256;

struct Region {
  void (*body)(void*, int64_t, int64_t);
  void* context;
  int64_t count, piece, pieces;

  void run(int64_t i) const {
    const int64_t begin = i * piece, end = begin + piece;
    body(context, begin, end < count ? end : count);
  }
};

struct Pool {
  Pool() = default;
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs the region on the calling thread and up to threads - 1 others, a piece each: piece i is thread i's in every region,
  // so that it finds in its cache what it left there. When another caller has the pool, runs it on the calling thread
  // alone: results never depend on who helps.
  void run(const Region& region, int threads);

 private:
  enum State : int { kWatching, kAsleep, kOffered, kTaken, kEnd };

  // All that the caller and one helper exchange lies on one cache line, whose way there and back is what a hot region costs.
  struct alignas(128) Seat {
    std::atomic<int> state{kWatching};
    std::atomic<int> cpu{-1};  // the caller's
    int32_t piece = 0;
    bool flush = false;  // denormals, as the caller does
    Region region{};
    std::thread thread;
  };

  static void work(Seat& seat);
  int grow(int helpers);

  std::deque<Seat> seats_;  // a helper each
  int most_ = kMaxThreads;  // helpers, unless the system would not start that many
  std::atomic<bool> taken_{false};
};

}  // namespace simdnn
