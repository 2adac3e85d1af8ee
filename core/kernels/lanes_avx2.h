#pragma once

#include <immintrin.h>

#include <cstdint>

// lanes_scalar.h in AVX2: two registers each.
#define REC_INLINE inline __attribute__((always_inline))

namespace rec::kernels {
namespace {

constexpr int kQueryBlock = 6, kTileBlock = 1;
constexpr int kSmallQueryBlock = 2, kSmallTileBlock = 3;
constexpr int kSingleTileBlock = 5;
constexpr int kRowBlock = 6, kColumnBlock = 1;
constexpr int kPropagateBlock = 4;
constexpr int kAdamBlock = 2, kAdamRows = 2;

struct F16 {
  __m256 a, b;
};
struct M16 {
  __m256 a, b;
};
struct D8 {
  __m256d a, b;
};

REC_INLINE float fma1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
// All ones in lane i where i < n.
REC_INLINE __m256i first8(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
REC_INLINE __m256i first4(int64_t n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

REC_INLINE F16 set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
REC_INLINE F16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
REC_INLINE F16 load_n(const float* p, int64_t n) {
  return {_mm256_maskload_ps(p, first8(n)), _mm256_maskload_ps(p + 8, first8(n - 8))};
}
REC_INLINE void store(float* p, F16 x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
REC_INLINE void store_n(float* p, F16 x, int64_t n) {
  _mm256_maskstore_ps(p, first8(n), x.a);
  _mm256_maskstore_ps(p + 8, first8(n - 8), x.b);
}
REC_INLINE F16 fma(F16 x, F16 y, F16 z) { return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)}; }
REC_INLINE F16 add(F16 x, F16 y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
REC_INLINE F16 sub(F16 x, F16 y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
REC_INLINE F16 mul(F16 x, F16 y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
REC_INLINE F16 div(F16 x, F16 y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
REC_INLINE F16 sqrt(F16 x) { return {_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)}; }
REC_INLINE F16 abs(F16 x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
REC_INLINE F16 max(F16 x, F16 y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
REC_INLINE F16 min(F16 x, F16 y) { return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)}; }

REC_INLINE M16 lt(F16 x, F16 y) { return {_mm256_cmp_ps(x.a, y.a, _CMP_LT_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_LT_OQ)}; }
REC_INLINE M16 ge(F16 x, F16 y) { return {_mm256_cmp_ps(x.a, y.a, _CMP_GE_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_GE_OQ)}; }
REC_INLINE M16 eq(F16 x, F16 y) { return {_mm256_cmp_ps(x.a, y.a, _CMP_EQ_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_EQ_OQ)}; }
REC_INLINE M16 or_(M16 x, M16 y) { return {_mm256_or_ps(x.a, y.a), _mm256_or_ps(x.b, y.b)}; }
REC_INLINE M16 first(int64_t n) { return {_mm256_castsi256_ps(first8(n)), _mm256_castsi256_ps(first8(n - 8))}; }
REC_INLINE uint32_t bits(M16 m) {
  return static_cast<uint32_t>(_mm256_movemask_ps(m.a)) | static_cast<uint32_t>(_mm256_movemask_ps(m.b)) << 8;
}
REC_INLINE F16 select(M16 m, F16 x, F16 y) {
  return {_mm256_blendv_ps(y.a, x.a, m.a), _mm256_blendv_ps(y.b, x.b, m.b)};
}

REC_INLINE __m256 power_of(__m256i e) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
}
REC_INLINE __m256 scale_by_power(__m256 y, __m256 shifted) {
  const __m256i n = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(0x4b400000));
  const __m256i half = _mm256_srai_epi32(n, 1);
  return _mm256_mul_ps(_mm256_mul_ps(y, power_of(half)), power_of(_mm256_sub_epi32(n, half)));
}
REC_INLINE F16 scale_by_power(F16 y, F16 shifted) {
  return {scale_by_power(y.a, shifted.a), scale_by_power(y.b, shifted.b)};
}
REC_INLINE __m256i above_sqrt_half(__m256 x) {
  return _mm256_sub_epi32(_mm256_castps_si256(x), _mm256_set1_epi32(0x3f3504f3));
}
REC_INLINE __m256 exponent_of(__m256 x) { return _mm256_cvtepi32_ps(_mm256_srai_epi32(above_sqrt_half(x), 23)); }
REC_INLINE __m256 mantissa_of(__m256 x) {
  const __m256i low = _mm256_and_si256(above_sqrt_half(x), _mm256_set1_epi32(0x7fffff));
  return _mm256_castsi256_ps(_mm256_add_epi32(low, _mm256_set1_epi32(0x3f3504f3)));
}
REC_INLINE F16 exponent_of(F16 x) { return {exponent_of(x.a), exponent_of(x.b)}; }
REC_INLINE F16 mantissa_of(F16 x) { return {mantissa_of(x.a), mantissa_of(x.b)}; }

REC_INLINE D8 set1_f64(double x) { return {_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
REC_INLINE D8 load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
REC_INLINE D8 load_n(const double* p, int64_t n) {
  return {_mm256_maskload_pd(p, first4(n)), _mm256_maskload_pd(p + 4, first4(n - 4))};
}
REC_INLINE void store(double* p, D8 x) {
  _mm256_storeu_pd(p, x.a);
  _mm256_storeu_pd(p + 4, x.b);
}
REC_INLINE void store_n(double* p, D8 x, int64_t n) {
  _mm256_maskstore_pd(p, first4(n), x.a);
  _mm256_maskstore_pd(p + 4, first4(n - 4), x.b);
}
REC_INLINE D8 add(D8 x, D8 y) { return {_mm256_add_pd(x.a, y.a), _mm256_add_pd(x.b, y.b)}; }
REC_INLINE D8 fnma(D8 x, D8 y, D8 z) { return {_mm256_fnmadd_pd(x.a, y.a, z.a), _mm256_fnmadd_pd(x.b, y.b, z.b)}; }
REC_INLINE D8 halves(__m256 x) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
REC_INLINE D8 low_half(F16 x) { return halves(x.a); }
REC_INLINE D8 high_half(F16 x) { return halves(x.b); }

}  // namespace
}  // namespace rec::kernels
