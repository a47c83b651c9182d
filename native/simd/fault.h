// The data errors that the pieces of a kernel find, of which the first in the operand's order is reported, as a kernel
// on one thread would.
#pragma once
#include "../kernel.h"

namespace simdnn {
namespace {

class FirstBadIndex {
 public:
  // Whether 0 <= index < count, and if not, keeps it. The caller has read the index once: an output may lie on top of it.
  bool check(int64_t position, int32_t index, int64_t count) {
    if (index >= 0 && index < count) return true;
    while (__atomic_test_and_set(&busy_, __ATOMIC_ACQUIRE)) continue;
    if (position_ < 0 || position < position_) {
      position_ = position;
      index_ = index;
    }
    __atomic_clear(&busy_, __ATOMIC_RELEASE);
    return false;
  }

  // After the pieces have joined.
  void report(Status* status) const {
    if (position_ < 0) return;
    status->fault = Fault::index_out_of_range;
    status->position = position_;
    status->value = index_;
  }

 private:
  int64_t position_ = -1;
  int32_t index_ = 0;
  bool busy_ = false;
};

}  // namespace
}  // namespace simdnn
