#pragma once

#include <immintrin.h>

#include <cstdint>

// lanes_scalar.h in AVX-512: one register each.
#define REC_INLINE inline __attribute__((always_inline))

namespace rec::kernels {
namespace {

constexpr int kQueryBlock = 12, kTileBlock = 2;
constexpr int kSmallQueryBlock = 4, kSmallTileBlock = 4;
constexpr int kSingleTileBlock = 8;
constexpr int kRowBlock = 8, kColumnBlock = 3;
constexpr int kPropagateBlock = 8;
constexpr int kAdamBlock = 4, kAdamRows = 2;

struct F16 {
  __m512 v;
};
struct M16 {
  __mmask16 v;
};
struct D8 {
  __m512d v;
};

REC_INLINE float fma1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
REC_INLINE __mmask16 first16(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
REC_INLINE __mmask8 first8(int64_t n) { return static_cast<__mmask8>((1u << n) - 1); }

REC_INLINE F16 set1(float x) { return {_mm512_set1_ps(x)}; }
REC_INLINE F16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
REC_INLINE F16 load_n(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(first16(n), p)}; }
REC_INLINE void store(float* p, F16 a) { _mm512_storeu_ps(p, a.v); }
REC_INLINE void store_n(float* p, F16 a, int64_t n) { _mm512_mask_storeu_ps(p, first16(n), a.v); }
REC_INLINE F16 fma(F16 a, F16 b, F16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
REC_INLINE F16 add(F16 a, F16 b) { return {_mm512_add_ps(a.v, b.v)}; }
REC_INLINE F16 sub(F16 a, F16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
REC_INLINE F16 mul(F16 a, F16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
REC_INLINE F16 div(F16 a, F16 b) { return {_mm512_div_ps(a.v, b.v)}; }
REC_INLINE F16 sqrt(F16 a) { return {_mm512_sqrt_ps(a.v)}; }
REC_INLINE F16 abs(F16 a) { return {_mm512_abs_ps(a.v)}; }
REC_INLINE F16 max(F16 a, F16 b) { return {_mm512_max_ps(a.v, b.v)}; }
REC_INLINE F16 min(F16 a, F16 b) { return {_mm512_min_ps(a.v, b.v)}; }

REC_INLINE M16 lt(F16 a, F16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
REC_INLINE M16 ge(F16 a, F16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
REC_INLINE M16 eq(F16 a, F16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
REC_INLINE M16 or_(M16 a, M16 b) { return {static_cast<__mmask16>(a.v | b.v)}; }
REC_INLINE M16 first(int64_t n) {
  return {n >= 16 ? static_cast<__mmask16>(0xffff) : n <= 0 ? __mmask16{0} : first16(n)};
}
REC_INLINE uint32_t bits(M16 m) { return m.v; }
REC_INLINE F16 select(M16 m, F16 a, F16 b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }

REC_INLINE __m512 power_of(__m512i e) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(e, _mm512_set1_epi32(127)), 23));
}
REC_INLINE F16 scale_by_power(F16 y, F16 shifted) {
  const __m512i n = _mm512_sub_epi32(_mm512_castps_si512(shifted.v), _mm512_set1_epi32(0x4b400000));
  const __m512i half = _mm512_srai_epi32(n, 1);
  return {_mm512_mul_ps(_mm512_mul_ps(y.v, power_of(half)), power_of(_mm512_sub_epi32(n, half)))};
}
REC_INLINE __m512i above_sqrt_half(F16 x) {
  return _mm512_sub_epi32(_mm512_castps_si512(x.v), _mm512_set1_epi32(0x3f3504f3));
}
REC_INLINE F16 exponent_of(F16 x) { return {_mm512_cvtepi32_ps(_mm512_srai_epi32(above_sqrt_half(x), 23))}; }
REC_INLINE F16 mantissa_of(F16 x) {
  const __m512i low = _mm512_and_si512(above_sqrt_half(x), _mm512_set1_epi32(0x7fffff));
  return {_mm512_castsi512_ps(_mm512_add_epi32(low, _mm512_set1_epi32(0x3f3504f3)))};
}

REC_INLINE D8 set1_f64(double x) { return {_mm512_set1_pd(x)}; }
REC_INLINE D8 load(const double* p) { return {_mm512_loadu_pd(p)}; }
REC_INLINE D8 load_n(const double* p, int64_t n) { return {_mm512_maskz_loadu_pd(first8(n), p)}; }
REC_INLINE void store(double* p, D8 a) { _mm512_storeu_pd(p, a.v); }
REC_INLINE void store_n(double* p, D8 a, int64_t n) { _mm512_mask_storeu_pd(p, first8(n), a.v); }
REC_INLINE D8 add(D8 a, D8 b) { return {_mm512_add_pd(a.v, b.v)}; }
REC_INLINE D8 fnma(D8 a, D8 b, D8 c) { return {_mm512_fnmadd_pd(a.v, b.v, c.v)}; }
REC_INLINE D8 low_half(F16 a) { return {_mm512_cvtps_pd(_mm512_castps512_ps256(a.v))}; }
REC_INLINE D8 high_half(F16 a) { return {_mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1))}; }

// Packs the lanes in `mask`; writes sixteen entries whatever the mask.
REC_INLINE void compress(float* out, F16 a, uint32_t mask) {
  _mm512_storeu_ps(out, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), a.v));
}
REC_INLINE void compress_bits(int32_t* out, F16 a, uint32_t mask) {
  _mm512_storeu_ps(out, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), a.v));
}
REC_INLINE void append(float* scores, int32_t* rows, F16 a, int32_t row, uint32_t mask) {
  compress(scores, a, mask);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  compress_bits(rows, {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_set1_epi32(row), lane))}, mask);
}
// Integers carried through float lanes.
REC_INLINE F16 load_bits(const int32_t* p) { return {_mm512_loadu_ps(p)}; }

}  // namespace
}  // namespace rec::kernels
