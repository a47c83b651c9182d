// Programs bent in random ways, on every instruction set: what the loader and the checks let through must not touch a byte
// outside its tensors. Without a sanitizer this sees stray writes; under ASan stray reads too. Longer than most files because it
// has a line for every op.
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "../program.h"
#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

using namespace simdnn;
using namespace simdnn::test;

namespace {

// A program of one instruction that is sound when its letters agree. Tensors: a dtype (T: float32 or float64, A: any,
// i: int32, s: float32, d: float64), then dims: letters for any size, digits for themselves. Attributes: a number, b: 0 or 1, r: any
// number, <n: below n, =m: the size m stands for, #T: the number of the dtype that T stands for.
struct Sound {
  Op op;
  const char* tensors;
  const char* attrs;
};

const Sound kSound[] = {
    {op_matmul, "Tmk Tkn > Tmn", "0 0"},
    {op_matmul, "Tkm Tnk > Tmn", "1 1"},
    {op_gemm, "Tmk Tnk Tmn >", "0 1 r r"},
    {op_gemm, "Tkm Tkn Tmn >", "1 0 1 0"},
    {op_dense, "Tbmk Tkn > Tbmn", "<7 r"},
    {op_dense, "Tmk Tkn Tn > Tmn", "<7 r"},
    {op_dense_grad, "Tmn Tmn > Tmn Tn", "<7 r"},
    {op_activation, "Tmn > Tmn", "<9 r"},
    {op_activation_grad, "Tmn Tmn > Tmn", "<9 r"},
    {op_softmax, "Tbmn > Tbmn", ""},
    {op_softmax_grad, "Tmn Tmn > Tmn", ""},
    {op_log_softmax, "Tmn > Tmn", ""},
    {op_log_softmax_grad, "Tmn Tmn > Tmn", ""},
    {op_batch_norm, "Tmn Tn Tn Tn Tn > Tmn Tn Tn", "r r"},
    {op_batch_norm_inference, "Tmn Tn Tn Tn Tn > Tmn", "r"},
    {op_batch_norm_grad, "Tbmn Tbmn Tn Tn Tn > Tbmn Tn Tn", ""},
    {op_dropout, "Tmn i > Tmn", "0.5 <9 <9"},
    {op_tick, "i > i", ""},
    {op_random_uniform, "> Tmn", "2 =m =n r r <9 <9 #T"},
    {op_random_normal, "i > Tm", "1 =m r r <9 <9 #T"},
    {op_softmax_cross_entropy, "Tmn im > Tm Tmn", ""},
    {op_softmax_cross_entropy, "Tmn Tmn > Tm Tmn", ""},
    {op_softmax_cross_entropy_grad, "Tm Tmn im > Tmn", ""},
    {op_softmax_cross_entropy_grad, "Tm Tmn Tmn > Tmn", ""},
    {op_sigmoid_cross_entropy, "Tmn Tmn > Tmn", ""},
    {op_sigmoid_cross_entropy_grad, "Tmn Tmn Tmn > Tmn", ""},
    {op_add, "Tmn Tn > Tmn", ""},
    {op_sub, "Tm1 Tn > Tmn", ""},
    {op_mul, "T T1mn > T1mn", ""},
    {op_div, "Tmn Tmn > Tmn", ""},
    {op_pow, "Tmn Tm1 > Tmn", ""},
    {op_maximum, "Tn Tbmn > Tbmn", ""},
    {op_minimum, "Tmn T > Tmn", ""},
    {op_equal, "imn in > smn", ""},
    {op_equal, "Tmn Tm1 > Tmn", ""},
    {op_greater, "Tmn Tn > Tmn", ""},
    {op_greater_equal, "Tmn Tmn > Tmn", ""},
    {op_select, "Tmn Tmn Tmn > Tmn", ""},
    {op_add_scaled, "Tmn Tmn T > Tmn", ""},
    {op_neg, "Tmn > Tmn", ""},
    {op_exp, "Tmn > Tmn", ""},
    {op_log, "Tmn > Tmn", ""},
    {op_sin, "Tmn > Tmn", ""},
    {op_cos, "Tmn > Tmn", ""},
    {op_sqrt, "Tmn > Tmn", ""},
    {op_square, "Tmn > Tmn", ""},
    {op_abs, "Tmn > Tmn", ""},
    {op_sign, "Tmn > Tmn", ""},
    {op_clip, "Tmn > Tmn", "r r"},
    {op_sum, "Tmn > T", "2 0 1 0"},
    {op_sum, "Tbmn > Tb1n", "1 1 1"},
    {op_mean, "Tbmn > Tm", "2 0 2 0"},
    {op_max, "Tbmn > Tbm", "1 2 0"},
    {op_max, "Tmn > T1n", "1 0 1"},
    {op_max_grad, "Tn Tmn Tn > Tmn", "1 0 0"},
    {op_squared_norm, "Tmn > T", ""},
    {op_argmax, "Tbmn > ibm", "2"},
    {op_argmax, "Tmn > in", "0"},
    {op_broadcast_to, "An > Amn", "2 =m =n"},
    {op_broadcast_to, "Am1 > Abmn", "3 =b =m =n"},
    {op_transpose, "Amn > Anm", "2 1 0"},
    {op_transpose, "Abmn > Anbm", "3 2 0 1"},
    {op_slice, "Amn > Apq", "2 <3 <3 2 =p =q"},
    {op_pad, "Apq > Amn", "2 <3 <3 2 =m =n"},
    {op_concat, "Am1 Am2 > Am3", "1"},
    {op_concat, "A2n A1n A1n > A4n", "0"},
    {op_gather, "Amn ik > skn", "0"},
    {op_gather, "smn ik > Akn", "#A"},
    {op_gather_grad, "Tkn ik > Tmn", "=m"},
    {op_cast, "Amn > imn", "2"},
    {op_cast, "Tmn > Amn", "#A"},
    {op_warp, "Tbmnk Tb6 > Tbmnk", "<4 r"},
    {op_warp, "Tbmnk Tb6 Tb2mn > Tbmnk", "<4 r"},
    {op_warp_grad, "Tbmnk Tbmnk Tb6 > Tbmnk Tb2mn", "<4 r"},
    {op_warp_grad, "Tbmnk Tbmnk Tb6 Tb2mn > Tbmnk Tb2mn", "<4 r"},
    {op_assign, "Amn Amn >", ""},
    {op_sgd, "Tmn Tmn d >", ""},
    {op_lerp, "Tmn Tmn d >", ""},
    {op_momentum, "Tmn Tmn Tmn d >", "r b b"},
    {op_rmsprop, "Tmn Tmn Tmn d >", "r r"},
    {op_adam, "Tmn Tmn Tmn Tmn d i >", "r r r r"},
    {op_adagrad, "Tmn Tmn Tmn d >", "r"},
    {op_nadam, "Tmn Tmn Tmn Tmn d i >", "r r r r"},
    {op_lion, "Tmn Tmn Tmn d >", "r r r"},
    {op_assert_finite, "Tmn >", ""},
};

constexpr double kNasty[] = {-1,
                             -0.5,
                             0,
                             0.5,
                             1,
                             2,
                             3,
                             6,
                             7,
                             127,
                             9e15,
                             1e18,
                             -1e300,
                             1e300,
                             4294967296,
                             2147483648,
                             1e10 + 0.5,
                             std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()};
constexpr int32_t kDims[] = {0, 1, 1, 2, 3, 4, 5, 17, 33};
constexpr int32_t kOddDims[] = {0, 1, 2, 3, 7, 64, 1000, 65537, std::numeric_limits<int32_t>::max()};
constexpr uint32_t kWords[] = {0, 1, 2, 3, 0xffffffff, 0x7fffffff, 0x80000000, 0x3f000000, 0xbf800000, 0x40490fdb, 0x7fc00000, 0x7f800000};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint32_t below(size_t count) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return uint32_t((state_ >> 33) % count);
  }
  template <class T, size_t N>
  T of(const T (&values)[N]) {
    return values[below(N)];
  }

 private:
  uint64_t state_;
};

