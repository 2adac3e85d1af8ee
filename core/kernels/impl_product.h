#pragma once

#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

constexpr int64_t kProductPanel = 256;  // rows of b at a time: two tiles of them fit a first-level cache

// R rows x 16 T columns of c in registers over rows [p_begin, p_end) of b; `lanes` of the last 16 columns are valid.
template <int R, int T, bool kTail>
REC_INLINE void product_block(const Product& s, int64_t row, int64_t column, int64_t lanes, int64_t p_begin,
                              int64_t p_end) {
  F16 acc[R][T];
  float* c = s.c + row * s.ldc + column;
  const bool from_c = s.accumulate || p_begin > 0;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t)
      acc[r][t] = !from_c               ? set1(0.0f)
                  : kTail && t == T - 1 ? load_n(c + r * s.ldc + 16 * t, lanes)
                                        : load(c + r * s.ldc + 16 * t);
  const float* a = s.a + row * s.a_row + p_begin * s.a_column;
  const float* b = s.b + p_begin * s.ldb + column;
  for (int64_t p = p_begin; p < p_end; ++p, a += s.a_column, b += s.ldb) {
    F16 right[T];
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) right[t] = kTail && t == T - 1 ? load_n(b + 16 * t, lanes) : load(b + 16 * t);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const F16 left = set1(a[r * s.a_row]);
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t) acc[r][t] = fma(left, right[t], acc[r][t]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t)
      kTail&& t == T - 1 ? store_n(c + r * s.ldc + 16 * t, acc[r][t], lanes) : store(c + r * s.ldc + 16 * t, acc[r][t]);
}

// Rows in blocks of R, columns in blocks of 16 T; returns the first row left over.
template <int R, int T>
REC_INLINE int64_t product_rows(const Product& s, int64_t row, int64_t end_row, int64_t p_begin, int64_t p_end) {
  const int64_t end = row + (end_row - row) / R * R;
  int64_t column = 0;
  for (; column + 16 * T <= s.n; column += 16 * T)
    for (int64_t r = row; r < end; r += R) product_block<R, T, false>(s, r, column, 16, p_begin, p_end);
  for (; column + 16 <= s.n; column += 16)
    for (int64_t r = row; r < end; r += R) product_block<R, 1, false>(s, r, column, 16, p_begin, p_end);
  if (column < s.n)
    for (int64_t r = row; r < end; r += R) product_block<R, 1, true>(s, r, column, s.n - column, p_begin, p_end);
  return end;
}

void product(const Product& s, int64_t begin_row, int64_t end_row) {
  for (int64_t p = 0; p < s.k; p += kProductPanel) {
    const int64_t p_end = p + kProductPanel < s.k ? p + kProductPanel : s.k;
    int64_t row = product_rows<kQueryBlock, kTileBlock>(s, begin_row, end_row, p, p_end);
    row = product_rows<kSmallQueryBlock, kSmallTileBlock>(s, row, end_row, p, p_end);
    product_rows<1, kSingleTileBlock>(s, row, end_row, p, p_end);
  }
}

}  // namespace
}  // namespace rec::kernels
