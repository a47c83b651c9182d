// Asks for memory and gives it back untouched, which takes some microseconds.
#include "memory.h"

#include <cstdlib>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <sys/mman.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace simdnn {
namespace {

#ifdef _WIN32
void* map(size_t bytes) { return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }
void unmap(void* memory, size_t) { VirtualFree(memory, 0, MEM_RELEASE); }
#else
void* map(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}
void unmap(void* memory, size_t bytes) { munmap(memory, bytes); }
#endif

}  // namespace

bool could_allocate(size_t bytes, size_t reserve) {
  void* volatile wanted = std::malloc(bytes);  // volatile: or the compiler leaves both calls out
  if (!wanted) return false;
  void* more = map(reserve);
  if (more) unmap(more, reserve);
  std::free(wanted);
  return more != nullptr;
}

void trim() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace simdnn
