#pragma once

#include "core/kernels/impl_math.h"

namespace rec::kernels {
namespace {

struct Sigmoids {
  F16 of_x, of_minus_x, softplus_of_minus_x;
};

// One exponential gives sigmoid(x), sigmoid(-x) and ln(1 + e^-x), all without cancellation.
REC_INLINE Sigmoids sigmoids(F16 x) {
  const F16 zero = set1(0.0f), one = set1(1.0f);
  const F16 e = exp(sub(zero, abs(x)));
  const F16 large = div(one, add(one, e));
  const F16 small = mul(e, large);
  const M16 positive = ge(x, zero);
  return {select(positive, large, small), select(positive, small, large), add(max(zero, sub(zero, x)), log1p(e))};
}

struct PairLoss {
  F16 loss, slope;  // slope = d loss / d negative score
};

// The pairs (positive, negative) of rows [begin, end), sixteen at a time; the mean is over all B (C - 1) of them.
template <class Function>
REC_INLINE double pairwise(const ScoreLoss& s, int64_t begin, int64_t end, Function function) {
  const int64_t c = s.n_candidates, last = end * c;
  const double share = 1.0 / (static_cast<double>(s.n_rows_total) * static_cast<double>(c - 1));
  DoubleSum sum;
  int64_t row = begin, column = 1;
  while (row < end) {
    float difference[16];
    int64_t at[16];
    int n = 0;
    for (; n < 16 && row < end; ++n) {
      at[n] = row * c + column;
      difference[n] = s.scores[row * c] - s.scores[at[n]];
      if (++column == c) column = 1, ++row;
    }
    const PairLoss pair = function(load_or(difference, n, 0.0f));
    sum.add_lanes(select(first(n), pair.loss, set1(0.0f)));
    float slope[16];
    store(slope, mul(pair.slope, set1(static_cast<float>(share))));
    for (int i = 0; i < n; ++i) s.dscores[at[i]] = slope[i];
  }
  for (int64_t r = begin * c; r < last; r += c) {
    float total = 0;
    for (int64_t j = 1; j < c; ++j) total += s.dscores[r + j];
    s.dscores[r] = -total;
  }
  return sum.total() * share;
}

double bpr_softplus(const ScoreLoss& s, int64_t begin, int64_t end) {
  return pairwise(s, begin, end, [](F16 x) {
    const Sigmoids y = sigmoids(x);
    return PairLoss{y.softplus_of_minus_x, y.of_minus_x};
  });
}

double bpr_log(const ScoreLoss& s, int64_t begin, int64_t end) {
  return pairwise(s, begin, end, [gamma = s.gamma](F16 x) {
    const Sigmoids y = sigmoids(x);
    const F16 guarded = add(set1(gamma), y.of_x);
    return PairLoss{sub(set1(0.0f), log(guarded)), div(mul(y.of_x, y.of_minus_x), guarded)};
  });
}

double bce_logits(const ScoreLoss& s, int64_t begin, int64_t end) {
  const int64_t c = s.n_candidates, last = end * c;
  const double share = 1.0 / (static_cast<double>(s.n_rows_total) * static_cast<double>(c));
  const F16 scale = set1(static_cast<float>(share));
  DoubleSum sum;
  int64_t until_positive = 0;
  for (int64_t i = begin * c; i < last; i += 16) {
    // +1 for the positive column, -1 for the others: the loss of an entry is softplus(-sign * score).
    float sign[16];
    for (int lane = 0; lane < 16; ++lane) {
      sign[lane] = until_positive == 0 ? 1.0f : -1.0f;
      until_positive = until_positive == 0 ? c - 1 : until_positive - 1;
    }
    const F16 signs = load(sign);
    const Sigmoids y = sigmoids(mul(signs, load_or(s.scores + i, last - i, 0.0f)));
    sum.add_lanes(select(first(last - i), y.softplus_of_minus_x, set1(0.0f)));
    store_up_to(s.dscores + i, mul(mul(sub(set1(0.0f), signs), y.of_minus_x), scale), last - i);
  }
  return sum.total() * share;
}

REC_INLINE float max_over(const float* x, int64_t n) {
  F16 best = set1(-kInfinity);
  for (int64_t i = 0; i < n; i += 16) best = max(best, load_or(x + i, n - i, -kInfinity));
  return max_of(best);
}

REC_INLINE float log_of_one(float x) {
  float y[16];
  store(y, log(set1(x)));
  return y[0];
}

// p = sum_k w_k sigmoid(s+ - s_k), w = softmax of the negatives; the gradient goes through w.
//   d p / d s_k = w_k (sigmoid_k - p) - w_k sigmoid_k (1 - sigmoid_k)
//   d p / d s+  = sum_k w_k sigmoid_k (1 - sigmoid_k)
double bpr_multi(const ScoreLoss& s, int64_t begin, int64_t end) {
  const int64_t n = s.n_candidates - 1;
  if (n == 1)  // p is the sigmoid of the one difference
    return pairwise(s, begin, end, [](F16 x) {
      const Sigmoids y = sigmoids(x);
      const F16 floor = set1(1e-8f);
      return PairLoss{sub(set1(0.0f), log(max(floor, y.of_x))), select(lt(y.of_x, floor), set1(0.0f), y.of_minus_x)};
    });
  const double share = 1.0 / static_cast<double>(s.n_rows_total);
  double total = 0;
  for (int64_t row = begin; row < end; ++row) {
    const float* positive = s.scores + row * s.n_candidates;
    const float* negative = positive + 1;
    float* slope = s.dscores + row * s.n_candidates;
    const float most = max_over(negative, n);
    if (most == -kInfinity) {  // no negative, as with masks in a small batch: nothing to compare with
      for (int64_t k = 0; k <= n; ++k) slope[k] = 0.0f;
      continue;
    }
    const F16 highest = set1(most);
    F16 weight_sum = set1(0.0f), weighted_sum = set1(0.0f);
    for (int64_t k = 0; k < n; k += 16) {
      const F16 score = load_or(negative + k, n - k, -kInfinity);
      const F16 weight = exp(sub(score, highest));
      const F16 sigmoid = sigmoids(sub(set1(*positive), score)).of_x;
      weight_sum = add(weight_sum, weight);
      weighted_sum = fma(weight, sigmoid, weighted_sum);
      store_up_to(slope + 1 + k, weight, n - k);
    }
    const float weights = sum_of(weight_sum);
    const float p = sum_of(weighted_sum) / weights;
    const float clamped = p < 1e-8f ? 1e-8f : p > 1.0f ? 1.0f : p;
    total += -static_cast<double>(log_of_one(clamped));
    const float outer = p < 1e-8f || p > 1.0f ? 0.0f : static_cast<float>(-share) / p;
    F16 positive_slope = set1(0.0f);
    for (int64_t k = 0; k < n; k += 16) {
      const Sigmoids y = sigmoids(sub(set1(*positive), load_or(negative + k, n - k, -kInfinity)));
      const F16 weight = div(load_or(slope + 1 + k, n - k, 0.0f), set1(weights));
      const F16 inner = mul(weight, mul(y.of_x, y.of_minus_x));
      positive_slope = add(positive_slope, inner);
      store_up_to(slope + 1 + k, mul(set1(outer), sub(mul(weight, sub(y.of_x, set1(p))), inner)), n - k);
    }
    slope[0] = outer * sum_of(positive_slope);
  }
  return total * share;
}

double softmax_ce(const ScoreLoss& s, int64_t begin, int64_t end) {
  const int64_t c = s.n_candidates;
  const double share = 1.0 / static_cast<double>(s.n_rows_total);
  double total = 0;
  for (int64_t row = begin; row < end; ++row) {
    const float* scores = s.scores + row * c;
    float* slope = s.dscores + row * c;
    const float highest = max_over(scores, c);
    F16 sum = set1(0.0f);
    for (int64_t j = 0; j < c; j += 16) {
      const F16 e = exp(sub(load_or(scores + j, c - j, -kInfinity), set1(highest)));
      sum = add(sum, e);
      store_up_to(slope + j, e, c - j);
    }
    const float normaliser = sum_of(sum);
    total += static_cast<double>(log_of_one(normaliser)) - (static_cast<double>(scores[0]) - highest);
    const F16 scale = set1(static_cast<float>(share) / normaliser);
    for (int64_t j = 0; j < c; j += 16) store_up_to(slope + j, mul(scale, load_or(slope + j, c - j, 0.0f)), c - j);
    slope[0] -= static_cast<float>(share);
  }
  return total * share;
}

}  // namespace
}  // namespace rec::kernels
