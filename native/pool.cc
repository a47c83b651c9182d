// A fork-join pool whose helpers spin briefly and then sleep, so that a hot step pays under a microsecond per region and
// an idle process pays nothing.
#include "pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "denormals.h"
#include "kernel.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace simdnn {
namespace {

using Clock = std::chrono::steady_clock;

// Long enough to bridge the gap between two regions of a step (1–20 µs), short enough not to be felt as load.
constexpr auto kSpin = std::chrono::microseconds(50);
// Between two attempts to get away from the caller's core: with more threads than cores they are in vain.
constexpr auto kStay = std::chrono::milliseconds(10);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// -1 where the system does not say.
int current_cpu() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

// Moves this thread to another core, if it may run on another, without tying it to one.
void leave_cpu(int cpu) {
#if defined(__linux__)
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return;
  cpu_set_t others = all;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof all, &all);
#else
  (void)cpu;
#endif
}

}  // namespace

Pool::~Pool() {
  for (auto& seat : seats_) {
    seat.state.store(kEnd);
    seat.state.notify_one();
  }
  for (auto& seat : seats_) seat.thread.join();
}

// Returns how many helpers there are, at most as many as asked for.
int Pool::grow(int helpers) {
  helpers = std::min(helpers, most_);
  while (static_cast<int>(seats_.size()) < helpers) {
    Seat& seat = seats_.emplace_back();
    try {
      seat.thread = std::thread([&seat] { work(seat); });
    } catch (const std::system_error&) {
      seats_.pop_back();
      return most_ = static_cast<int>(seats_.size());
    }
  }
  return helpers;
}

void Pool::run(const Region& region, int threads) {
  bool free = false;
  if (!taken_.compare_exchange_strong(free, true, std::memory_order_acquire)) {
    region.body(region.context, 0, region.count);
    return;
  }
  const int helpers = grow(static_cast<int>(std::min<int64_t>(std::min(threads, kMaxThreads), region.pieces)) - 1);
  const int cpu = current_cpu();
  const bool flush = flushes_denormals();
  for (int i = 0; i < helpers; i++) {
    Seat& seat = seats_[i];
    seat.region = region;
    seat.piece = i + 1;
    seat.flush = flush;
    seat.cpu.store(cpu, std::memory_order_relaxed);
    const bool asleep = seat.state.load(std::memory_order_relaxed) == kAsleep;
    seat.state.store(kOffered, std::memory_order_release);
    if (asleep) seat.state.notify_one();
  }
  region.run(0);
  for (int64_t i = helpers + 1; i < region.pieces; i++) region.run(i);
  // What no helper has come for is done here: one that is late, or was missed as it fell asleep, holds nobody up. It may be
  // asleep, so that it is called next time.
  for (int i = helpers - 1; i >= 0; i--) {
    int offered = kOffered;
    if (seats_[i].state.compare_exchange_strong(offered, kAsleep, std::memory_order_relaxed)) region.run(i + 1);
  }
  for (int i = 0; i < helpers; i++) {
    for (uint32_t spins = 1; seats_[i].state.load(std::memory_order_acquire) == kTaken; spins++) {
      relax();
      if (spins % 1024 == 0) std::this_thread::yield();  // it may be waiting for this very core
    }
  }
  taken_.store(false, std::memory_order_release);
}

void Pool::work(Seat& seat) {
  bool flush = flushes_denormals();
  Clock::time_point idle_since = Clock::now(), moved{};
  // A helper on the caller's core would only take time from it. The system puts it there when others use all cores.
  const auto keep_away = [&] {
    const int cpu = current_cpu();
    if (cpu < 0 || cpu != seat.cpu.load(std::memory_order_relaxed) || Clock::now() - moved < kStay) return;
    leave_cpu(cpu);
    moved = Clock::now();
  };
  for (uint32_t spins = 1;; spins++) {
    int state = seat.state.load(std::memory_order_acquire);
    if (state == kEnd) return;
    if (state == kOffered) {
      keep_away();
      if (seat.state.compare_exchange_strong(state, kTaken, std::memory_order_acquire)) {
        if (flush != seat.flush) flush_denormals(flush = seat.flush);
        seat.region.run(seat.piece);
        seat.state.store(kWatching, std::memory_order_release);
        idle_since = Clock::now();
      }
      continue;
    }
    relax();
    if (spins % 64 != 0) continue;
    keep_away();
    if (Clock::now() - idle_since < kSpin) continue;
    if (state == kWatching && !seat.state.compare_exchange_strong(state, kAsleep)) continue;
    seat.state.wait(kAsleep);
    idle_since = Clock::now();
  }
}

void parallel_for(const Args& args, int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) {
  if (count <= 0) return;
  // A last piece below the grain would cost more than it brings.
  const int64_t pieces = std::min<int64_t>(count / grain, args.threads);
  if (!args.pool || pieces <= 1) return body(context, 0, count);
  const int64_t piece = (count + pieces - 1) / pieces;
  args.pool->run({body, context, count, piece, (count + piece - 1) / piece}, args.threads);
}

}  // namespace simdnn
