// Runs the native tests: simdnn_test [part of a name]... One line per failure, then the count.
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "test.h"

namespace simdnn::test {
namespace {

struct Test {
  const char* name;
  void (*body)();
};

// In a function, so that it exists before the first registration.
std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

const char* running = "";
int failures = 0;
constexpr int kShownFailures = 20;  // per test

bool wanted(const char* name, int count, char** filters) {
  if (count == 0) return true;
  for (int i = 0; i < count; ++i)
    if (std::strstr(name, filters[i])) return true;
  return false;
}

}  // namespace

Registration::Registration(const char* name, void (*body)()) { tests().push_back({name, body}); }

const char* running_test() { return running; }

void fail(const char* file, int line, const std::string& text) {
  if (++failures > kShownFailures) return;
  std::printf("%s: %s:%d: %s\n", running, file, line, text.c_str());
}

}  // namespace simdnn::test

int main(int argc, char** argv) {
  using namespace simdnn::test;
  int passed = 0, failed = 0;
  for (const Test& test : tests()) {
    if (!wanted(test.name, argc - 1, argv + 1)) continue;
    running = test.name;
    failures = 0;
    try {
      test.body();
    } catch (const std::exception& error) {
      fail("exception", 0, error.what());
    }
    ++(failures ? failed : passed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed;
}
