// What a kernel sees: views of its operands, its attributes, a way to run in parallel and a place to report a fault.
// Included by the files that are compiled once per instruction set, so it pulls in no C++ library header and every
// function in it has internal linkage: a shared inline function could be linked in its AVX-512 copy.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace simdnn {

constexpr int kMaxRank = 6;

enum class DType : int32_t { float32, float64, int32, uint8 };
constexpr int kDTypeCount = 4;

// A dense, row-major array. `data` is aligned to its element, and to 64 bytes when the library allocated it.
struct View {
  void* data;
  int64_t dims[kMaxRank];
  int64_t size;  // product of dims
  int32_t rank;
  DType dtype;
};

// An unfit update is one of an optimizer that would write NaN or infinity. It has written the rest.
enum class Fault : int32_t { none, index_out_of_range, non_finite, unfit_update };

// What went wrong in the data while a program ran. The first fault ends the run.
struct Status {
  Fault fault;
  int32_t instruction;
  int32_t operand;   // of the instruction, the one with the offending element
  int64_t position;  // its flat index; -1 where what an update makes of its operands is not finite, but all of them are
  double value;
};

struct Pool;  // pool.h

struct Args {
  const View* in;  // operands; those an op writes to (its effects) are among them
  const View* out;
  const double* attrs;
  int32_t n_in, n_out, n_attrs;
  void* scratch;  // at least as many bytes as the op's Scratch function asked for, 64-byte aligned
  int64_t scratch_bytes;
  Pool* pool;  // null: run on this thread only
  int32_t threads;
  Status* status;
};

using Kernel = void (*)(const Args&);
using Check = const char* (*)(const Args&);  // null when the views and attributes fit together, else what does not
using Scratch = int64_t (*)(const Args&);    // bytes a kernel wants in Args::scratch

// Opcode = line in ops.inc.
enum Op : int32_t {
#define OP(name, ...) op_##name,
#include "ops.inc"
#undef OP
  kOpCount
};

// Kernels by opcode, one column per floating-point type. Starts full of reference kernels, then an instruction set's
// file overrides what it does better, so it is complete by construction.
struct KernelTable {
  Kernel f32[kOpCount];
  Kernel f64[kOpCount];
  Scratch scratch32[kOpCount];  // null: none
};

// Runs body(context, begin, end) over pieces that cover [0, count), equally long except for the last and no shorter than `grain`
// before it. Piece i is always the same thread's, so what instructions split alike stays near the core that works on it.
// Which pieces there are depends on the thread budget, so an element's value must not depend on where a piece begins:
// sums go over blocks of fixed size, and ends use the same arithmetic as middles.
void parallel_for(const Args& args, int64_t count, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context);

template <class Body>
static inline void parallel(const Args& args, int64_t count, int64_t grain, Body body) {
  parallel_for(
      args, count, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<Body*>(context))(begin, end); }, &body);
}

template <class T>
static inline T* data(const View& view) {
  return static_cast<T*>(view.data);
}

// A scalar operand such as the learning rate, in either precision.
static inline double scalar(const View& view) {
  return view.dtype == DType::float64 ? *data<double>(view) : view.dtype == DType::float32 ? (double)*data<float>(view) : (double)*data<int32_t>(view);
}

// Activation functions by number, in the order of `activations` in lib/ops/activation.ts.
enum class Activation : int32_t { linear, relu, leaky_relu, elu, sigmoid, tanh, softplus, swish, gelu };

// What lies beyond an image's edge, in the order of `fills` in lib/ops/warp.ts: one value everywhere; the nearest pixel; the image
// mirrored at its edge (b a | a b c | c b); the image again and again.
enum class Fill : int32_t { constant, nearest, reflect, wrap };

}  // namespace simdnn
