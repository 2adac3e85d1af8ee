#include "core/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "core/base/error.h"

namespace rec {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// What a walk along a list has seen up to a position.
struct Walk {
  double hits = 0, dcg = 0, precisions = 0;
  int64_t first_hit = 0;

  void hit(int64_t position, double discount, double gain = 1) {
    hits += 1;
    dcg += gain * discount;
    precisions += hits / static_cast<double>(position);
    if (first_hit == 0) first_hit = position;
  }
};

// ideal_dcg: the discounts of the first min(|P|, k) positions.
double value_of(Metric metric, const Walk& walk, double n_positives, double k, double ideal_dcg) {
  switch (metric) {
    case Metric::kHit:
    case Metric::kRechorusHr: return walk.hits > 0 ? 1 : 0;
    case Metric::kPrecision:
    case Metric::kSparkPrecision: return walk.hits / k;
    case Metric::kRecall:
    case Metric::kSparkRecall: return walk.hits / n_positives;
    case Metric::kMrr: return walk.first_hit > 0 ? 1 / static_cast<double>(walk.first_hit) : 0;
    case Metric::kNdcg:
    case Metric::kSparkNdcg:
    case Metric::kRechorusNdcg: return walk.dcg / ideal_dcg;
    case Metric::kMap:
    case Metric::kSparkMap:
    case Metric::kRechorusMap: return walk.precisions / std::min(n_positives, k);
    case Metric::kF1:  // 2PR / (P + R) with P = hits / k, R = hits / |P|
      return 2 * walk.hits / (k + n_positives);
    default: return kUndefined;
  }
}

bool is_spark(Metric metric) {
  return metric == Metric::kSparkPrecision || metric == Metric::kSparkRecall || metric == Metric::kSparkMap ||
         metric == Metric::kSparkNdcg;
}

// (1 - p) sum of p^(j - 1) over the hits among the first k.
template <class Row>
double rank_biased_precision(const MetricSpec& spec, std::span<const Row> list, std::span<const int32_t> positives) {
  double sum = 0, weight = 1 - spec.patience;
  for (size_t j = 0; j < list.size() && j < static_cast<size_t>(spec.k) && list[j] >= 0; ++j, weight *= spec.patience)
    if (std::binary_search(positives.begin(), positives.end(), list[j])) sum += weight;
  return sum;
}

double discount(int64_t position) { return 1 / std::log2(static_cast<double>(position) + 1); }

}  // namespace

ListMetrics::ListMetrics(std::vector<MetricSpec> specs) : specs_(std::move(specs)) {
  for (size_t i = 0; i < specs_.size(); ++i)
    if (specs_[i].input == MetricInput::kList) by_k_.push_back(i);
  std::stable_sort(by_k_.begin(), by_k_.end(), [&](size_t a, size_t b) { return specs_[a].k < specs_[b].k; });
  ideal_discount_.push_back(0);
  for (int64_t position = 1; position <= max_k(); ++position) {
    discount_.push_back(discount(position));
    ideal_discount_.push_back(ideal_discount_.back() + discount_.back());
  }
}

int64_t ListMetrics::max_k() const { return by_k_.empty() ? 0 : specs_[by_k_.back()].k; }

