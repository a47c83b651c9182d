// A frozen sequence of instructions over fixed memory: checked once when loaded, then run without checks.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel.h"
#include "table.h"

namespace simdnn {

struct Storage {
  uint8_t* data;
  size_t bytes;
};

// The flat form in which a program crosses from JavaScript (lib/program.ts writes it).
struct ProgramImage {
  // Per tensor: storage, offset in units of 64 bytes, dtype, rank, six dims.
  std::span<const int32_t> tensors;
  // Per instruction: opcode, operands, outputs, attributes, then the tensors' numbers.
  std::span<const int32_t> instructions;
  std::span<const double> attrs;      // of all instructions, in order
  std::span<const int32_t> restored;  // tensors that a run which ends in a fault puts back as they were
  std::span<const Storage> storages;
};

// There is no memory for what the kernels use beside their operands.
struct NoScratch {
  int64_t bytes;
};

// Something to do between two instructions.
struct Between {
  void (*call)(void* context) = nullptr;
  void* context = nullptr;
};

class Program {
 public:
  static constexpr int kTensorFields = 4 + kMaxRank;

  // Throws std::invalid_argument when anything in the image does not fit together, and NoScratch.
  Program(const ProgramImage& image, const KernelTable& table);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Runs every instruction, or up to the first fault, which it describes in `status` and of which no trace is left in the
  // tensors to be restored. `abandon` (may be null) is read between instructions. `nanoseconds` (may be null) keeps each
  // instruction's shortest time. Returns whether it got to the end.
  bool run(Pool* pool, int threads, Status* status, const std::atomic<bool>* abandon = nullptr, double* nanoseconds = nullptr, Between between = {});

  // After a run that numbers stopped which are not finite: runs the same once more until an output is not, and returns the
  // operand that was not either, such as a weight, or else that output; -1 where there is none, or none before an update that stays. Restores as run() does.
  int32_t find_non_finite(const Status& status, Pool* pool, int threads);

  // Whether its last run took longer than the engine lets others wait, who then pass between its instructions.
  bool runs_long = false;

  const View& tensor(size_t i) const { return views_.at(i); }
  size_t tensor_count() const { return views_.size(); }
  size_t instruction_count() const { return instructions_.size(); }

 private:
  struct Instruction {
    Kernel kernel;
    Args args;
    const int32_t* numbers;  // those of its operands, then of its outputs
  };

  void load_tensors(const ProgramImage& image);
  void load_instructions(const ProgramImage& image, const KernelTable& table);
  void keep();
  void restore();
  bool is_restored(const View& view) const;

  std::vector<View> views_;
  std::vector<View> operands_;  // what Args::in and Args::out point into
  std::vector<double> attrs_;
  std::vector<int32_t> operand_numbers_;  // of `operands_`
  std::vector<int32_t> restored_;
  std::vector<uint8_t> before_;  // their values when the run began, one after the other
  std::vector<Instruction> instructions_;
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<void, Free> scratch_;
};

size_t dtype_bytes(DType dtype);
size_t view_bytes(const View& view);

}  // namespace simdnn
