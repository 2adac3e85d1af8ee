#pragma once

#include <array>
#include <cstdint>

namespace rec {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a function of key and counter.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What random numbers are for: one id for each use, never reused for another.
enum class RngStream : uint32_t {
  kInit = 0,
  kShuffle = 1,
  kNegatives = 2,
  kSplit = 3,
  kEvaluation = 4,
  kDropout = 5,
  kSharedNegatives = 6,
  kTuning = 7,
  kPlugin = 64
};

// Numbers keyed by (seed, stream, epoch, row): the same for any number of threads.
class Rng {
 public:
  Rng(uint64_t seed, RngStream stream, uint64_t epoch = 0, uint64_t row = 0);

  uint32_t next_u32() {
    if (used_ == 4) refill();
    return block_[used_++];
  }
  uint64_t next_u64() {
    const uint64_t high = next_u32();
    return high << 32 | next_u32();
  }
  // Uniform in [0, 1), 24 bits.
  float next_float() { return static_cast<float>(next_u32() >> 8) * 0x1p-24f; }
  // Uniform in [0, 1), 53 bits.
  double next_double() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }
  // Uniform in 0 .. n - 1 for 1 <= n < 2^32, without bias (Lemire's rejection).
  uint32_t next_below(uint32_t n);
  // Standard normal (Box-Muller).
  float next_normal();

  // The counter of the next block, for code that makes whole blocks itself (kernels::PhiloxFloats) and then skips them.
  const std::array<uint32_t, 4>& counter() const { return counter_; }
  const std::array<uint32_t, 2>& key() const { return key_; }
  void skip_blocks(uint32_t n) { counter_[0] += n; }

 private:
  void refill();

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_;
  int used_ = 4;
  bool has_spare_ = false;
  float spare_ = 0;
};

// Every order equally likely.
void shuffle(int64_t* values, int64_t n, Rng rng);

}  // namespace rec
