#pragma once

#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

// y[k] = fma(-factor, x[k], y[k]) for k in [0, n).
REC_INLINE void subtract_multiple(double* y, double factor, const double* x, int64_t n) {
  const D8 f = set1_f64(factor);
  int64_t k = 0;
  for (; k + 8 <= n; k += 8) store(y + k, fnma(f, load(x + k), load(y + k)));
  if (k < n) store_n(y + k, fnma(f, load_n(x + k, n - k), load_n(y + k, n - k)), n - k);
}
REC_INLINE void subtract_multiple(float* y, float factor, const float* x, int64_t n) {
  const F16 f = set1(-factor);
  int64_t k = 0;
  for (; k + 16 <= n; k += 16) store(y + k, fma(f, load(x + k), load(y + k)));
  if (k < n) store_n(y + k, fma(f, load_n(x + k, n - k), load_n(y + k, n - k)), n - k);
}

REC_INLINE double square_root(double x) { return __builtin_sqrt(x); }
REC_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
REC_INLINE double fma1(double a, double b, double c) { return __builtin_fma(a, b, c); }

// A = U^T U in place over the upper triangle, solving U^T y = b along the way, then U x = y. Every element is one chain
// in ascending order, whatever the lane width.
template <class T>
REC_INLINE bool solve_one(T* a, T* b, int64_t d) {
  for (int64_t j = 0; j < d; ++j) {
    T* row = a + j * d;
    if (!(row[j] > 0)) return false;
    row[j] = square_root(row[j]);
    for (int64_t k = j + 1; k < d; ++k) row[k] /= row[j];
    b[j] /= row[j];
    for (int64_t i = j + 1; i < d; ++i) subtract_multiple(a + i * d + i, row[i], row + i, d - i);
    subtract_multiple(b + j + 1, b[j], row + j + 1, d - j - 1);
  }
  for (int64_t i = d - 1; i >= 0; --i) {
    const T* row = a + i * d;
    T rest = b[i];
    for (int64_t k = i + 1; k < d; ++k) rest = fma1(-row[k], b[k], rest);
    b[i] = rest / row[i];
  }
  return true;
}

template <class T>
int64_t solve(const Systems<T>& s, int64_t begin, int64_t end) {
  int64_t failed = -1;
  for (int64_t i = begin; i < end; ++i)
    if (!solve_one(s.a + i * s.d * s.d, s.b + i * s.d, s.d) && failed < 0) failed = i;
  return failed;
}

}  // namespace
}  // namespace rec::kernels
