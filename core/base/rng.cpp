#include "core/base/rng.h"

#include <cmath>

namespace rec {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

// Counter words: block number, stream and epoch, row (64 bits). The key is the seed.
Rng::Rng(uint64_t seed, RngStream stream, uint64_t epoch, uint64_t row)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      counter_{0, static_cast<uint32_t>(stream) << 24 ^ static_cast<uint32_t>(epoch), static_cast<uint32_t>(row),
               static_cast<uint32_t>(row >> 32)} {}

void Rng::refill() {
  block_ = philox(counter_, key_);
  ++counter_[0];
  used_ = 0;
}

uint32_t Rng::next_below(uint32_t n) {
  uint64_t product = uint64_t{next_u32()} * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t threshold = -n % n;
    while (static_cast<uint32_t>(product) < threshold) product = uint64_t{next_u32()} * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

float Rng::next_normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - next_double()));
  const double angle = 6.283185307179586 * next_double();
  spare_ = static_cast<float>(radius * std::sin(angle));
  has_spare_ = true;
  return static_cast<float>(radius * std::cos(angle));
}

void shuffle(int64_t* values, int64_t n, Rng rng) {
  for (int64_t i = n - 1; i > 0; --i) {
    // next_below takes 32 bits; larger sets use a modulo whose bias is below 2^-31.
    const uint64_t bound = static_cast<uint64_t>(i) + 1;
    const uint64_t j =
        bound < (uint64_t{1} << 32) ? rng.next_below(static_cast<uint32_t>(bound)) : rng.next_u64() % bound;
    std::swap(values[i], values[j]);
  }
}

}  // namespace rec