// The flat form of one instruction, each operand a tensor in a storage of its own.
struct Image {
  std::vector<int32_t> tensors, instruction;
  std::vector<double> attrs;
  size_t trimmed = SIZE_MAX;  // a tensor whose storage is a few bytes too short

  size_t count() const { return tensors.size() / Program::kTensorFields; }
  int32_t* tensor(size_t i) { return &tensors[i * Program::kTensorFields]; }
};

Image sound_image(const Sound& sound, Random& random) {
  Image image;
  int32_t dims[26], inputs = 0, outputs = 0, float_dtype = int32_t(random.below(2)), any_dtype = int32_t(random.below(kDTypeCount));
  for (int32_t& dim : dims) dim = random.of(kDims);
  const auto dtype = [&](char letter) { return letter == 'T' ? float_dtype : letter == 'A' ? any_dtype : letter == 'i' ? 2 : letter == 'd' ? 1 : 0; };
  bool out = false;
  for (const char* c = sound.tensors; *c;) {
    if (*c == '>') out = true;
    if (*c == ' ' || *c == '>') {
      ++c;
      continue;
    }
    const int32_t storage = int32_t(image.count());
    image.tensors.insert(image.tensors.end(), {storage, 0, dtype(*c), 0, 1, 2, 3, 1, 2, 3});
    int32_t* tensor = image.tensor(size_t(storage));
    for (++c; *c && *c != ' '; ++c) tensor[4 + tensor[3]++] = *c <= '9' ? *c - '0' : dims[*c - 'a'];
    ++(out ? outputs : inputs);
  }
  for (const char* c = sound.attrs; *c; ++c) {
    const char kind = *c;
    if (kind == ' ') continue;
    if (kind == 'b')
      image.attrs.push_back(random.below(2));
    else if (kind == 'r')
      image.attrs.push_back(random.of(kNasty));
    else if (kind == '<')
      image.attrs.push_back(random.below(size_t(*++c - '0')));
    else if (kind == '=')
      image.attrs.push_back(dims[*++c - 'a']);
    else if (kind == '#')
      image.attrs.push_back(dtype(*++c));
    else {
      char* end;
      image.attrs.push_back(std::strtod(c, &end));
      c = end - 1;
    }
  }
  image.instruction = {sound.op, inputs, outputs, int32_t(image.attrs.size())};
  for (size_t i = 0; i < image.count(); i++) image.instruction.push_back(int32_t(i));
  return image;
}

