#pragma once

#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

constexpr int64_t kPanelRows = 64;  // rows of b at a time
constexpr int64_t kPanelColumns = 8 * kColumnBlock;

// R rows x kPanelColumns columns of c in registers through one packed panel of b; `columns` of them are valid.
template <int R>
REC_INLINE void update_block(const RankUpdate& u, const double* panel, int64_t row, int64_t column, int64_t columns,
                             int64_t p_begin, int64_t p_end) {
  D8 acc[R][kColumnBlock];
  double* c = u.c + row * u.ldc + column;
  const double* a = u.a + row * u.lda;
  const bool full = columns == kPanelColumns;
  const auto lanes = [&](int j) { return columns - 8 * j < 0 ? 0 : columns - 8 * j > 8 ? 8 : columns - 8 * j; };
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kColumnBlock; ++j)
      acc[r][j] = full ? load(c + r * u.ldc + 8 * j) : load_n(c + r * u.ldc + 8 * j, lanes(j));
  for (int64_t p = p_begin; p < p_end; ++p, panel += kPanelColumns) {
    D8 b[kColumnBlock];
#pragma GCC unroll 8
    for (int j = 0; j < kColumnBlock; ++j) b[j] = load(panel + 8 * j);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const D8 value = set1_f64(a[r * u.lda + p]);
#pragma GCC unroll 8
      for (int j = 0; j < kColumnBlock; ++j) acc[r][j] = fnma(value, b[j], acc[r][j]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kColumnBlock; ++j)
      full ? store(c + r * u.ldc + 8 * j, acc[r][j]) : store_n(c + r * u.ldc + 8 * j, acc[r][j], lanes(j));
}

void rank_update_f64(const RankUpdate& u, int64_t begin_row, int64_t end_row) {
  alignas(64) double panel[kPanelRows * kPanelColumns];
  for (int64_t p = 0; p < u.k; p += kPanelRows) {
    const int64_t p_end = p + kPanelRows < u.k ? p + kPanelRows : u.k;
    for (int64_t column = 0; column < u.n; column += kPanelColumns) {
      const int64_t columns = u.n - column < kPanelColumns ? u.n - column : kPanelColumns;
      for (int64_t i = p; i < p_end; ++i)
        for (int64_t j = 0; j < kPanelColumns; ++j)
          panel[(i - p) * kPanelColumns + j] = j < columns ? u.b[i * u.ldb + column + j] : 0.0;
      int64_t row = begin_row;
      for (; row + kRowBlock <= end_row; row += kRowBlock)
        update_block<kRowBlock>(u, panel, row, column, columns, p, p_end);
      for (; row < end_row; ++row) update_block<1>(u, panel, row, column, columns, p, p_end);
    }
  }
}

}  // namespace
}  // namespace rec::kernels
