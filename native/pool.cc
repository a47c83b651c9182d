// A fork-join pool whose helpers spin briefly and then park, so that a hot step pays under a microsecond per region and
// an idle process pays nothing.
#include "pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "kernel.h"

namespace simdnn {
namespace {

// Long enough to bridge the gap between two regions of a step (1–20 µs), short enough not to be felt as load.
constexpr auto kSpin = std::chrono::microseconds(50);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

// Returns how many helpers there are, at most as many as asked for.
int Pool::grow(int helpers) {
  helpers = std::min(helpers, most_);
  while (static_cast<int>(threads_.size()) < helpers) {
    int index = static_cast<int>(threads_.size());
    try {
      threads_.emplace_back([this, index] { work(index); });
    } catch (const std::system_error&) {
      return most_ = index;
    }
  }
  return helpers;
}

void Pool::drain() {
  for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < region_.pieces;) {
    int64_t begin = i * region_.piece;
    region_.body(region_.context, begin, std::min(begin + region_.piece, region_.count));
  }
}

void Pool::run(const Region& region, int threads) {
  bool free = false;
  if (!taken_.compare_exchange_strong(free, true, std::memory_order_acquire)) {
    region.body(region.context, 0, region.count);
    return;
  }
  int helpers = grow(static_cast<int>(std::min<int64_t>(std::min(threads, kMaxThreads), region.pieces)) - 1);
  region_ = region;
  next_.store(0, std::memory_order_relaxed);
  helpers_wanted_.store(helpers, std::memory_order_relaxed);
  // Sequentially consistent with a helper's inside_ then generation_: either it sees the region closed or we see it inside.
  generation_.fetch_add(1);
  if (parked_.load() > 0) {
    { std::lock_guard lock(mutex_); }
    wake_.notify_all();
  }
  drain();
  generation_.fetch_add(1);
  while (inside_.load() != 0) relax();
  taken_.store(false, std::memory_order_release);
}

void Pool::work(int index) {
  uint64_t seen = 0;
  auto idle_since = std::chrono::steady_clock::now();
  for (uint32_t spins = 1; !stop_.load(std::memory_order_relaxed); spins++) {
    uint64_t generation = generation_.load(std::memory_order_acquire);
    if ((generation & 1) && generation != seen) {
      seen = generation;
      inside_.fetch_add(1);
      if (generation_.load() == generation && index < helpers_wanted_.load(std::memory_order_relaxed)) drain();
      inside_.fetch_sub(1);
      idle_since = std::chrono::steady_clock::now();
      continue;
    }
    relax();
    if (spins % 64 != 0 || std::chrono::steady_clock::now() - idle_since < kSpin) continue;
    std::unique_lock lock(mutex_);
    parked_.fetch_add(1);
    wake_.wait(lock, [&] {
      uint64_t now = generation_.load();
      return stop_.load() || ((now & 1) && now != seen);
    });
    parked_.fetch_sub(1);
    idle_since = std::chrono::steady_clock::now();
  }
}

void parallel_for(const Args& args, int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) {
  if (count <= 0) return;
  int64_t units = (count + grain - 1) / grain;
  int64_t pieces = std::min<int64_t>(units, args.threads);
  if (!args.pool || pieces <= 1) return body(context, 0, count);
  int64_t piece = (units + pieces - 1) / pieces * grain;
  args.pool->run({body, context, count, piece, (count + piece - 1) / piece}, args.threads);
}

}  // namespace simdnn
