// A time in which the system starts no thread, for tests of what then happens. With glibc only.
#pragma once
#if defined(__GLIBC__)
#include <pthread.h>

#include <cstddef>

namespace simdnn::test {

// While it lives no thread can be started: their stacks would not fit the address space.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 47);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

}  // namespace simdnn::test
#endif
