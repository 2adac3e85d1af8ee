#pragma once

#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

enum class Scale { kNone, kColumn, kEntry };

// One row's chain over entries [begin, end) for 16 * N dimensions (the first n of 16 if kTail), kept in registers.
template <int N, Scale kScale, bool kTail>
REC_INLINE void add_neighbours(F16 (&acc)[N], const int32_t* columns, const float* scale, int64_t begin, int64_t end,
                               const float* x, int64_t d, int64_t n) {
  for (int64_t e = begin; e < end; ++e) {
    const int64_t c = columns[e];
    const float* row = x + c * d;
    const F16 factor = set1(kScale == Scale::kNone ? 1.0f : kScale == Scale::kColumn ? scale[c] : scale[e]);
#pragma GCC unroll 16
    for (int j = 0; j < N; ++j) {
      const F16 value = kTail ? load_n(row, n) : load(row + 16 * j);
      acc[j] = kScale == Scale::kNone ? add(acc[j], value) : fma(factor, value, acc[j]);
    }
  }
}

// Calls block(offset in the row, number of F16, valid lanes of a partial one or 0) over a row of d floats.
template <int N, class Block>
REC_INLINE void for_blocks(int64_t d, Block block) {
  int64_t j = 0;
  if constexpr (N >= 8)
    for (; j + 128 <= d; j += 128) block.template run<8, false>(j, 0);
  if constexpr (N >= 4)
    for (; j + 64 <= d; j += 64) block.template run<4, false>(j, 0);
  if constexpr (N >= 2)
    for (; j + 32 <= d; j += 32) block.template run<2, false>(j, 0);
  for (; j + 16 <= d; j += 16) block.template run<1, false>(j, 0);
  if (j < d) block.template run<1, true>(j, d - j);
}

template <Scale kScale>
struct PropagateRow {
  const Propagation& p;
  int64_t row;

  template <int N, bool kTail>
  REC_INLINE void run(int64_t offset, int64_t n) const {
    F16 acc[N];
#pragma GCC unroll 16
    for (int j = 0; j < N; ++j) acc[j] = set1(0.0f);
    add_neighbours<N, kScale, kTail>(acc, p.columns, p.column_scale, p.offsets[row], p.offsets[row + 1], p.x + offset,
                                     p.d, n);
    const int64_t at = row * p.d + offset;
#pragma GCC unroll 16
    for (int j = 0; j < N; ++j) {
      if (p.row_scale != nullptr) acc[j] = mul(set1(p.row_scale[row]), acc[j]);
      if (p.addend != nullptr) {
        const F16 addend = kTail ? load_n(p.addend + at, n) : load(p.addend + at + 16 * j);
        acc[j] = fma(set1(p.addend_scale), addend, acc[j]);
      }
      kTail ? store_n(p.y + at, acc[j], n) : store(p.y + at + 16 * j, acc[j]);
    }
  }
};

template <Scale kScale>
void propagate(const Propagation& p, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    for_blocks<kPropagateBlock>(p.d, PropagateRow<kScale>{p, p.row_list != nullptr ? p.row_list[i] : i});
}

void propagate_rows(const Propagation& p, int64_t begin, int64_t end) {
  p.column_scale != nullptr ? propagate<Scale::kColumn>(p, begin, end) : propagate<Scale::kNone>(p, begin, end);
}

struct WeightedRow {
  const WeightedRows& w;
  int64_t group;

  template <int N, bool kTail>
  REC_INLINE void run(int64_t offset, int64_t n) const {
    float* y = w.y + (w.rows != nullptr ? w.rows[group] : group) * w.d + offset;
    F16 acc[N];
#pragma GCC unroll 16
    for (int j = 0; j < N; ++j) acc[j] = !w.accumulate ? set1(0.0f) : kTail ? load_n(y, n) : load(y + 16 * j);
    add_neighbours<N, Scale::kEntry, kTail>(acc, w.columns, w.weights, w.offsets[group], w.offsets[group + 1],
                                            w.x + offset, w.d, n);
#pragma GCC unroll 16
    for (int j = 0; j < N; ++j) kTail ? store_n(y, acc[j], n) : store(y + 16 * j, acc[j]);
  }
};

void weighted_rows(const WeightedRows& w, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) for_blocks<kPropagateBlock>(w.d, WeightedRow{w, i});
}

// scores[0 .. n) of the pairs from `pair` on, n <= 16; the vector levels take sixteen at once.
REC_INLINE void score_pairs(const PairScores& p, int64_t pair, int64_t n) {
  const float* users[16];
  const float* items[16];
  int64_t row = pair / p.n_candidates, column = pair % p.n_candidates;
  for (int64_t j = 0; j < n; ++j) {
    users[j] = p.user_table + p.users[row] * p.d;
    items[j] = p.item_table + p.items[pair + j] * p.d;
    if (++column == p.n_candidates) column = 0, ++row;
  }
  if (n == 16) return score_sixteen(users, items, p.d, p.scores + pair);
  for (int64_t j = 0; j < n; ++j) {
    float acc = 0;
    for (int64_t k = 0; k < p.d; ++k) acc = fma1(users[j][k], items[j][k], acc);
    p.scores[pair + j] = acc;
  }
}

void pair_scores(const PairScores& p, int64_t begin, int64_t end) {
  const int64_t last = end * p.n_candidates;
  for (int64_t pair = begin * p.n_candidates; pair < last; pair += 16)
    score_pairs(p, pair, last - pair < 16 ? last - pair : 16);
}

void transpose(const float* a, int64_t rows, int64_t columns, float* out) {
  const int64_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
  for (int64_t j = 0; j < whole_columns; j += 8)
    for (int64_t i = 0; i < whole_rows; i += 8) transpose_eight(a + i * columns + j, columns, out + j * rows + i, rows);
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = j < whole_columns ? whole_rows : 0; i < rows; ++i) out[j * rows + i] = a[i * columns + j];
}

}  // namespace
}  // namespace rec::kernels