void bend(Image& image, Random& random) {
  int32_t* tensor = image.tensor(random.below(image.count()));
  switch (random.below(10)) {
    case 0: tensor[4 + random.below(kMaxRank)] = random.of(kOddDims); break;
    case 1: tensor[3] = int32_t(random.below(kMaxRank + 1)); break;
    case 2: tensor[2] = int32_t(random.below(kDTypeCount)); break;
    case 3: tensor[0] = image.tensor(random.below(image.count()))[0], tensor[1] = int32_t(random.below(3)); break;
    case 4: image.instruction[4 + random.below(image.instruction.size() - 4)] = int32_t(random.below(image.count())); break;
    case 5:
      if (!image.attrs.empty()) image.attrs[random.below(image.attrs.size())] = random.of(kNasty);
      break;
    case 6:
      image.attrs.insert(image.attrs.begin() + random.below(image.attrs.size() + 1), random.of(kNasty));
      image.instruction[3]++;
      break;
    case 7:
      if (image.attrs.empty()) break;
      image.attrs.erase(image.attrs.begin() + random.below(image.attrs.size()));
      image.instruction[3]--;
      break;
    case 8: image.instruction[0] = int32_t(random.below(kOpCount)); break;
    case 9: image.trimmed = random.below(image.count()); break;
  }
}

