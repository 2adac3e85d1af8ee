#pragma once

#include "core/kernels/kernels.h"

namespace rec::kernels {
namespace {

// Sixteen blocks side by side, so that the rounds vectorise: 64 floats.
inline void philox_sixteen(const PhiloxFloats& p, uint32_t first, float* out) {
  constexpr uint32_t kBlocks = 16;
  uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (uint32_t b = 0; b < kBlocks; ++b) {
    c0[b] = first + b;
    c1[b] = p.counter[1];
    c2[b] = p.counter[2];
    c3[b] = p.counter[3];
  }
  uint32_t k0 = p.key[0], k1 = p.key[1];
  for (int round = 0; round < 10; ++round) {
    for (uint32_t b = 0; b < kBlocks; ++b) {
      const uint64_t p0 = uint64_t{0xD2511F53} * c0[b], p1 = uint64_t{0xCD9E8D57} * c2[b];
      c0[b] = static_cast<uint32_t>(p1 >> 32) ^ c1[b] ^ k0;
      c1[b] = static_cast<uint32_t>(p1);
      c2[b] = static_cast<uint32_t>(p0 >> 32) ^ c3[b] ^ k1;
      c3[b] = static_cast<uint32_t>(p0);
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  // The 24 bits fit an int32, which is what vector units convert.
  const auto to_float = [](uint32_t word) { return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f; };
  for (uint32_t b = 0; b < kBlocks; ++b) {
    out[4 * b] = to_float(c0[b]);
    out[4 * b + 1] = to_float(c1[b]);
    out[4 * b + 2] = to_float(c2[b]);
    out[4 * b + 3] = to_float(c3[b]);
  }
}

void philox_floats(const PhiloxFloats& p, float* out, int64_t n) {
  for (int64_t i = 0; i < n; i += 64) philox_sixteen(p, p.counter[0] + static_cast<uint32_t>(i / 4), out + i);
}

}  // namespace
}  // namespace rec::kernels
