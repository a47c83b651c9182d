// Runs jobs step by step in turns, so that a long training does not hold up a short prediction, and side by side where there are threads for it.
// Where a step is longer than a turn, what has a higher priority passes between two of its instructions.
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
  size_t wanted = std::min(running_.size() + queue_.size() + 1, static_cast<size_t>(std::clamp(job->budget, 1, kMaxThreads)));
  while (threads_.size() < wanted) {
    try {
      threads_.emplace_back([this] { loop(); });
    } catch (const std::system_error& problem) {
      if (!threads_.empty()) break;
      throw std::runtime_error(std::string("the system would not start a thread: ") + problem.what());
    }
  }
  queue_.push_back(std::move(job));
  note_waiting();
  wake_.notify_all();
}

void Engine::stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

// A program has memory of its own, which one job at a time may use; so have jobs of one group.
bool Engine::excluded(const Job& job) const {
  return std::any_of(running_.begin(), running_.end(),
                     [&](const Job* other) { return other->program == job.program || (job.group != 0 && other->group == job.group); });
}

// The pool serves one caller at a time, so of several jobs all but one must do without it. A paused one leaves its threads to others.
bool Engine::fits(const Job& job, const Job* paused) const {
  int threads = job.threads, pooled = job.threads > 1;
  bool alone = true;
  for (const Job* other : running_) {
    if (other == paused) continue;
    threads += other->threads;
    pooled += other->threads > 1;
    alone = false;
  }
  return alone || (threads <= job.budget && pooled <= 1);
}

void Engine::note_waiting() {
  int highest = INT_MIN;
  for (const auto& job : queue_) highest = std::max(highest, job->priority);
  waiting_.store(highest, std::memory_order_relaxed);
}

// The first of the highest priority, which must be above that of the paused one; null where there is none that may run. Nothing overtakes a
// job that needs more threads than are free, or it might wait for ever.
std::shared_ptr<Job> Engine::next(const Job* paused) {
  auto next = queue_.end();
  for (auto job = queue_.begin(); job != queue_.end(); ++job)
    if (!excluded(**job) && (next == queue_.end() || (*job)->priority > (*next)->priority)) next = job;
  if (next == queue_.end() || !fits(**next, paused) || (paused && (*next)->priority <= paused->priority)) return nullptr;
  auto job = *next;
  queue_.erase(next);
  note_waiting();
  running_.push_back(job.get());
  return job;
}

// Waits for a job unless one is paused; null when the engine stops.
std::shared_ptr<Job> Engine::take(const Job* paused) {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    auto job = next(paused);
    if (job || paused) return job;
    wake_.wait(lock);
  }
  return nullptr;
}

// After its turn: to the end of the queue, if there is more to do.
void Engine::give_back(std::shared_ptr<Job> job, bool more) {
  std::lock_guard lock(mutex_);
  std::erase(running_, job.get());
  size_t others = queue_.size();
  if (more) {
    queue_.push_back(std::move(job));
    note_waiting();
  }
  if (others > 0) wake_.notify_all();  // alone, it stays with its thread and that thread's caches
}

// One step. Returns whether there is another.
bool Engine::advance(Job& job, Between between) {
  int64_t step = job.done.load(std::memory_order_relaxed);
  if (step >= job.steps || job.cancelled.load(std::memory_order_relaxed)) return false;
  for (const Stream& feed : job.feeds) {
    const View& view = job.program->tensor(feed.tensor);
    std::memcpy(view.data, feed.data + step * feed.stride, view_bytes(view));
  }
  if (!job.program->run(pool_, job.threads, &job.status, &stop_, job.nanoseconds, between)) {
    job.non_finite_tensor = job.program->find_non_finite(job.status, pool_, job.threads);
    return false;
  }
  for (const Stream& fetch : job.fetches) {
    const View& view = job.program->tensor(fetch.tensor);
    std::memcpy(fetch.data + step * fetch.stride, view.data, view_bytes(view));
  }
  job.done.store(step + 1, std::memory_order_release);
  return step + 1 < job.steps;
}

void Engine::let_pass(const Paused& paused) {
  if (waiting_.load(std::memory_order_relaxed) <= paused.job->priority) return;
  while (auto other = take(paused.job)) run_turn(std::move(other), paused.reported, false);
}

// Steps of a job until its turn is over.
void Engine::run_turn(std::shared_ptr<Job> job, Time* reported, bool pauses) {
  Paused paused{this, job.get(), reported};
  const Between between{[](void* context) {
                          const auto& paused = *static_cast<const Paused*>(context);
                          paused.engine->let_pass(paused);
                        },
                        &paused};
  const auto turn = Clock::now();
  bool more = true;
  for (auto now = turn; more && !stop_ && now - turn < kTurn;) {
    const auto step = now;
    more = advance(*job, pauses && job->program->runs_long ? between : Between{});
    now = Clock::now();
    job->program->runs_long = now - step >= kTurn;
    if (!more || now - *reported < kProgressInterval) continue;
    *reported = now;
    notify_(context_, job, false);
  }
  if (stop_) return;
  give_back(job, more);
  if (!more) notify_(context_, std::move(job), true);
}

void Engine::loop() {
  auto reported = Clock::now();
  while (auto job = take(nullptr)) run_turn(std::move(job), &reported, true);
}

}  // namespace simdnn
