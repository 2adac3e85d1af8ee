#include "core/plugin/list_losses.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rec {

namespace {

constexpr int64_t kChunk = 64;  // rows

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// One row: its valid slots, and the gradient of its loss with respect to their scores.
class ListRow {
 public:
  using Doubles = std::vector<double>;

  void load(const float* scores, const uint8_t* mask, int64_t n_columns) {
    positives_.clear(), negatives_.clear(), s_.assign(scores, scores + n_columns);
    for (int64_t c = 0; c < n_columns; ++c) {
      if (mask[c] == REC_SLOT_POSITIVE) positives_.push_back(c);
      if (mask[c] == REC_SLOT_NEGATIVE) negatives_.push_back(c);
    }
    slope_.assign(s_.size(), 0);
  }
  // A row without positives or without negatives has nothing to order.
  bool counts() const { return !positives_.empty() && !negatives_.empty(); }
  const Doubles& slope() const { return slope_; }

  double loss(int32_t loss) {
    const double sign = (loss & REC_LIST_LOSS_HARD) != 0 ? -1 : 1;
    switch (loss & ~REC_LIST_LOSS_HARD) {
      case REC_LIST_LOSS_BPR: return bpr(sign);
      case REC_LIST_LOSS_BPR_AFTER: return bpr_after(sign);
      case REC_LIST_LOSS_BPR_BEFORE: return bpr_before(sign);
      case REC_LIST_LOSS_BPR_SIMPLE: return bpr_simple();
      case REC_LIST_LOSS_LISTNET: return listnet();
      case REC_LIST_LOSS_SOFTMAX_CE: return softmax_ce();
      default: return attention_rank();
    }
  }

 private:
  // Softmax of sign * score over `slots`, in their order.
  Doubles softmax(const std::vector<size_t>& slots, double sign) const {
    double highest = -INFINITY, sum = 0;
    for (size_t i : slots) highest = std::max(highest, sign * s_[i]);
    Doubles weights;
    for (size_t i : slots) sum += weights.emplace_back(std::exp(sign * s_[i] - highest));
    for (double& weight : weights) weight /= sum;
    return weights;
  }

  // S = sum_p w+_p sum_n w-_n f(s_p - s_n); adds dS/ds to slope_. The gradient goes through both softmaxes.
  template <class Function>
  double weighted_pairs(double sign, Function f) {
    const Doubles wp = softmax(positives_, sign), wn = softmax(negatives_, 1);
    Doubles of_p(wp.size()), of_n(wn.size());
    double sum = 0;
    for (size_t p = 0; p < wp.size(); ++p)
      for (size_t n = 0; n < wn.size(); ++n) {
        const auto [value, slope] = f(s_[positives_[p]] - s_[negatives_[n]]);
        of_p[p] += wn[n] * value;
        of_n[n] += wp[p] * value;
        sum += wp[p] * wn[n] * value;
        slope_[positives_[p]] += wp[p] * wn[n] * slope;
        slope_[negatives_[n]] -= wp[p] * wn[n] * slope;
      }
    for (size_t p = 0; p < wp.size(); ++p) slope_[positives_[p]] += sign * wp[p] * (of_p[p] - sum);
    for (size_t n = 0; n < wn.size(); ++n) slope_[negatives_[n]] += wn[n] * (of_n[n] - sum);
    return sum;
  }

  double bpr(double sign) {
    const double sum = weighted_pairs(sign, [](double d) {
      const double y = sigmoid(d);
      return std::pair(y, y * (1 - y));
    });
    for (double& slope : slope_) slope /= -sum;
    return -std::log(sum);
  }

  double bpr_after(double sign) {
    return weighted_pairs(sign, [](double d) { return std::pair(softplus(-d), -sigmoid(-d)); });
  }

