// Loads and runs programs. The only place that trusts nothing: after the checks here and each op's own, kernels run bare.
#include "program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>

#include "denormals.h"

namespace simdnn {
namespace {

constexpr size_t kAlignment = 64;

[[noreturn]] void fail(const std::string& what) { throw std::invalid_argument(what); }

std::string at(const char* kind, size_t i) { return std::string(kind) + " " + std::to_string(i); }

template <class T>
bool all_finite(const View& view) {
  const T* x = data<T>(view);
  for (int64_t i = 0; i < view.size; i++)
    if (!std::isfinite(x[i])) return false;
  return true;
}

bool finite(const View& view) {
  if (view.dtype == DType::float32) return all_finite<float>(view);
  if (view.dtype == DType::float64) return all_finite<double>(view);
  return true;
}

}  // namespace

size_t dtype_bytes(DType dtype) {
  constexpr size_t bytes[kDTypeCount] = {4, 8, 4, 1};
  return bytes[static_cast<int>(dtype)];
}

void Program::Free::operator()(void* memory) const { ::operator delete(memory, std::align_val_t(kAlignment)); }

size_t view_bytes(const View& view) { return static_cast<size_t>(view.size) * dtype_bytes(view.dtype); }

Program::Program(const ProgramImage& image, const KernelTable& table) : restored_(image.restored.begin(), image.restored.end()) {
  load_tensors(image);
  size_t bytes = 0;
  for (int32_t tensor : restored_) {
    if (tensor < 0 || static_cast<size_t>(tensor) >= views_.size()) fail("the list of tensors to be restored names none");
    bytes += view_bytes(views_[tensor]);
  }
  before_.resize(bytes);
  load_instructions(image, table);
}

void Program::load_tensors(const ProgramImage& image) {
  if (image.tensors.size() % kTensorFields != 0) fail("the tensor list is cut short");
  size_t count = image.tensors.size() / kTensorFields;
  views_.reserve(count);
  for (size_t i = 0; i < count; i++) {
    const int32_t* row = &image.tensors[i * kTensorFields];
    int32_t storage = row[0], offset = row[1], dtype = row[2], rank = row[3];
    if (storage < 0 || static_cast<size_t>(storage) >= image.storages.size()) fail(at("tensor", i) + " names no storage");
    if (offset < 0) fail(at("tensor", i) + " has a negative offset");
    if (dtype < 0 || dtype >= kDTypeCount) fail(at("tensor", i) + " has no known dtype");
    if (rank < 0 || rank > kMaxRank) fail(at("tensor", i) + " has a rank outside 0…6");
    View view{};
    view.dtype = static_cast<DType>(dtype);
    view.rank = rank;
    view.size = 1;
    for (int d = 0; d < rank; d++) {
      if (row[4 + d] < 0) fail(at("tensor", i) + " has a negative dimension");
      view.dims[d] = row[4 + d];
      if (__builtin_mul_overflow(view.size, view.dims[d], &view.size)) fail(at("tensor", i) + " is too large");
    }
    const Storage& memory = image.storages[storage];
    size_t element = dtype_bytes(view.dtype), start = static_cast<size_t>(offset) * kAlignment;
    if (start > memory.bytes || static_cast<size_t>(view.size) > (memory.bytes - start) / element)
      fail(at("tensor", i) + " reaches past the end of its storage");
    view.data = memory.data + start;
    if (view.size > 0 && reinterpret_cast<uintptr_t>(view.data) % element != 0) fail(at("tensor", i) + " is not aligned to its element");
    views_.push_back(view);
  }
}

void Program::load_instructions(const ProgramImage& image, const KernelTable& table) {
  std::span<const int32_t> words = image.instructions;
  // Pointers into these are handed out below, so they must never grow past this.
  operands_.reserve(words.size());
  operand_numbers_.reserve(words.size());
  attrs_.assign(image.attrs.begin(), image.attrs.end());
  size_t attr = 0;
  int64_t scratch = 0;
  for (size_t w = 0; w < words.size();) {
    size_t number = instructions_.size();
    if (words.size() - w < 4) fail(at("instruction", number) + " is cut short");
    int32_t op = words[w], n_in = words[w + 1], n_out = words[w + 2], n_attrs = words[w + 3];
    w += 4;
    if (op < 0 || op >= kOpCount) fail(at("instruction", number) + " has no known opcode");
    const OpInfo& info = op_info(op);
    if (n_in < info.min_in || n_in > info.max_in || n_out != info.n_out) fail(std::string(info.name) + ": wrong number of operands or outputs");
    if (words.size() - w < static_cast<size_t>(n_in) + n_out) fail(at("instruction", number) + " is cut short");
    if (n_attrs < 0 || static_cast<size_t>(n_attrs) > attrs_.size() - attr) fail(std::string(info.name) + ": attributes are cut short");

    Args args{};
    args.in = operands_.data() + operands_.size();
    args.out = args.in + n_in;
    for (int32_t i = 0; i < n_in + n_out; i++) {
      int32_t tensor = words[w + i];
      if (tensor < 0 || static_cast<size_t>(tensor) >= views_.size()) fail(std::string(info.name) + ": names no tensor");
      operands_.push_back(views_[tensor]);
      operand_numbers_.push_back(tensor);
    }
    args.attrs = attrs_.data() + attr;
    args.n_in = n_in;
    args.n_out = n_out;
    args.n_attrs = n_attrs;
    if (const char* problem = info.check(args)) fail(std::string(info.name) + ": " + problem);

    bool wide = args.in[0].dtype == DType::float64 || (n_out > 0 && args.out[0].dtype == DType::float64);
    if (!wide && table.scratch32[op]) scratch = std::max(scratch, table.scratch32[op](args));
    instructions_.push_back({wide ? table.f64[op] : table.f32[op], args, operand_numbers_.data() + operand_numbers_.size() - n_in - n_out});
    w += n_in + n_out;
    attr += n_attrs;
  }
  if (attr != attrs_.size()) fail("there are attributes that no instruction uses");
  scratch = (scratch + int64_t{kAlignment} - 1) / int64_t{kAlignment} * int64_t{kAlignment};
  if (scratch > 0) {
    scratch_.reset(::operator new(static_cast<size_t>(scratch), std::align_val_t(kAlignment), std::nothrow));
    if (!scratch_) throw NoScratch{scratch};
    for (auto& instruction : instructions_) instruction.args.scratch = scratch_.get(), instruction.args.scratch_bytes = scratch;
  }
}

void Program::keep() {
  uint8_t* to = before_.data();
  for (int32_t tensor : restored_) {
    const uint8_t* from = data<uint8_t>(views_[tensor]);
    to = std::copy(from, from + view_bytes(views_[tensor]), to);
  }
}

void Program::restore() {
  const uint8_t* from = before_.data();
  for (int32_t tensor : restored_) {
    size_t bytes = view_bytes(views_[tensor]);
    std::copy(from, from + bytes, data<uint8_t>(views_[tensor]));
    from += bytes;
  }
}

bool Program::is_restored(const View& view) const {
  return std::any_of(restored_.begin(), restored_.end(), [&](int32_t tensor) { return views_[tensor].data == view.data; });
}

bool Program::run(Pool* pool, int threads, Status* status, const std::atomic<bool>* abandon, double* nanoseconds, Between between) {
  const NoDenormals here;
  keep();
  for (size_t i = 0; i < instructions_.size(); i++) {
    if (between.call) between.call(between.context);
    if (abandon && abandon->load(std::memory_order_relaxed)) return false;
    auto& [kernel, args, numbers] = instructions_[i];
    args.pool = pool;
    args.threads = threads;
    args.status = status;
    if (nanoseconds) {
      auto start = std::chrono::steady_clock::now();
      kernel(args);
      nanoseconds[i] = std::min(nanoseconds[i], std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
    } else {
      kernel(args);
    }
    if (status->fault != Fault::none) {
      status->instruction = static_cast<int32_t>(i);
      restore();
      return false;
    }
  }
  return true;
}

int32_t Program::find_non_finite(const Status& ended, Pool* pool, int threads) {
  int32_t found = -1;
  if (ended.fault != Fault::non_finite && ended.fault != Fault::unfit_update) return found;
  const NoDenormals here;
  keep();
  Status status{};
  for (int32_t i = 0; i < ended.instruction && found < 0 && status.fault == Fault::none; i++) {
    auto& [kernel, args, numbers] = instructions_[i];
    if (args.n_out == 0 && args.n_in > 1 && !is_restored(args.in[0])) break;  // an update that must not be made twice
    args.pool = pool;
    args.threads = threads;
    args.status = &status;
    int32_t given = 0;  // looked for before operands are written in place
    while (given < args.n_in && finite(args.in[given])) given++;
    kernel(args);
    for (int32_t o = 0; o < args.n_out && found < 0; o++)
      if (!finite(args.out[o])) found = numbers[given < args.n_in ? given : args.n_in + o];
  }
  restore();
  return found;
}

}  // namespace simdnn
