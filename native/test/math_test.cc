// The largest errors that simd/math.h states, measured through the kernels that use it: every 997th float of a range, or
// every one when SIMDNN_SWEEP=1 is in the environment (about half an hour).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "kernel.h"
#include "table.h"
#include "test.h"

namespace {

using namespace simdnn;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// |got - exact| in units of the float spacing at exact.
double ulp_error(float got, double exact) {
  const float rounded = static_cast<float>(exact);
  if (got == rounded || (std::isnan(got) && std::isnan(exact))) return 0;
  if (std::isnan(got) || std::isnan(exact) || std::isinf(rounded) || std::isinf(got)) return kInfinity;
  const int exponent = std::max(std::ilogb(rounded == 0 ? std::numeric_limits<float>::denorm_min() : rounded), -126);
  return std::fabs(got - exact) / std::ldexp(1.0, exponent - 23);
}

// The floats in order: monotone, with both zeros.
int32_t number(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits >= 0 ? bits : INT32_MIN - bits;
}
float from_number(int64_t n) {
  const int32_t bits = static_cast<int32_t>(n >= 0 ? n : INT32_MIN - n);
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

struct Function {
  const char* name;
  int op;
  std::vector<double> attrs;
  double (*exact)(double);
  float low, high;
  double bound;  // in ULP
};

double worst_error(const KernelTable& table, const Function& function, int64_t stride, float* worst_at) {
  std::vector<float> in, out;
  double worst = 0;
  const auto run = [&] {
    out.resize(in.size());
    View views[2] = {};
    for (View& view : views) view = {nullptr, {static_cast<int64_t>(in.size())}, static_cast<int64_t>(in.size()), 1, DType::float32};
    views[0].data = in.data();
    views[1].data = out.data();
    Args args{};
    args.in = &views[0];
    args.out = &views[1];
    args.attrs = function.attrs.data();
    args.n_in = args.n_out = args.threads = 1;
    args.n_attrs = static_cast<int32_t>(function.attrs.size());
    table.f32[function.op](args);
    for (size_t i = 0; i < in.size(); i++) {
      const double error = ulp_error(out[i], function.exact(in[i]));
      if (error <= worst) continue;
      worst = error;
      *worst_at = in[i];
    }
    in.clear();
  };
  for (int64_t n = number(function.low), end = number(function.high); n <= end; n += stride) {
    in.push_back(from_number(n));
    if (in.size() == 65536) run();
  }
  for (float x : {0.0f, -0.0f, 1.0f, function.low, function.high, std::numeric_limits<float>::quiet_NaN()})
    if (!(x < function.low || x > function.high)) in.push_back(x);
  run();
  return worst;
}

double activation_number(Activation kind) { return static_cast<double>(kind); }

const Function kFunctions[] = {
    {"exp", op_exp, {}, [](double x) { return std::exp(x); }, -kInfinity, kInfinity, 1.04},
    {"log", op_log, {}, [](double x) { return std::log(x); }, -kInfinity, kInfinity, 0.86},
    {"expm1 (elu)", op_activation, {activation_number(Activation::elu), 1}, [](double x) { return std::expm1(x); }, -kInfinity, 0, 0.96},
    {"sigmoid", op_activation, {activation_number(Activation::sigmoid), 0}, [](double x) { return 1 / (1 + std::exp(-x)); }, -kInfinity, kInfinity, 2.41},
    {"tanh", op_activation, {activation_number(Activation::tanh), 0}, [](double x) { return std::tanh(x); }, -kInfinity, kInfinity, 2.5},
    {"softplus",
     op_activation,
     {activation_number(Activation::softplus), 0},
     [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); },
     -kInfinity,
     kInfinity,
     1.71},
    {"swish", op_activation, {activation_number(Activation::swish), 0}, [](double x) { return x / (1 + std::exp(-x)); }, -80, 80, 3.2},
    {"gelu",
     op_activation,
     {activation_number(Activation::gelu), 0},
     [](double x) { return x * 0.5 * std::erfc(-x * std::sqrt(0.5)); },
     -12.9f,
     kInfinity,
     6.1},
};

}  // namespace

TEST("math: errors over all floats are as small as stated") {
  const char* sweep = std::getenv("SIMDNN_SWEEP");
  const int64_t stride = sweep && *sweep == '1' ? 1 : 997;
  for (Isa isa : kSimdIsas) {
    if (!isa_available(isa)) continue;
    for (const Function& function : kFunctions) {
      float at = 0;
      const double worst = worst_error(kernel_table(isa), function, stride, &at);
      if (sweep) std::printf("%s %s: %.3f ULP at %a\n", isa_name(isa), function.name, worst, at);
      if (worst > function.bound)
        simdnn::test::fail(__FILE__, __LINE__,
                           std::string(isa_name(isa)) + " " + function.name + " is off by " + std::to_string(worst) + " ULP at " + std::to_string(at));
    }
  }
}

// Adam without a gradient, set so that it leaves 1/√x. A root within 0.56 ULP, or 0.56 · 2^-23 of its value, may put the quotient, whose
// ULP may be only 2^-24 of its own, off by twice as much; its own rounding comes on top.
TEST("math: the root that Adam divides by is as exact as stated, down to 0") {
  const char* sweep = std::getenv("SIMDNN_SWEEP");
  const int64_t stride = sweep && *sweep == '1' ? 1 : 997;
  const double attrs[] = {0.5, 0.5, 0, 0};
  double rate = -1;
  int32_t step = 2000;
  for (Isa isa : kSimdIsas) {
    if (!isa_available(isa)) continue;
    std::vector<float> x{std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max() / 2};
    for (int64_t n = number(1e-44f), end = number(1e38f); n < end; n += stride) x.push_back(from_number(n));
    const size_t count = x.size();
    std::vector<float> result(count), gradient(count), first(count, 2), second(count);
    for (size_t i = 0; i < count; i++) second[i] = 2 * x[i];
    const auto vector = [&](std::vector<float>& v) { return View{v.data(), {static_cast<int64_t>(count)}, static_cast<int64_t>(count), 1, DType::float32}; };
    const View views[] = {vector(result), vector(gradient), vector(first), vector(second), {&rate, {}, 1, 0, DType::float64}, {&step, {}, 1, 0, DType::int32}};
    Args args{};
    args.in = views;
    args.attrs = attrs;
    Status status{};
    args.n_in = 6, args.n_attrs = 4, args.threads = 1, args.status = &status;
    kernel_table(isa).f32[op_adam](args);
    EXPECT(status.fault == Fault::none);
    double worst = 0, worst_of_least = 0;
    for (size_t i = 0; i < count; i++) {
      double& kept = x[i] < 0x1p-120f ? worst_of_least : worst;
      kept = std::max(kept, ulp_error(result[i], 1 / std::sqrt(static_cast<double>(x[i]))));
    }
    EXPECT(worst <= 2 * 0.56 + 0.5);
    EXPECT(worst_of_least <= 1024);  // the estimate is within 2^-14
    second.assign(count, 0);
    kernel_table(isa).f32[op_adam](args);
    EXPECT(status.fault == Fault::unfit_update);  // 1 / 0
  }
}
