// See kernel_case.h.
#include "kernel_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>

#include "pool.h"
#include "program.h"
#include "table.h"
#include "test.h"

namespace simdnn::test {
namespace {

constexpr size_t kGuard = 128;
constexpr uint8_t kCanary = 0xa5;

// Starts anew in each test, so that the numbers of one do not depend on what those before it drew.
std::mt19937_64& generator() {
  static std::mt19937_64 engine;
  static const char* seeded = nullptr;
  if (seeded != running_test()) engine.seed(1);
  seeded = running_test();
  return engine;
}

template <class F>
Operand filled(std::vector<int64_t> dims, DType dtype, F value) {
  Operand operand{std::move(dims), {}, dtype};
  for (int64_t i = 0; i < operand.size(); i++) operand.values.push_back(value());
  return operand;
}

// An array in memory, `misalignment` elements behind a 64-byte boundary, with canaries before and after it.
class Buffer {
 public:
  Buffer(const Operand& operand, DType dtype, int misalignment) : count_(operand.size()), dtype_(dtype) {
    const size_t element = dtype_bytes(dtype), bytes = element * static_cast<size_t>(count_);
    memory_.assign(2 * kGuard + 64 + bytes + element * 3, kCanary);
    const auto start = reinterpret_cast<uintptr_t>(memory_.data()) + kGuard;
    begin_ = reinterpret_cast<uint8_t*>((start + 63) / 64 * 64) + element * static_cast<size_t>(misalignment);
    end_ = begin_ + bytes;
    for (size_t i = 0; i < operand.values.size(); i++) set(static_cast<int64_t>(i), operand.values[i]);
  }
  View view(const Operand& operand) const {
    View view{begin_, {}, count_, static_cast<int32_t>(operand.dims.size()), dtype_};
    std::copy(operand.dims.begin(), operand.dims.end(), view.dims);
    return view;
  }
  bool intact() const {
    const auto canary = [](uint8_t byte) { return byte == kCanary; };
    return std::all_of(memory_.data(), static_cast<const uint8_t*>(begin_), canary) &&
           std::all_of(static_cast<const uint8_t*>(end_), memory_.data() + memory_.size(), canary);
  }
  double get(int64_t i) const {
    switch (dtype_) {
      case DType::float32: return read<float>(i);
      case DType::float64: return read<double>(i);
      case DType::int32: return read<int32_t>(i);
      case DType::uint8: return read<uint8_t>(i);
    }
    return 0;
  }
  bool same_bytes(const Buffer& other) const { return std::equal(begin_, end_, other.begin_, other.end_); }
  int64_t size() const { return count_; }

 private:
  void set(int64_t i, double x) {
    switch (dtype_) {
      case DType::float32: return write(i, static_cast<float>(x));
      case DType::float64: return write(i, x);
      case DType::int32: return write(i, static_cast<int32_t>(x));
      case DType::uint8: return write(i, static_cast<uint8_t>(x));
    }
  }
  template <class T>
  T read(int64_t i) const {
    T x;
    std::memcpy(&x, begin_ + static_cast<size_t>(i) * sizeof x, sizeof x);
    return x;
  }
  template <class T>
  void write(int64_t i, T x) {
    std::memcpy(begin_ + static_cast<size_t>(i) * sizeof x, &x, sizeof x);
  }

