// One run of one op with given operands, and its comparison: every instruction set of the machine against
// reference<double>, at every misalignment, in place where that is allowed, on several threads, with memory around every
// array watched. Knows no op.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel.h"

namespace simdnn::test {

struct Operand {
  std::vector<int64_t> dims;
  std::vector<double> values;  // size of dims; for an output they are computed
  DType dtype = DType::float32;
  int64_t size() const;
};

// Numbers that are floats, from a generator of fixed seed: normal, times deviation, plus mean.
Operand normal_numbers(std::vector<int64_t> dims, double deviation = 1, double mean = 0);
// The same in (0, 1).
Operand uniform_numbers(std::vector<int64_t> dims);
Operand integers(std::vector<int64_t> dims, int64_t limit, DType dtype = DType::int32);
Operand one_number(double value, DType dtype = DType::float64);
// Puts infinities, NaN, zeros, denormals and the largest floats among the elements.
Operand with_specials(Operand operand);

struct Case {
  int op;
  std::vector<Operand> in;
  std::vector<Operand> out;  // dims and dtypes
  std::vector<double> attrs = {};
  // What a result may be off: ulps units in the last place of the exact one, plus an absolute amount.
  double ulps = 0, absolute = 0;
  std::vector<std::pair<int, int>> in_place = {};  // (output, operand) that may be one buffer
  bool exactly_as_float = false;                   // wanted: the bits of reference<float>
};

void check_case(const Case& c);

}  // namespace simdnn::test
