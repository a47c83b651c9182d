// A test program in forty lines: registration, expectations, a list of failures. Not a framework.
#pragma once
#include <cmath>
#include <sstream>
#include <string>

namespace simdnn::test {

// Registers a test; main.cc runs those whose names contain one of its arguments.
struct Registration {
  Registration(const char* name, void (*body)());
};

// Its name.
const char* running_test();

// Notes a failure of the running test.
void fail(const char* file, int line, const std::string& text);

template <class A, class B>
void expect_equal(const char* file, int line, const char* text, const A& got, const B& wanted) {
  if (got == wanted) return;
  std::ostringstream message;
  message.precision(17);
  message << text << " is " << got << ", not " << wanted;
  fail(file, line, message.str());
}

// |got - wanted| <= bound, or both NaN, or both the same infinity.
inline void expect_near(const char* file, int line, const char* text, double got, double wanted, double bound) {
  if (got == wanted || std::fabs(got - wanted) <= bound || (std::isnan(got) && std::isnan(wanted))) return;
  std::ostringstream message;
  message.precision(17);
  message << text << " is " << got << ", not " << wanted << " ± " << bound;
  fail(file, line, message.str());
}

}  // namespace simdnn::test

#define TEST_JOIN2(a, b) a##b
#define TEST_JOIN(a, b) TEST_JOIN2(a, b)
// TEST("softmax: rows sum to one") { ... }
#define TEST(name)                                                                                              \
  static void TEST_JOIN(test_, __LINE__)();                                                                     \
  static const simdnn::test::Registration TEST_JOIN(registration_, __LINE__)(name, TEST_JOIN(test_, __LINE__)); \
  static void TEST_JOIN(test_, __LINE__)()

#define EXPECT(condition) ((condition) ? (void)0 : simdnn::test::fail(__FILE__, __LINE__, #condition " does not hold"))
#define EXPECT_EQ(got, wanted) simdnn::test::expect_equal(__FILE__, __LINE__, #got, got, wanted)
#define EXPECT_NEAR(got, wanted, bound) simdnn::test::expect_near(__FILE__, __LINE__, #got, got, wanted, bound)
