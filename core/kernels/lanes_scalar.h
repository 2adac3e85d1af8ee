#pragma once

#include <cstdint>

// Sixteen floats and eight doubles as plain arrays: the reference that the other lanes_*.h must match bit for bit.
// Internal linkage and no std:: here and in impl_*.h: a shared inline function compiled with AVX must not win the link.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Inlining every instrumented loop over lanes takes the compiler minutes.
#define REC_INLINE inline
#else
#define REC_INLINE inline __attribute__((always_inline))
#endif

namespace rec::kernels {
namespace {

// Register blocks of the micro-kernels: queries x tiles, rows x vectors.
constexpr int kQueryBlock = 1, kTileBlock = 1;
constexpr int kSmallQueryBlock = 1, kSmallTileBlock = 1;
constexpr int kSingleTileBlock = 1;
constexpr int kRowBlock = 1, kColumnBlock = 1;
constexpr int kPropagateBlock = 1;
constexpr int kAdamBlock = 1, kAdamRows = 1;

struct F16 {
  float v[16];
};
struct M16 {
  uint32_t bits;
};
struct D8 {
  double v[8];
};

template <class Function>
REC_INLINE F16 each(Function f) {
  F16 r;
  for (int i = 0; i < 16; ++i) r.v[i] = f(i);
  return r;
}
template <class Function>
REC_INLINE M16 each_bit(Function f) {
  M16 r{0};
  for (int i = 0; i < 16; ++i) r.bits |= static_cast<uint32_t>(f(i)) << i;
  return r;
}
template <class Function>
REC_INLINE D8 each8(Function f) {
  D8 r;
  for (int i = 0; i < 8; ++i) r.v[i] = f(i);
  return r;
}

REC_INLINE float fma1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
REC_INLINE int32_t bits_of(float x) {
  int32_t r;
  __builtin_memcpy(&r, &x, 4);
  return r;
}
REC_INLINE float float_of(int32_t bits) {
  float r;
  __builtin_memcpy(&r, &bits, 4);
  return r;
}

REC_INLINE F16 set1(float x) {
  return each([&](int) { return x; });
}
REC_INLINE F16 load(const float* p) {
  return each([&](int i) { return p[i]; });
}
REC_INLINE F16 load_n(const float* p, int64_t n) {
  return each([&](int i) { return i < n ? p[i] : 0.0f; });
}
REC_INLINE void store(float* p, F16 a) { __builtin_memcpy(p, a.v, sizeof a.v); }
REC_INLINE void store_n(float* p, F16 a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = a.v[i];
}
REC_INLINE F16 fma(F16 a, F16 b, F16 c) {
  return each([&](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); });
}
REC_INLINE F16 add(F16 a, F16 b) {
  return each([&](int i) { return a.v[i] + b.v[i]; });
}
REC_INLINE F16 sub(F16 a, F16 b) {
  return each([&](int i) { return a.v[i] - b.v[i]; });
}
REC_INLINE F16 mul(F16 a, F16 b) {
  return each([&](int i) { return a.v[i] * b.v[i]; });
}
REC_INLINE F16 div(F16 a, F16 b) {
  return each([&](int i) { return a.v[i] / b.v[i]; });
}
REC_INLINE F16 sqrt(F16 a) {
  return each([&](int i) { return __builtin_sqrtf(a.v[i]); });
}
REC_INLINE F16 abs(F16 a) {
  return each([&](int i) { return float_of(bits_of(a.v[i]) & 0x7fffffff); });
}
// a > b ? a : b, so a NaN in either gives b.
REC_INLINE F16 max(F16 a, F16 b) {
  return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
REC_INLINE F16 min(F16 a, F16 b) {
  return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}

// Ordered comparisons: false for NaN.
REC_INLINE M16 lt(F16 a, F16 b) {
  return each_bit([&](int i) { return a.v[i] < b.v[i]; });
}
REC_INLINE M16 ge(F16 a, F16 b) {
  return each_bit([&](int i) { return a.v[i] >= b.v[i]; });
}
REC_INLINE M16 eq(F16 a, F16 b) {
  return each_bit([&](int i) { return a.v[i] == b.v[i]; });
}
REC_INLINE M16 or_(M16 a, M16 b) { return {a.bits | b.bits}; }
// Lanes i < n, for any n.
REC_INLINE M16 first(int64_t n) {
  return each_bit([&](int i) { return i < n; });
}
REC_INLINE uint32_t bits(M16 m) { return m.bits; }
REC_INLINE F16 select(M16 m, F16 a, F16 b) {
  return each([&](int i) { return m.bits >> i & 1 ? a.v[i] : b.v[i]; });
}

// y * 2^n for shifted = n + 1.5 * 2^23, in two exact powers so that subnormal results round once.
REC_INLINE F16 scale_by_power(F16 y, F16 shifted) {
  return each([&](int i) {
    const int32_t n = static_cast<int32_t>(static_cast<uint32_t>(bits_of(shifted.v[i])) - 0x4b400000u);
    const int32_t half = n >> 1;
    const auto power = [](uint32_t e) { return float_of(static_cast<int32_t>((e + 127u) << 23)); };
    return y.v[i] * power(static_cast<uint32_t>(half)) * power(static_cast<uint32_t>(n) - static_cast<uint32_t>(half));
  });
}
REC_INLINE int32_t above_sqrt_half(float x) {
  return static_cast<int32_t>(static_cast<uint32_t>(bits_of(x)) - 0x3f3504f3u);
}
// x = mantissa * 2^exponent with mantissa in [sqrt(1/2), sqrt(2)), for positive normal x.
REC_INLINE F16 exponent_of(F16 x) {
  return each([&](int i) { return static_cast<float>(above_sqrt_half(x.v[i]) >> 23); });
}
REC_INLINE F16 mantissa_of(F16 x) {
  return each([&](int i) { return float_of((above_sqrt_half(x.v[i]) & 0x7fffff) + 0x3f3504f3); });
}

REC_INLINE D8 set1_f64(double x) {
  return each8([&](int) { return x; });
}
REC_INLINE D8 load(const double* p) {
  return each8([&](int i) { return p[i]; });
}
REC_INLINE D8 load_n(const double* p, int64_t n) {
  return each8([&](int i) { return i < n ? p[i] : 0.0; });
}
REC_INLINE void store(double* p, D8 a) { __builtin_memcpy(p, a.v, sizeof a.v); }
REC_INLINE void store_n(double* p, D8 a, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = a.v[i];
}
REC_INLINE D8 add(D8 a, D8 b) {
  return each8([&](int i) { return a.v[i] + b.v[i]; });
}
// c - a b, rounded once.
REC_INLINE D8 fnma(D8 a, D8 b, D8 c) {
  return each8([&](int i) { return __builtin_fma(-a.v[i], b.v[i], c.v[i]); });
}
REC_INLINE D8 low_half(F16 a) {
  return each8([&](int i) { return static_cast<double>(a.v[i]); });
}
REC_INLINE D8 high_half(F16 a) {
  return each8([&](int i) { return static_cast<double>(a.v[i + 8]); });
}

REC_INLINE void transpose_eight(const float* a, int64_t lda, float* out, int64_t ldo) {
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 8; ++i) out[j * ldo + i] = a[i * lda + j];
}

// Sixteen dot products side by side, so that none waits for its own latency.
REC_INLINE void score_sixteen(const float* const* users, const float* const* items, int64_t d, float* scores) {
  for (int i = 0; i < 16; ++i) scores[i] = 0;
  for (int64_t k = 0; k < d; ++k)
    for (int i = 0; i < 16; ++i) scores[i] = fma1(users[i][k], items[i][k], scores[i]);
}

}  // namespace
}  // namespace rec::kernels
