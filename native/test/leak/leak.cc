// An addon that leaks as it is loaded: what test-sanitize.mjs has to find before it may say that there are no leaks.
#include <node_api.h>

#include <cstring>

namespace {

// Out of line, so that no register or stack frame still points to it.
__attribute__((noinline)) void leak() {
  char* volatile lost = new char[1000];
  std::memset(lost, 1, 1000);
  lost = nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  (void)env;
  leak();
  return exports;
}
