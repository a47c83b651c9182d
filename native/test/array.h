// Small owned arrays for tests, and one call that checks and runs an op on them.
#pragma once
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "../table.h"
#include "test.h"

namespace simdnn::test {

// An array of any dtype, read and written as doubles.
class Array {
 public:
  Array(DType dtype, std::vector<int64_t> dims, std::vector<double> values = {}) : view_{} {
    view_.dtype = dtype;
    view_.size = 1;
    for (int64_t dim : dims) view_.size *= view_.dims[view_.rank++] = dim;
    storage_.resize(size_t(view_.size));
    for (size_t i = 0; i < values.size(); i++) set(int64_t(i), values[i]);
  }
  int64_t size() const { return view_.size; }
  View view() const {
    View view = view_;
    view.data = const_cast<double*>(storage_.data());
    return view;
  }
  double operator[](int64_t i) const {
    switch (view_.dtype) {
      case DType::float32: return data<float>(view())[i];
      case DType::float64: return data<double>(view())[i];
      case DType::int32: return data<int32_t>(view())[i];
      default: return data<uint8_t>(view())[i];
    }
  }
  void set(int64_t i, double value) {
    switch (view_.dtype) {
      case DType::float32: data<float>(view())[i] = float(value); break;
      case DType::float64: data<double>(view())[i] = value; break;
      case DType::int32: data<int32_t>(view())[i] = int32_t(value); break;
      default: data<uint8_t>(view())[i] = uint8_t(value);
    }
  }

 private:
  View view_;
  std::vector<double> storage_;  // wide enough for every dtype, aligned for all
};

inline Array f64(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::float64, dims, values); }
inline Array f32(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::float32, dims, values); }
inline Array i32(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::int32, dims, values); }
inline Array u8(std::vector<int64_t> dims, std::vector<double> values = {}) { return Array(DType::uint8, dims, values); }

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Runs an op's reference kernel. Throws when its check refuses the operands.
inline Status run(Op op, std::vector<const Array*> in, std::vector<Array*> out, std::vector<double> attrs = {}) {
  std::vector<View> views;
  for (const Array* array : in) views.push_back(array->view());
  for (Array* array : out) views.push_back(array->view());
  Status status{};
  Args args{};
  args.in = views.data();
  args.out = views.data() + in.size();
  args.attrs = attrs.data();
  args.n_in = int32_t(in.size());
  args.n_out = int32_t(out.size());
  args.n_attrs = int32_t(attrs.size());
  args.status = &status;
  if (const char* problem = op_info(op).check(args)) throw std::invalid_argument(std::string(op_info(op).name) + ": " + problem);
  bool wide = false;
  for (const View& view : views) wide = wide || view.dtype == DType::float64;
  (wide ? kernel_table(Isa::reference).f64[op] : kernel_table(Isa::reference).f32[op])(args);
  return status;
}

}  // namespace simdnn::test

// EXPECT_VALUES(array, bound, {1, 2, 3})
#define EXPECT_VALUES(array, bound, ...)                                                                                                                   \
  do {                                                                                                                                                     \
    const std::vector<double> wanted_values = __VA_ARGS__;                                                                                                 \
    EXPECT_EQ((array).size(), int64_t(wanted_values.size()));                                                                                              \
    for (size_t i_ = 0; i_ < wanted_values.size(); i_++)                                                                                                   \
      simdnn::test::expect_near(__FILE__, __LINE__, (std::string(#array "[") + std::to_string(i_) + "]").c_str(), (array)[int64_t(i_)], wanted_values[i_], \
                                bound);                                                                                                                    \
  } while (0)
