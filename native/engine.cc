// Runs jobs step by step in turns, so that a long training does not hold up a short prediction.
#include "engine.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace simdnn {
namespace {

using Clock = std::chrono::steady_clock;

// A turn: long enough that switching costs nothing, short enough that jobs seem to run side by side.
constexpr auto kTurn = std::chrono::milliseconds(2);
constexpr auto kProgressInterval = std::chrono::milliseconds(50);

}  // namespace

void Engine::submit(std::shared_ptr<Job> job) {
  std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error& problem) {
      throw std::runtime_error(std::string("the system would not start a thread: ") + problem.what());
    }
  }
  queue_.push_back(std::move(job));
  wake_.notify_one();
}

void Engine::stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// The first of the highest priority; null when the engine stops.
std::shared_ptr<Job> Engine::take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
  if (stop_) return nullptr;
  auto next = std::max_element(queue_.begin(), queue_.end(), [](const auto& a, const auto& b) { return a->priority < b->priority; });
  auto job = *next;
  queue_.erase(next);
  return job;
}

// One step. Returns whether there is another.
bool Engine::advance(Job& job) {
  int64_t step = job.done.load(std::memory_order_relaxed);
  if (step >= job.steps || job.cancelled.load(std::memory_order_relaxed)) return false;
  for (const Stream& feed : job.feeds) {
    const View& view = job.program->tensor(feed.tensor);
    std::memcpy(view.data, feed.data + step * feed.stride, view_bytes(view));
  }
  if (!job.program->run(pool_, job.threads, &job.status, &stop_, job.nanoseconds)) {
    if (job.status.fault == Fault::non_finite) job.non_finite_tensor = job.program->find_non_finite(pool_, job.threads);
    return false;
  }
  for (const Stream& fetch : job.fetches) {
    const View& view = job.program->tensor(fetch.tensor);
    std::memcpy(fetch.data + step * fetch.stride, view.data, view_bytes(view));
  }
  job.done.store(step + 1, std::memory_order_release);
  return step + 1 < job.steps;
}

void Engine::loop() {
  auto reported = Clock::now();
  while (auto job = take()) {
    auto turn = Clock::now();
    bool more = true;
    for (auto now = turn; more && !stop_ && now - turn < kTurn; now = Clock::now()) {
      more = advance(*job);
      if (!more || now - reported < kProgressInterval) continue;
      reported = now;
      notify_(context_, job, false);
    }
    if (stop_) return;
    if (!more) {
      notify_(context_, std::move(job), true);
      continue;
    }
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
}

}  // namespace simdnn
