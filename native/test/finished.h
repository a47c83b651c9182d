// The jobs that an engine reported as finished, in order, for tests that wait for them.
#pragma once
#include <condition_variable>
#include <mutex>
#include <vector>

#include "../engine.h"

namespace simdnn::test {

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

}  // namespace simdnn::test