// Memory for an image: storages with gaps between them that nothing may touch.
class Memory {
 public:
  Memory() : bytes_(kBytes) { start_ = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(bytes_.data()) + 63) / 64 * 64); }

  std::vector<Storage> lay_out(Image& image, Random& random) {
    std::vector<size_t> sizes(image.count());
    for (size_t i = 0; i < image.count(); i++) {
      const int32_t* tensor = image.tensor(i);
      size_t bytes = dtype_bytes(DType(tensor[2])) + (i == image.trimmed ? size_t(-1) : 0);
      for (int d = 0; d < tensor[3]; d++) bytes = tensor[4 + d] && bytes > kLargest / size_t(tensor[4 + d]) ? kLargest : bytes * size_t(tensor[4 + d]);
      sizes[size_t(tensor[0])] = std::max(sizes[size_t(tensor[0])], bytes + size_t(tensor[1]) * 64);
    }
    std::vector<Storage> storages;
    used_ = kGap;
    for (const size_t size : sizes) {
      const size_t bytes = std::min(size, kLargest);
      storages.push_back({start_ + used_, bytes});
      used_ += (bytes + 63) / 64 * 64 + kGap;
    }
    std::memset(start_, kCanary, used_);
    ASAN_POISON_MEMORY_REGION(start_, used_);
    for (const Storage& storage : storages) {
      ASAN_UNPOISON_MEMORY_REGION(storage.data, storage.bytes);
      for (size_t at = 0; at + 4 <= storage.bytes; at += 4) {
        const uint32_t word = random.of(kWords);
        std::memcpy(storage.data + at, &word, 4);
      }
    }
    return storages;
  }

  bool gaps_untouched(const std::vector<Storage>& storages) {
    ASAN_UNPOISON_MEMORY_REGION(start_, used_);
    const uint8_t* at = start_;
    for (const Storage& storage : storages) {
      for (; at < storage.data; at++)
        if (*at != kCanary) return false;
      at += storage.bytes;
    }
    for (; at < start_ + used_; at++)
      if (*at != kCanary) return false;
    return true;
  }

 private:
  static constexpr size_t kGap = 128, kLargest = 16384, kBytes = 12 * (kLargest + kGap + 64);
  static constexpr uint8_t kCanary = 0xa5;
  std::vector<uint8_t> bytes_;
  uint8_t* start_;
  size_t used_ = 0;
};

#ifdef SIMDNN_HOSTILE_PROGRAMS
constexpr int kPrograms = SIMDNN_HOSTILE_PROGRAMS;
#else
constexpr int kPrograms = 100000;
#endif

void run_hostile_programs(Isa isa) {
  Random random(20240229);
  Memory memory;
  std::vector<int> ran(kOpCount), refused(kOpCount);
  for (int n = 0; n < kPrograms; n++) {
    Image image = sound_image(random.of(kSound), random);
    for (uint32_t bends = random.below(4); bends > 0; bends--) bend(image, random);
    const std::vector<Storage> storages = memory.lay_out(image, random);
    const int32_t op = image.instruction[0];
    try {
      Program program({image.tensors, image.instruction, image.attrs, {}, storages}, kernel_table(isa));
      Status status{};
      program.run(nullptr, 1, &status);
      ran[size_t(op)]++;
    } catch (const std::invalid_argument&) {
      refused[size_t(op)]++;
    }
    if (!memory.gaps_untouched(storages))
      fail(__FILE__, __LINE__, std::string(isa_name(isa)) + " " + op_info(op).name + " wrote outside its tensors, program " + std::to_string(n));
  }
  // Each op got through often enough for the above to say something, and was refused too.
  for (int op = 0; op < kOpCount; op++) {
    if (ran[size_t(op)] < kPrograms / 2000)
      fail(__FILE__, __LINE__, std::string(op_info(op).name) + " ran only " + std::to_string(ran[size_t(op)]) + " times; kSound needs a call of it");
    if (refused[size_t(op)] < kPrograms / 2000)
      fail(__FILE__, __LINE__, std::string(op_info(op).name) + " was refused only " + std::to_string(refused[size_t(op)]) + " times");
  }
}

}  // namespace

TEST("hostile: programs that pass the checks stay inside their tensors") {
  run_hostile_programs(Isa::reference);
  for (Isa isa : kSimdIsas)
    if (isa_available(isa)) run_hostile_programs(isa);
}
