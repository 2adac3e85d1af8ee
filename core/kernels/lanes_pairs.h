#pragma once

#include <immintrin.h>

#include "core/kernels/kernels.h"

// For AVX2 and AVX-512: transposed 8 x 8 blocks, and from them eight dot products at once, one pair per lane.
namespace rec::kernels {
namespace {

REC_INLINE void transpose(__m256 (&r)[8]) {
  __m256 t[8], s[8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    s[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    s[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    s[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    s[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(s[i], s[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(s[i], s[i + 4], 0x31);
  }
}

// out[j, i] = a[i, j] for 8 x 8 floats.
REC_INLINE void transpose_eight(const float* a, int64_t lda, float* out, int64_t ldo) {
  __m256 r[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(a + i * lda);
  transpose(r);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) _mm256_storeu_ps(out + i * ldo, r[i]);
}

// acc += the products of dimensions k .. k + 7, one after the other.
REC_INLINE __m256 add_eight_dimensions(const float* const* users, const float* const* items, bool same_user, int64_t k,
                                       __m256 acc) {
  __m256 v[8], u[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) v[i] = _mm256_loadu_ps(items[i] + k);
  transpose(v);
  if (same_user) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) acc = _mm256_fmadd_ps(_mm256_broadcast_ss(users[0] + k + i), v[i], acc);
    return acc;
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) u[i] = _mm256_loadu_ps(users[i] + k);
  transpose(u);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) acc = _mm256_fmadd_ps(u[i], v[i], acc);
  return acc;
}

// Sixteen pairs as two chains per lane, so that neither waits for its own latency.
REC_INLINE void score_sixteen(const float* const* users, const float* const* items, int64_t d, float* scores) {
  const auto same = [&](int first) {
    bool all = true;
    for (int i = 1; i < 8; ++i) all &= users[first + i] == users[first];
    return all;
  };
  const bool same_low = same(0), same_high = same(8);
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  int64_t k = 0;
  for (; k + 8 <= d; k += 8) {
    low = add_eight_dimensions(users, items, same_low, k, low);
    high = add_eight_dimensions(users + 8, items + 8, same_high, k, high);
  }
  _mm256_storeu_ps(scores, low);
  _mm256_storeu_ps(scores + 8, high);
  for (; k < d; ++k)
    for (int i = 0; i < 16; ++i) scores[i] = fma1(users[i][k], items[i][k], scores[i]);
}

}  // namespace
}  // namespace rec::kernels
