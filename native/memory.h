// What the system would give this process if it were asked, and what its JavaScript threads have together.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace simdnn {

// Whether malloc would give `bytes`, and the system `reserve` more for others: limits such as `ulimit -v` are told by nothing else, since
// malloc keeps memory that was freed.
bool could_allocate(size_t bytes, size_t reserve);

// Gives back what malloc keeps, where it can be told to.
void trim();

struct MemoryUse {
  int64_t arrays = 0, heap = 0;
};

// What one JavaScript thread has, of all that those of the process have: nobody but itself can see it, so each tells, and reads the sum.
class MemoryShare {
 public:
  // What all have, now that this one has `use`.
  MemoryUse tell(MemoryUse use) {
    int64_t arrays = use.arrays - told_.arrays, heap = use.heap - told_.heap;
    told_ = use;
    return {arrays_ += arrays, heap_ += heap};
  }

 private:
  MemoryUse told_;
  static inline std::atomic<int64_t> arrays_ = 0, heap_ = 0;
};

// What arrays may take in the process, in bytes.
inline std::atomic<double> memory_limit = std::numeric_limits<double>::infinity();

}  // namespace simdnn
