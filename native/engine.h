// The threads that train: they take jobs, interleave their steps fairly and report back. Knows nothing of JavaScript.
#pragma once
#include <atomic>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pool.h"
#include "program.h"

namespace simdnn {

// One tensor's value for every step: fed before the step, or fetched after it.
struct Stream {
  int32_t tensor;
  uint8_t* data;
  size_t stride;  // bytes from one step's value to the next
};

struct Job {
  virtual ~Job() = default;

  Program* program = nullptr;
  int64_t steps = 0;
  std::vector<Stream> feeds, fetches;
  int threads = 1;
  int budget = 1;     // it runs beside others while all of them together use no more threads than this
  int priority = 0;   // higher goes first
  int64_t group = 0;  // of jobs with the same one, other than 0, one at a time has its turn: they share memory

  double* nanoseconds = nullptr;  // when not null: each instruction's shortest time so far

  std::atomic<bool> cancelled{false};  // stop before the next step
  std::atomic<int64_t> done{0};        // whole steps
  Status status{};
  int32_t non_finite_tensor = -1;
};

class Engine {
 public:
  // Called on a thread of the engine's: `finished` once per job and last, otherwise at most every 50 ms from each thread.
  using Notify = void (*)(void* context, std::shared_ptr<Job> job, bool finished);

  Engine(Pool* pool, Notify notify, void* context) : pool_(pool), notify_(notify), context_(context) {}
  ~Engine() { stop(); }

  // Throws std::runtime_error when the system starts no thread; the job is then not taken.
  void submit(std::shared_ptr<Job> job);
  // Abandons whatever runs, between two instructions, and joins. No notification comes after it returns.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  // A job that stands still between two instructions of a step.
  struct Paused {
    Engine* engine;
    Job* job;
    Time* reported;
  };

  void loop();
  std::shared_ptr<Job> take(const Job* paused);
  std::shared_ptr<Job> next(const Job* paused);
  void run_turn(std::shared_ptr<Job> job, Time* reported, bool pauses);
  void let_pass(const Paused& paused);
  void give_back(std::shared_ptr<Job> job, bool more);
  bool excluded(const Job& job) const;
  bool fits(const Job& job, const Job* paused) const;
  bool advance(Job& job, Between between);
  void note_waiting();

  Pool* pool_;
  Notify notify_;
  void* context_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::vector<Job*> running_;
  std::atomic<int> waiting_{INT_MIN};  // the highest priority in the queue
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_{false};
};

}  // namespace simdnn