  std::vector<uint8_t> memory_;
  uint8_t *begin_, *end_;
  int64_t count_;
  DType dtype_;
};

struct Run {
  std::vector<Buffer> in, out;
  Status status{};
};

Pool& pool() {
  static Pool shared;
  return shared;
}

// float32 arrays have the precision's type.
Run run(const Case& c, const KernelTable& table, DType precision, int misalignment, int threads, bool in_place = false) {
  Run result;
  std::vector<View> in, out;
  const auto place = [&](const std::vector<Operand>& arrays, std::vector<Buffer>& buffers, std::vector<View>& views) {
    for (const Operand& operand : arrays) {
      buffers.emplace_back(operand, operand.dtype == DType::float32 ? precision : operand.dtype, misalignment);
      views.push_back(buffers.back().view(operand));
    }
  };
  result.in.reserve(c.in.size());
  result.out.reserve(c.out.size());
  place(c.in, result.in, in);
  place(c.out, result.out, out);
  if (in_place)
    for (auto [output, operand] : c.in_place) out[static_cast<size_t>(output)].data = in[static_cast<size_t>(operand)].data;
  Args args{};
  args.in = in.data();
  args.out = out.data();
  args.attrs = c.attrs.data();
  args.n_in = static_cast<int32_t>(in.size());
  args.n_out = static_cast<int32_t>(out.size());
  args.n_attrs = static_cast<int32_t>(c.attrs.size());
  args.pool = threads > 1 ? &pool() : nullptr;
  args.threads = threads;
  args.status = &result.status;
  const bool is_double = precision == DType::float64;
  const Scratch scratch = is_double ? nullptr : table.scratch32[c.op];
  const Operand wanted{{scratch ? scratch(args) : 0}, {}, DType::uint8};
  Buffer memory(wanted, DType::uint8, 0);
  args.scratch = memory.view(wanted).data;
  args.scratch_bytes = memory.view(wanted).size;
  (is_double ? table.f64 : table.f32)[c.op](args);
  EXPECT(memory.intact());
  return result;
}

bool close(double got, double wanted, double ulps, double absolute) {
  if (got == wanted || (std::isnan(got) && std::isnan(wanted))) return true;
  const float rounded = static_cast<float>(wanted);
  if (got == rounded) return true;  // also beyond the largest float
  if (!std::isfinite(got) || !std::isfinite(wanted)) return false;
  const int exponent = rounded == 0 ? -126 : std::max(std::ilogb(wanted), -126);
  return std::fabs(got - wanted) <= ulps * std::ldexp(1.0, exponent - 23) + absolute;
}

std::string describe(const Case& c, Isa isa, int misalignment, int threads) {
  std::string text = std::string(isa_name(isa)) + " " + op_info(c.op).name;
  for (const Operand& operand : c.in) {
    text += " [";
    for (int64_t dim : operand.dims) text += std::to_string(dim) + " ";
    text += "]";
  }
  for (double attr : c.attrs) text.append(" ").append(std::to_string(attr));
  return text + ", " + std::to_string(misalignment) + " elements off, " + std::to_string(threads) + " threads: ";
}

void compare(const Case& c, const std::string& where, const char* what, const std::vector<Buffer>& got, const std::vector<Buffer>& wanted) {
  for (size_t k = 0; k < got.size(); k++) {
    const std::string array = where + what + " " + std::to_string(k);
    if (!got[k].intact()) fail(__FILE__, __LINE__, array + ": memory around it was written");
    for (int64_t i = 0; i < got[k].size(); i++) {
      if (close(got[k].get(i), wanted[k].get(i), c.exactly_as_float ? 0 : c.ulps, c.exactly_as_float ? 0 : c.absolute)) continue;
      std::ostringstream message;
      message.precision(12);
      message << array << " [" << i << "] is " << got[k].get(i) << ", not " << wanted[k].get(i);
      fail(__FILE__, __LINE__, message.str());
      break;
    }
  }
}

void expect_same(const std::string& text, const std::vector<Buffer>& a, const std::vector<Buffer>& b) {
  for (size_t k = 0; k < a.size(); k++)
    if (!a[k].same_bytes(b[k])) fail(__FILE__, __LINE__, text + std::to_string(k) + " has other bits");
}

}  // namespace

int64_t Operand::size() const {
  int64_t product = 1;
  for (int64_t dim : dims) product *= dim;
  return product;
}

Operand normal_numbers(std::vector<int64_t> dims, double deviation, double mean) {
  std::normal_distribution<double> normal(mean, deviation);
  return filled(std::move(dims), DType::float32, [&] { return static_cast<float>(normal(generator())); });
}

Operand uniform_numbers(std::vector<int64_t> dims) {
  std::uniform_real_distribution<double> uniform(0.01, 0.99);
  return filled(std::move(dims), DType::float32, [&] { return static_cast<float>(uniform(generator())); });
}

Operand integers(std::vector<int64_t> dims, int64_t limit, DType dtype) {
  std::uniform_int_distribution<int64_t> uniform(0, limit - 1);
  return filled(std::move(dims), dtype, [&] { return static_cast<double>(uniform(generator())); });
}

Operand one_number(double value, DType dtype) { return {{}, {value}, dtype}; }

Operand with_specials(Operand operand) {
  using Limits = std::numeric_limits<float>;
  const double specials[] = {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), 0.0, -0.0, Limits::denorm_min(), -1e-40f,
                             Limits::max(),      Limits::lowest(),    Limits::min(),       1.0, -1.0};
  const size_t shift = generator()() % std::size(specials);
  for (size_t i = 0; i < operand.values.size(); i += 3) operand.values[i] = specials[(i / 3 + shift) % std::size(specials)];
  return operand;
}

void check_case(const Case& c) {
  const KernelTable& reference = kernel_table(Isa::reference);
  const Run wanted = run(c, reference, c.exactly_as_float ? DType::float32 : DType::float64, 0, 1);
  const bool whole = wanted.status.fault == Fault::none || wanted.status.fault == Fault::unfit_update;  // else it may have stopped anywhere
  for (Isa isa : kSimdIsas) {
    if (!isa_available(isa)) continue;
    const KernelTable& table = kernel_table(isa);
    const Run first = run(c, table, DType::float32, 0, 1);
    EXPECT_EQ(static_cast<int>(first.status.fault), static_cast<int>(wanted.status.fault));
    EXPECT_EQ(first.status.position, wanted.status.position);
    EXPECT_EQ(first.status.operand, wanted.status.operand);
    if (whole) {
      compare(c, describe(c, isa, 0, 1), "output", first.out, wanted.out);
      compare(c, describe(c, isa, 0, 1), "operand", first.in, wanted.in);
    }
    const auto same_as_first = [&](const Run& other, const std::string& where) {
      EXPECT_EQ(other.status.position, first.status.position);
      for (const Buffer& buffer : other.in)
        if (!buffer.intact()) fail(__FILE__, __LINE__, where + "memory around an operand was written");
      for (const Buffer& buffer : other.out)
        if (!buffer.intact()) fail(__FILE__, __LINE__, where + "memory around an output was written");
      if (!whole) return;
      expect_same(where + "output ", first.out, other.out);
      expect_same(where + "operand ", first.in, other.in);
    };
    for (int misalignment = 1; misalignment <= 3; misalignment++)
      same_as_first(run(c, table, DType::float32, misalignment, 1), describe(c, isa, misalignment, 1));
    for (int threads : {2, 3, 7}) same_as_first(run(c, table, DType::float32, 0, threads), describe(c, isa, 0, threads));
    for (const auto& pair : c.in_place) {
      Case one = c;
      one.in_place = {pair};
      const Run together = run(one, table, DType::float32, 0, 2, true);
      if (!together.in[static_cast<size_t>(pair.second)].same_bytes(first.out[static_cast<size_t>(pair.first)]))
        fail(__FILE__, __LINE__, describe(c, isa, 0, 2) + "in place: other bits");
    }
  }
}

}  // namespace simdnn::test
