#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rec {

// Pure functions; NaN where a metric is not defined. For one list: rel_j in {0, 1} at position j = 1.., P its
// positives, hits@k = rel_1 + .. + rel_k; positions beyond a short list are misses.
enum class Metric {
  // From a ranked list and its positives. Undefined without positives.
  kHit,        // hit@k        [hits@k > 0]
  kPrecision,  // precision@k  hits@k / k, for short lists too
  kRecall,     // recall@k     hits@k / |P|
  kMrr,        // mrr@k        1 / position of the first hit, 0 beyond k
  kNdcg,       // ndcg@k       sum_{j<=k} rel_j / log2(j + 1)  /  sum_{j<=min(|P|,k)} 1 / log2(j + 1)
  kMap,        // map@k        sum_{j<=k} rel_j hits@j / j  /  min(|P|, k)
  kF1,         // f1@k         2 precision recall / (precision + recall), 0 without a hit
  kRbp,        // rbp@k        (1 - p) sum_{j<=k} rel_j p^(j - 1), p = 0.85; rbp@k[0.95] for another p
  // spark.*@k: the same formulas (the base of the logarithm cancels), but 0 without positives.
  kSparkPrecision,
  kSparkRecall,
  kSparkMap,
  kSparkNdcg,
  // From the rank of one target.
  kRechorusHr,      // rechorus.hr@k        [rank <= k], ties against the target
  kRechorusNdcg,    // rechorus.ndcg@k      [rank <= k] / log2(rank + 1)
  kGru4recRecall,   // gru4rec.recall@k     [rank <= k]; gru4rec.recall@k[conservative], [median]
  kGru4recMrr,      // gru4rec.mrr@k        [rank <= k] / rank
  kFactorizedTopK,  // factorized_topk@k    [fewer than k items score strictly more]
  // From one impression list; rechorus.hr and rechorus.ndcg exist there too.
  kRechorusMap,  // rechorus.map@k
  // From all scores of a row.
  kGauc,
  // From one prediction and one label per row, over all rows.
  kAuc,
  kLogLoss,
  kMae,
  kRmse,
  kMse,
  kRechorusAcc,
  kRechorusAuc,
  kRechorusF1Score,
  kRechorusLogLoss,
};

enum class MetricInput { kList, kRank, kImpression, kScores, kValues };

// The rank of a target among items with equal scores.
enum class TieRule {
  kStandard,      // 1 + #{score > target}
  kConservative,  // #{score >= target}, the target included
  kMedian,        // standard + half of the other ties
};

struct MetricSpec {
  std::string name;  // as requested
  Metric metric;
  MetricInput input;
  int64_t k = 0;  // 0 where the metric has no cutoff
  TieRule ties = TieRule::kStandard;
  double patience = 0.85;  // of rbp: the probability to look at the next item (Moffat and Zobel, 2008)
};

// Errors and losses; of every other metric more is better.
bool lower_is_better(Metric metric);

// "ndcg@20,gru4rec.mrr@20[median],gauc". An unknown name or a bad cutoff is INVALID_ARGUMENT.
MetricSpec parse_metric(std::string_view name);
std::vector<MetricSpec> parse_metrics(std::string_view names);

// The list metrics of many rows, each list walked once.
class ListMetrics {
 public:
  // Keeps the specs whose input is kList; the others stay NaN in every row.
  explicit ListMetrics(std::vector<MetricSpec> specs);

  // list: distinct item rows, best first, up to its length or the first negative row; positives: ascending; gains: beside
  // them, > 0, what a hit adds to the DCG of ndcg, or empty = 1. out: [n_specs]. Threads: any.
  void row(std::span<const int64_t> list, std::span<const int32_t> positives, std::span<double> out,
           std::span<const float> gains = {}) const;
  void row(std::span<const int32_t> list, std::span<const int32_t> positives, std::span<double> out,
           std::span<const float> gains = {}) const;

  // The longest list that any of them reads.
  int64_t max_k() const;

 private:
  template <class Row>
  void walk(std::span<const Row> list, std::span<const int32_t> positives, std::span<const float> gains,
            std::span<double> out) const;

  std::vector<MetricSpec> specs_;
  std::vector<size_t> by_k_;            // list specs, ascending k
  std::vector<double> discount_;        // 1 / log2(j + 1) for position j = 1..
  std::vector<double> ideal_discount_;  // their sums
};

// One list metric of one row.
double list_metric(const MetricSpec& spec, std::span<const int64_t> list, std::span<const int32_t> positives);

// Rank of scores[target] among all of `scores`; other NaN scores come last. A NaN target is NUMERIC.
double rank_of(std::span<const float> scores, int64_t target, TieRule ties);
// A metric of MetricInput::kRank from the rank that its tie rule gives.
double rank_metric(const MetricSpec& spec, double rank);

// rechorus.hr, .ndcg and .map of one impression list: 1e-6 is subtracted from the positives' scores, so that near ties
// count against them, then both are ranked together. hr@k = [hits@k > 0]; ndcg@k and map@k as above with |P| = given
// positives. Lists cut to their slots; undefined without positives; a NaN score is NUMERIC.
double impression_metric(const MetricSpec& spec, std::span<const float> positives, std::span<const float> negatives);

// Area under the curve of one row, ties by average rank; weight = its positives. The metric is the weighted mean over
// rows; a row without a positive or without a negative has value NaN and weight 0.
struct RowAuc {
  double value;
  double weight;
};
// scores: all items, -INFINITY for an item that is not a candidate; positives: ascending, those that are not candidates
// are left out.
RowAuc gauc(std::span<const float> scores, std::span<const int32_t> positives);

// Over pairs of a prediction and a label (0 or 1 for the first four); NaN for no pairs.
// P(score+ > score-) + P(tie) / 2; a single class is INVALID_DATA.
double auc(std::span<const float> predictions, std::span<const float> labels);
// -mean(y ln p + (1 - y) ln(1 - p)), p clipped to [clip, 1 - clip].
double log_loss(std::span<const float> predictions, std::span<const float> labels, double clip);
double accuracy(std::span<const float> predictions, std::span<const float> labels);  // mean [[p > 0.5] = y]
double f1_score(std::span<const float> predictions, std::span<const float> labels);  // 2 TP / (2 TP + FP + FN), or 0
double mean_absolute_error(std::span<const float> predictions, std::span<const float> labels);
double mean_squared_error(std::span<const float> predictions, std::span<const float> labels);
// Whichever of these a spec of MetricInput::kValues names.
double value_metric(const MetricSpec& spec, std::span<const float> predictions, std::span<const float> labels);

}  // namespace rec
