#pragma once

#include <cstdint>

// For levels without an instruction that packs lanes; needs F16 and store of lanes_scalar.h or lanes_avx2.h.
namespace rec::kernels {
namespace {

// Packs the lanes in `mask`; `out` has room for sixteen whatever the mask.
REC_INLINE void compress(float* out, F16 a, uint32_t mask) {
  float values[16];
  store(values, a);
  for (; mask != 0; mask &= mask - 1) *out++ = values[__builtin_ctz(mask)];
}
REC_INLINE void compress_bits(int32_t* out, F16 a, uint32_t mask) {
  int32_t values[16];
  __builtin_memcpy(values, &a, sizeof values);
  for (; mask != 0; mask &= mask - 1) *out++ = values[__builtin_ctz(mask)];
}
REC_INLINE void append(float* scores, int32_t* rows, F16 a, int32_t row, uint32_t mask) {
  compress(scores, a, mask);
  for (; mask != 0; mask &= mask - 1) *rows++ = row + __builtin_ctz(mask);
}
// Integers carried through float lanes.
REC_INLINE F16 load_bits(const int32_t* p) {
  F16 a;
  __builtin_memcpy(&a, p, sizeof a);
  return a;
}

}  // namespace
}  // namespace rec::kernels
