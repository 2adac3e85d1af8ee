#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "core/evaluation/metrics.h"

namespace rec {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// Mean of term(prediction, label) in double, in order.
template <class Term>
double mean_over(std::span<const float> predictions, std::span<const float> labels, Term term) {
  if (predictions.size() != labels.size())
    throw Error(REC_INVALID_ARGUMENT,
                cat("labels: must be as many as predictions, ", predictions.size(), ", got ", labels.size()));
  double sum = 0;
  for (size_t i = 0; i < predictions.size(); ++i)
    sum += term(static_cast<double>(predictions[i]), static_cast<double>(labels[i]));
  return predictions.empty() ? kUndefined : sum / static_cast<double>(predictions.size());
}

// Sum over the marked entries of their rank from the lowest score, ties sharing the average rank.
double sum_of_ranks(std::span<const float> scores, std::span<const char> marked) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  double sum = 0;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    double n_marked = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) n_marked += marked[order[end]];
    sum += n_marked * static_cast<double>(begin + 1 + end) / 2;
    begin = end;
  }
  return sum;
}

double area(double rank_sum, double n_positives, double n_negatives) {
  return (rank_sum - n_positives * (n_positives + 1) / 2) / (n_positives * n_negatives);
}

}  // namespace

RowAuc gauc(std::span<const float> scores, std::span<const int32_t> positives) {
  std::vector<float> candidates;
  std::vector<char> marked;
  double n_positives = 0;
  auto next = positives.begin();
  for (size_t row = 0; row < scores.size(); ++row) {
    const bool is_positive = next != positives.end() && *next == static_cast<int32_t>(row);
    if (is_positive) ++next;
    if (!(scores[row] > -std::numeric_limits<float>::infinity())) continue;
    candidates.push_back(scores[row]);
    marked.push_back(is_positive);
    n_positives += is_positive;
  }
  const double n_negatives = static_cast<double>(candidates.size()) - n_positives;
  if (n_positives == 0 || n_negatives == 0) return {kUndefined, 0};
  return {area(sum_of_ranks(candidates, marked), n_positives, n_negatives), n_positives};
}

double auc(std::span<const float> predictions, std::span<const float> labels) {
  double n_positives = 0;
  std::vector<char> marked;
  const double mean = mean_over(predictions, labels, [&](double prediction, double label) {
    if (std::isnan(prediction)) throw Error(REC_NUMERIC, "a prediction is NaN");
    marked.push_back(label > 0.5);
    n_positives += marked.back();
    return 0.0;
  });
  if (std::isnan(mean)) return kUndefined;
  const double n_negatives = static_cast<double>(labels.size()) - n_positives;
  if (n_positives == 0 || n_negatives == 0)
    throw Error(REC_INVALID_DATA, cat("auc: all ", labels.size(), " labels are of one class"));
  return area(sum_of_ranks(predictions, marked), n_positives, n_negatives);
}

double log_loss(std::span<const float> predictions, std::span<const float> labels, double clip) {
  return mean_over(predictions, labels, [clip](double p, double y) {
    const double clipped = std::clamp(p, clip, 1 - clip);
    return -(y * std::log(clipped) + (1 - y) * std::log(1 - clipped));
  });
}

double accuracy(std::span<const float> predictions, std::span<const float> labels) {
  return mean_over(predictions, labels, [](double p, double y) { return (p > 0.5 ? 1.0 : 0.0) == y ? 1.0 : 0.0; });
}

double f1_score(std::span<const float> predictions, std::span<const float> labels) {
  double hits = 0, found = 0, wanted = 0;
  const double mean = mean_over(predictions, labels, [&](double p, double y) {
    hits += p > 0.5 && y > 0.5;
    found += p > 0.5;
    wanted += y > 0.5;
    return 0.0;
  });
  if (std::isnan(mean)) return kUndefined;
  return found + wanted > 0 ? 2 * hits / (found + wanted) : 0;
}

double mean_absolute_error(std::span<const float> predictions, std::span<const float> labels) {
  return mean_over(predictions, labels, [](double p, double y) { return std::abs(p - y); });
}

double mean_squared_error(std::span<const float> predictions, std::span<const float> labels) {
  return mean_over(predictions, labels, [](double p, double y) { return (p - y) * (p - y); });
}

double value_metric(const MetricSpec& spec, std::span<const float> predictions, std::span<const float> labels) {
  switch (spec.metric) {
    case Metric::kAuc:
    case Metric::kRechorusAuc: return auc(predictions, labels);
    case Metric::kLogLoss: return log_loss(predictions, labels, 1e-15);
    case Metric::kRechorusLogLoss: return log_loss(predictions, labels, 1e-7);
    case Metric::kMae: return mean_absolute_error(predictions, labels);
    case Metric::kMse: return mean_squared_error(predictions, labels);
    case Metric::kRmse: return std::sqrt(mean_squared_error(predictions, labels));
    case Metric::kRechorusAcc: return accuracy(predictions, labels);
    case Metric::kRechorusF1Score: return f1_score(predictions, labels);
    default: return kUndefined;
  }
}

}  // namespace rec
