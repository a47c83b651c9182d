// The threads that kernels share: one pool per process, one parallel region at a time. Not the engine thread.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace simdnn {

constexpr int kMaxThreads = 256;

struct Region {
  void (*body)(void*, int64_t, int64_t);
  void* context;
  int64_t count, piece, pieces;
};

struct Pool {
  Pool() { threads_.reserve(kMaxThreads); }
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs the region on the calling thread and up to threads - 1 others. When another caller has the pool, runs it on the
  // calling thread alone: results never depend on who helps.
  void run(const Region& region, int threads);

 private:
  void work(int index);
  int grow(int helpers);
  void drain();

  std::vector<std::thread> threads_;
  int most_ = kMaxThreads;  // helpers, unless the system would not start that many
  std::atomic<bool> taken_{false};
  std::atomic<uint64_t> generation_{0};  // odd while a region is open
  std::atomic<int> inside_{0};           // helpers that may be looking at region_
  std::atomic<int64_t> next_{0};
  std::atomic<int> helpers_wanted_{0};
  Region region_{};

  std::mutex mutex_;  // for parking only
  std::condition_variable wake_;
  std::atomic<int> parked_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace simdnn
