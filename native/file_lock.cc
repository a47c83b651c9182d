// Locks of open files, by the system's own means.
#include "file_lock.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <sys/file.h>

#include <cerrno>
#endif

namespace simdnn {

#ifdef _WIN32

bool lock_file(int descriptor) {
  // Descriptors are those of the C library that Node was linked with, which only libuv in the executable can tell us about.
  using Translate = HANDLE (*)(int);
  auto translate = reinterpret_cast<Translate>(reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), "uv_get_osfhandle")));
  if (!translate) return true;
  OVERLAPPED place{};
  place.OffsetHigh = 0x7fffffff;  // behind every byte: locked ones cannot be read by others
  if (LockFileEx(translate(descriptor), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) return true;
  return GetLastError() != ERROR_LOCK_VIOLATION;
}

#else

bool lock_file(int descriptor) {
  // Not fcntl's locks, which a process loses when it closes another descriptor of the file.
  int result;
  do result = flock(descriptor, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0 || errno != EWOULDBLOCK;
}

#endif

}  // namespace simdnn
