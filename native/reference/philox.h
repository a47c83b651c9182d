// Philox4x32-10, and which of its bits belong to which element: shared by the reference and the fast kernels.
// Not a generator object: every number is a function of (seed, stream, step, element), so that threads, pieces, instruction
// sets, the forward and the backward pass agree on it. Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3".
#pragma once
#include <stdint.h>

namespace simdnn {

constexpr uint32_t kPhiloxMultiplier[2] = {0xD2511F53, 0xCD9E8D57};
constexpr uint32_t kPhiloxWeyl[2] = {0x9E3779B9, 0xBB67AE85};
constexpr int kPhiloxRounds = 10;

struct PhiloxWords {
  uint32_t word[4];
};

static inline PhiloxWords philox(PhiloxWords counter, uint32_t key0, uint32_t key1) {
  uint32_t* c = counter.word;
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t product0 = (uint64_t)kPhiloxMultiplier[0] * c[0], product1 = (uint64_t)kPhiloxMultiplier[1] * c[2];
    counter = {{(uint32_t)(product1 >> 32) ^ c[1] ^ key0, (uint32_t)product1, (uint32_t)(product0 >> 32) ^ c[3] ^ key1, (uint32_t)product0}};
    key0 += kPhiloxWeyl[0];
    key1 += kPhiloxWeyl[1];
  }
  return counter;
}

// seed: an integer in [0, 2^53).
static inline PhiloxWords philox_block(uint64_t seed, uint32_t stream, uint32_t step, uint64_t block) {
  return philox({{(uint32_t)block, (uint32_t)(block >> 32), step, stream}}, (uint32_t)seed, (uint32_t)(seed >> 32));
}

// Where the bits of an element are: 16 neighbouring blocks fill a group of elements word by word, so that 16 lanes, each
// computing one block, hold neighbouring elements.
struct PhiloxLane {
  int64_t block;
  int word, shift;
};

// 32 bits for each element, groups of 64.
static inline PhiloxLane word_lane(int64_t element) {
  const int r = (int)(element % 64);
  return {element / 64 * 16 + r % 16, r / 16, 0};
}

// 16 bits for each element, groups of 128: the lower halves of a word before its upper halves.
static inline PhiloxLane half_lane(int64_t element) {
  const int r = (int)(element % 128);
  return {element / 128 * 16 + r % 16, r / 32, r / 16 % 2 * 16};
}

// An element is dropped when its 16 bits are below this. rate: in [0, 1).
static inline uint32_t dropout_threshold(double rate) { return (uint32_t)(rate * 65536 + 0.5); }

}  // namespace simdnn