template <class Row>
void ListMetrics::walk(std::span<const Row> list, std::span<const int32_t> positives, std::span<const float> gains,
                       std::span<double> out) const {
  std::fill(out.begin(), out.end(), kUndefined);
  const double n_positives = static_cast<double>(positives.size());
  std::vector<float> best_gains(gains.begin(), gains.end());
  std::sort(best_gains.begin(), best_gains.end(), std::greater<>());
  const auto ideal_dcg = [&](size_t n) {
    if (gains.empty()) return ideal_discount_[n];
    double dcg = 0;
    for (size_t j = 0; j < n; ++j) dcg += static_cast<double>(best_gains[j]) * discount_[j];
    return dcg;
  };
  Walk walk;
  size_t position = 0;
  bool ended = false;
  for (size_t i : by_k_) {
    const MetricSpec& spec = specs_[i];
    if (positives.empty()) {
      if (is_spark(spec.metric)) out[i] = 0;
      continue;
    }
    for (; !ended && position < static_cast<size_t>(spec.k) && position < list.size(); ++position) {
      ended = list[position] < 0;
      const auto at = std::lower_bound(positives.begin(), positives.end(), list[position]);
      if (ended || at == positives.end() || *at != list[position]) continue;
      const double gain = gains.empty() ? 1 : static_cast<double>(gains[at - positives.begin()]);
      walk.hit(static_cast<int64_t>(position) + 1, discount_[position], gain);
    }
    const size_t n_ideal = std::min(positives.size(), static_cast<size_t>(spec.k));
    out[i] = spec.metric == Metric::kRbp
                 ? rank_biased_precision(spec, list, positives)
                 : value_of(spec.metric, walk, n_positives, static_cast<double>(spec.k), ideal_dcg(n_ideal));
  }
}

void ListMetrics::row(std::span<const int64_t> list, std::span<const int32_t> positives, std::span<double> out,
                      std::span<const float> gains) const {
  walk(list, positives, gains, out);
}

void ListMetrics::row(std::span<const int32_t> list, std::span<const int32_t> positives, std::span<double> out,
                      std::span<const float> gains) const {
  walk(list, positives, gains, out);
}

double list_metric(const MetricSpec& spec, std::span<const int64_t> list, std::span<const int32_t> positives) {
  double value = kUndefined;
  ListMetrics({spec}).row(list, positives, {&value, 1});
  return value;
}

double rank_of(std::span<const float> scores, int64_t target, TieRule ties) {
  const float score = scores[target];
  if (std::isnan(score)) throw Error(REC_NUMERIC, cat("the score of target row ", target, " is NaN"));
  int64_t above = 0, equal = 0;
  for (float other : scores) {
    above += other > score;
    equal += other == score;
  }
  switch (ties) {
    case TieRule::kConservative: return static_cast<double>(above + equal);
    case TieRule::kMedian: return static_cast<double>(above) + 1 + 0.5 * static_cast<double>(equal - 1);
    default: return static_cast<double>(above + 1);
  }
}

double rank_metric(const MetricSpec& spec, double rank) {
  const bool hit = rank <= static_cast<double>(spec.k);
  switch (spec.metric) {
    case Metric::kRechorusHr:
    case Metric::kGru4recRecall:
    case Metric::kFactorizedTopK: return hit ? 1 : 0;
    case Metric::kRechorusNdcg: return hit ? 1 / std::log2(rank + 1) : 0;
    case Metric::kGru4recMrr: return hit ? 1 / rank : 0;
    default: return kUndefined;
  }
}

double impression_metric(const MetricSpec& spec, std::span<const float> positives, std::span<const float> negatives) {
  if (positives.empty()) return kUndefined;
  std::vector<double> lowered(positives.begin(), positives.end()), others(negatives.begin(), negatives.end());
  for (const auto* scores : {&lowered, &others})
    if (std::any_of(scores->begin(), scores->end(), [](double x) { return std::isnan(x); }))
      throw Error(REC_NUMERIC, "a score of an impression list is NaN");
  for (double& score : lowered) score -= 1e-6;
  std::sort(lowered.begin(), lowered.end(), std::greater<>());
  std::sort(others.begin(), others.end(), std::greater<>());
  Walk walk;
  size_t before = 0;
  for (size_t i = 0; i < lowered.size(); ++i) {
    while (before < others.size() && others[before] > lowered[i]) ++before;
    const int64_t position = static_cast<int64_t>(i + before) + 1;
    if (position > spec.k) break;
    walk.hit(position, discount(position));
  }
  double ideal_dcg = 0;
  for (int64_t j = 1; j <= spec.k && j <= std::ssize(positives); ++j) ideal_dcg += discount(j);
  return value_of(spec.metric, walk, static_cast<double>(positives.size()), static_cast<double>(spec.k), ideal_dcg);
}

}  // namespace rec
