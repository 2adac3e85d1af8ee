#pragma once

#include "core/kernels/kernels.h"

// Included after one of lanes_*.h, like every impl_*.h: each instruction set compiles its own copy.
namespace rec::kernels {
namespace {

constexpr float kInfinity = __builtin_inff();

REC_INLINE F16 load_or(const float* p, int64_t n, float fill) {
  return n >= 16 ? load(p) : select(first(n), load_n(p, n), set1(fill));
}
REC_INLINE void store_up_to(float* p, F16 a, int64_t n) { n >= 16 ? store(p, a) : store_n(p, a, n); }

// e^x: x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial in r (Cephes expf).
REC_INLINE F16 exp(F16 x) {
  x = min(set1(89.0f), max(set1(-104.0f), x));
  const F16 magic = set1(12582912.0f);
  const F16 shifted = fma(x, set1(1.44269504088896341f), magic);
  const F16 n = sub(shifted, magic);
  F16 r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  F16 p = set1(1.9875691500e-4f);
  p = fma(p, r, set1(1.3981999507e-3f));
  p = fma(p, r, set1(8.3334519073e-3f));
  p = fma(p, r, set1(4.1665795894e-2f));
  p = fma(p, r, set1(1.6666665459e-1f));
  p = fma(p, r, set1(5.0000001201e-1f));
  p = fma(p, mul(r, r), r);
  return scale_by_power(add(p, set1(1.0f)), shifted);
}

// ln x: x = 2^e (1 + f), then a polynomial in f (Cephes logf).
REC_INLINE F16 log(F16 x) {
  const M16 subnormal = lt(x, set1(1.17549435e-38f));
  const F16 scaled = select(subnormal, mul(x, set1(8388608.0f)), x);
  const F16 e = add(exponent_of(scaled), select(subnormal, set1(-23.0f), set1(0.0f)));
  const F16 f = sub(mantissa_of(scaled), set1(1.0f));
  const F16 z = mul(f, f);
  F16 p = set1(7.0376836292e-2f);
  p = fma(p, f, set1(-1.1514610310e-1f));
  p = fma(p, f, set1(1.1676998740e-1f));
  p = fma(p, f, set1(-1.2420140846e-1f));
  p = fma(p, f, set1(1.4249322787e-1f));
  p = fma(p, f, set1(-1.6668057665e-1f));
  p = fma(p, f, set1(2.0000714765e-1f));
  p = fma(p, f, set1(-2.4999993993e-1f));
  p = fma(p, f, set1(3.3333331174e-1f));
  F16 y = mul(mul(p, f), z);
  y = fma(e, set1(-2.12194440e-4f), y);
  y = fma(set1(-0.5f), z, y);
  y = fma(e, set1(0.693359375f), add(f, y));
  y = select(lt(x, set1(kInfinity)), y, x);
  const F16 zero = set1(0.0f);
  y = select(lt(x, zero), set1(__builtin_nanf("")), y);
  return select(eq(x, zero), set1(-kInfinity), y);
}

// ln(1 + x), with the rounding error of 1 + x added back.
REC_INLINE F16 log1p(F16 x) {
  const F16 one = set1(1.0f);
  const F16 u = add(one, x);
  // The larger of 1 and x is the one to subtract first.
  const F16 lost = select(lt(x, one), sub(x, sub(u, one)), sub(one, sub(u, x)));
  const F16 correction = div(lost, u);
  const M16 finite = lt(abs(correction), set1(kInfinity));
  return add(log(u), select(finite, correction, set1(0.0f)));
}

void exp_of(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) store_up_to(y + i, exp(load_or(x + i, n - i, 1.0f)), n - i);
}
void log_of(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) store_up_to(y + i, log(load_or(x + i, n - i, 1.0f)), n - i);
}
void log1p_of(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; i += 16) store_up_to(y + i, log1p(load_or(x + i, n - i, 1.0f)), n - i);
}

void sigmoid_of(const float* x, float* y, int64_t n) {
  const F16 zero = set1(0.0f), one = set1(1.0f);
  for (int64_t i = 0; i < n; i += 16) {
    const F16 value = load_or(x + i, n - i, 0.0f);
    const F16 e = exp(sub(zero, abs(value)));
    const F16 large = div(one, add(one, e));
    store_up_to(y + i, select(ge(value, zero), large, mul(e, large)), n - i);
  }
}
// (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x.
void tanh_of(const float* x, float* y, int64_t n) {
  const F16 zero = set1(0.0f), one = set1(1.0f);
  for (int64_t i = 0; i < n; i += 16) {
    const F16 value = load_or(x + i, n - i, 0.0f);
    const F16 e = exp(mul(set1(-2.0f), abs(value)));
    const F16 t = div(sub(one, e), add(one, e));
    store_up_to(y + i, select(ge(value, zero), t, sub(zero, t)), n - i);
  }
}

// Adds the lanes as a tree, in the same order at every level.
REC_INLINE float sum_of(F16 a) {
  float v[16];
  store(v, a);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) v[i] += v[i + width];
  return v[0];
}
REC_INLINE float max_of(F16 a) {
  float v[16];
  store(v, a);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) v[i] = v[i] > v[i + width] ? v[i] : v[i + width];
  return v[0];
}

// A sum of floats in sixteen double lanes.
struct DoubleSum {
  D8 low = set1_f64(0), high = set1_f64(0);

  REC_INLINE void add_lanes(F16 a) {
    low = add(low, low_half(a));
    high = add(high, high_half(a));
  }
  REC_INLINE double total() const {
    double v[16];
    store(v, low);
    store(v + 8, high);
    for (int width = 8; width > 0; width /= 2)
      for (int i = 0; i < width; ++i) v[i] += v[i + width];
    return v[0];
  }
};

}  // namespace
}  // namespace rec::kernels