  // sum_p sp(-x_p), x_p = w+_p (s_p - m), m = sum_n w-_n s_n; and ln 2 for each slot that is not a positive.
  double bpr_before(double sign) {
    const Doubles wp = softmax(positives_, sign), wn = softmax(negatives_, 1);
    double m = 0, total = 0, shared = 0, weight = 0;
    for (size_t n = 0; n < wn.size(); ++n) m += wn[n] * s_[negatives_[n]];
    Doubles g(wp.size());  // with respect to x_p
    for (size_t p = 0; p < wp.size(); ++p) {
      const double x = wp[p] * (s_[positives_[p]] - m);
      total += softplus(-x);
      g[p] = -sigmoid(-x);
      shared += g[p] * x;
      weight += g[p] * wp[p];
    }
    for (size_t p = 0; p < wp.size(); ++p)
      slope_[positives_[p]] = wp[p] * (g[p] + sign * (g[p] * (s_[positives_[p]] - m) - shared));
    for (size_t n = 0; n < wn.size(); ++n) slope_[negatives_[n]] = -weight * wn[n] * (1 + s_[negatives_[n]] - m);
    return total + static_cast<double>(s_.size() - wp.size()) * std::log(2.0);
  }

  double bpr_simple() {
    double total = 0;
    for (size_t p : positives_)
      for (size_t n : negatives_) {
        const double slope = sigmoid(s_[n] - s_[p]);
        total += softplus(s_[n] - s_[p]);
        slope_[p] -= slope;
        slope_[n] += slope;
      }
    return total;
  }

  // The softmax of the 0/1 targets over the valid slots.
  double target(bool positive) const {
    const double sum = std::exp(1.0) * static_cast<double>(positives_.size()) + static_cast<double>(negatives_.size());
    return (positive ? std::exp(1.0) : 1) / sum;
  }

  // use(slot, target) of each valid slot.
  template <class Use>
  void for_each_target(const Use& use) const {
    for (size_t p : positives_) use(p, target(true));
    for (size_t n : negatives_) use(n, target(false));
  }

  // -sum tau ln q; q over every slot of the row, padding included.
  double listnet() {
    double highest = -INFINITY, sum = 0, total = 0;
    for (double score : s_) highest = std::max(highest, score);
    for (double score : s_) sum += std::exp(score - highest);
    for (size_t i = 0; i < s_.size(); ++i) slope_[i] = std::exp(s_[i] - highest) / sum;
    for_each_target([&](size_t i, double tau) {
      total -= tau * (s_[i] - highest - std::log(sum));
      slope_[i] -= tau;
    });
    return total;
  }

  // Log of the softmax over the valid slots: ln q_i = s_i - the result.
  double log_normaliser() const {
    double highest = -INFINITY, sum = 0;
    for_each_target([&](size_t i, double) { highest = std::max(highest, s_[i]); });
    for_each_target([&](size_t i, double) { sum += std::exp(s_[i] - highest); });
    return highest + std::log(sum);
  }

  double softmax_ce() {
    const double z = log_normaliser(), share = 1 / static_cast<double>(positives_.size());
    double total = 0;
    for_each_target([&](size_t i, double) { slope_[i] = std::exp(s_[i] - z); });
    for (size_t p : positives_) {
      total -= share * (s_[p] - z);
      slope_[p] -= share;
    }
    return total;
  }

  // -sum tau ln q - sum (1 - tau) ln(1 - q); an entry with q = 1 counts as q = 0 in the second sum.
  double attention_rank() {
    const double z = log_normaliser();
    double total = 0, sum = 0;
    for_each_target([&](size_t i, double tau) {
      const double q = std::exp(s_[i] - z);
      total -= tau * (s_[i] - z);
      slope_[i] = -tau;  // q dL/dq
      if (q < 1) {
        total -= (1 - tau) * std::log1p(-q);
        slope_[i] += (1 - tau) * q / (1 - q);
      }
      sum += slope_[i];
    });
    for_each_target([&](size_t i, double) { slope_[i] -= std::exp(s_[i] - z) * sum; });
    return total;
  }

  std::vector<size_t> positives_, negatives_;
  Doubles s_, slope_;
};

bool known(int32_t loss) {
  const int32_t base = loss & ~REC_LIST_LOSS_HARD;
  if ((loss & REC_LIST_LOSS_HARD) != 0) return base >= REC_LIST_LOSS_BPR && base <= REC_LIST_LOSS_BPR_SIMPLE;
  return base >= REC_LIST_LOSS_BPR && base <= REC_LIST_LOSS_ATTENTION_RANK;
}

// term(begin, end) over chunks of rows, the results added in order.
template <class Term>
double sum_over_chunks(rec_call_t* call, int64_t n_rows, const Term& term) {
  std::vector<double> sums((n_rows + kChunk - 1) / kChunk);
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kChunk) sums[at / kChunk] = term(at, std::min(at + kChunk, end));
  };
  if (call->pool == nullptr || n_rows <= kChunk)
    run(0, n_rows);
  else
    call->pool->parallel_for(n_rows, kChunk, run);
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

template <class Body>
rec_status_t without_throwing(rec_call_t* call, const Body& body) {
  const rec_host_t& host = host_table();
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return host.fail(call, REC_OUT_OF_MEMORY, "out of memory");
  } catch (...) {
    return host.fail(call, REC_INTERNAL, "a loss failed");
  }
}

}  // namespace

rec_status_t list_loss(rec_call_t* call, int32_t loss, const float* scores, const uint8_t* mask, int64_t n_rows,
                       int64_t n_columns, double* out_loss, float* dscores) {
  const rec_host_t& host = host_table();
  if (!known(loss)) return host.fail(call, REC_INVALID_ARGUMENT, "list_loss: unknown REC_LIST_LOSS_ number");
  if (n_rows < 1 || n_columns < 2)
    return host.fail(call, REC_INVALID_ARGUMENT, "list_loss: needs at least one row and two columns");
  for (int64_t i = 0; i < n_rows * n_columns; ++i)
    if (mask[i] != REC_SLOT_POSITIVE && mask[i] != REC_SLOT_NEGATIVE && mask[i] != REC_SLOT_PADDING)
      return host.fail(call, REC_INVALID_ARGUMENT, "list_loss: a mask entry is not a REC_SLOT_ value");
  return without_throwing(call, [&] {
    int64_t n_used = 0;
    for (int64_t b = 0; b < n_rows; ++b) {
      const uint8_t *begin = mask + b * n_columns, *end = begin + n_columns;
      n_used += std::find(begin, end, REC_SLOT_POSITIVE) != end && std::find(begin, end, REC_SLOT_NEGATIVE) != end;
    }
    const double share = n_used > 0 ? 1 / static_cast<double>(n_used) : 0;
    *out_loss = sum_over_chunks(call, n_rows, [&](int64_t begin, int64_t end) {
      ListRow row;
      double sum = 0;
      for (int64_t b = begin; b < end; ++b) {
        row.load(scores + b * n_columns, mask + b * n_columns, n_columns);
        if (row.counts()) sum += share * row.loss(loss);
        for (int64_t c = 0; c < n_columns; ++c) dscores[b * n_columns + c] = static_cast<float>(share * row.slope()[c]);
      }
      return sum;
    });
    return REC_OK;
  });
}

rec_status_t label_loss(rec_call_t* call, int32_t loss, const float* scores, const float* labels, int64_t n_rows,
                        double* out_loss, float* dscores) {
  const rec_host_t& host = host_table();
  if (loss != REC_LABEL_LOSS_BCE && loss != REC_LABEL_LOSS_MSE)
    return host.fail(call, REC_INVALID_ARGUMENT, "label_loss: unknown REC_LABEL_LOSS_ number");
  if (n_rows < 1) return host.fail(call, REC_INVALID_ARGUMENT, "label_loss: needs at least one row");
  return without_throwing(call, [&] {
    const double share = 1 / static_cast<double>(n_rows);
    *out_loss = sum_over_chunks(call, n_rows, [&](int64_t begin, int64_t end) {
      double sum = 0;
      for (int64_t b = begin; b < end; ++b) {
        const double s = scores[b], y = labels[b], p = sigmoid(s);
        if (loss == REC_LABEL_LOSS_BCE) {
          // Logs are floored at -100, where the gradient ends too.
          const double of_one = softplus(-s), of_zero = softplus(s);
          sum += share * (y * std::min(of_one, 100.0) + (1 - y) * std::min(of_zero, 100.0));
          const double slope = (of_one < 100 ? y * (p - 1) : 0) + (of_zero < 100 ? (1 - y) * p : 0);
          dscores[b] = static_cast<float>(share * slope);
        } else {
          sum += share * (p - y) * (p - y);
          dscores[b] = static_cast<float>(share * 2 * (p - y) * p * (1 - p));
        }
      }
      return sum;
    });
    return REC_OK;
  });
}

}  // namespace rec
