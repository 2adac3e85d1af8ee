#include <algorithm>
#include <iterator>
#include <optional>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluation/metrics.h"

namespace rec {

namespace {

struct NamedMetric {
  const char* name;
  Metric metric;
  MetricInput input;
  bool has_cutoff;
  TieRule ties = TieRule::kStandard;
};

constexpr NamedMetric kMetrics[] = {
    {"ndcg", Metric::kNdcg, MetricInput::kList, true},
    {"hit", Metric::kHit, MetricInput::kList, true},
    {"recall", Metric::kRecall, MetricInput::kList, true},
    {"precision", Metric::kPrecision, MetricInput::kList, true},
    {"map", Metric::kMap, MetricInput::kList, true},
    {"mrr", Metric::kMrr, MetricInput::kList, true},
    {"f1", Metric::kF1, MetricInput::kList, true},
    {"rbp", Metric::kRbp, MetricInput::kList, true},
    {"spark.precision", Metric::kSparkPrecision, MetricInput::kList, true},
    {"spark.recall", Metric::kSparkRecall, MetricInput::kList, true},
    {"spark.map", Metric::kSparkMap, MetricInput::kList, true},
    {"spark.ndcg", Metric::kSparkNdcg, MetricInput::kList, true},
    {"rechorus.hr", Metric::kRechorusHr, MetricInput::kRank, true, TieRule::kConservative},
    {"rechorus.ndcg", Metric::kRechorusNdcg, MetricInput::kRank, true, TieRule::kConservative},
    {"rechorus.map", Metric::kRechorusMap, MetricInput::kImpression, true},
    {"gru4rec.recall", Metric::kGru4recRecall, MetricInput::kRank, true},
    {"gru4rec.mrr", Metric::kGru4recMrr, MetricInput::kRank, true},
    {"factorized_topk", Metric::kFactorizedTopK, MetricInput::kRank, true},
    {"gauc", Metric::kGauc, MetricInput::kScores, false},
    {"auc", Metric::kAuc, MetricInput::kValues, false},
    {"logloss", Metric::kLogLoss, MetricInput::kValues, false},
    {"mae", Metric::kMae, MetricInput::kValues, false},
    {"rmse", Metric::kRmse, MetricInput::kValues, false},
    {"mse", Metric::kMse, MetricInput::kValues, false},
    {"rechorus.acc", Metric::kRechorusAcc, MetricInput::kValues, false},
    {"rechorus.auc", Metric::kRechorusAuc, MetricInput::kValues, false},
    {"rechorus.f1_score", Metric::kRechorusF1Score, MetricInput::kValues, false},
    {"rechorus.log_loss", Metric::kRechorusLogLoss, MetricInput::kValues, false},
};

constexpr int64_t kMaxCutoff = 1'000'000;

Error bad_metric(std::string_view name, const std::string& why) {
  return invalid_argument("metrics", "'", printable(name), "' ", why);
}

const NamedMetric& find_metric(std::string_view base, std::string_view cutoff, std::string_view whole) {
  const auto found = std::find_if(std::begin(kMetrics), std::end(kMetrics), [&](auto& m) { return m.name == base; });
  if (found != std::end(kMetrics)) return *found;
  // Suggests a whole name that would be valid.
  const std::string suffix = cat('@', cutoff.empty() ? "20" : cutoff);
  std::vector<std::string> names;
  for (const auto& m : kMetrics) names.push_back(m.has_cutoff ? m.name + suffix : m.name);
  throw bad_metric(whole, cat("is not a metric", suggestion(cat(base, suffix), names)));
}

std::optional<TieRule> tie_rule(std::string_view name) {
  if (name == "standard") return TieRule::kStandard;
  if (name == "conservative") return TieRule::kConservative;
  if (name == "median") return TieRule::kMedian;
  return std::nullopt;
}

}  // namespace

bool lower_is_better(Metric metric) {
  return metric == Metric::kLogLoss || metric == Metric::kRechorusLogLoss || metric == Metric::kMae ||
         metric == Metric::kRmse || metric == Metric::kMse;
}

MetricSpec parse_metric(std::string_view name) {
  name = trim(name);
  std::string_view rest = name, variant;
  if (rest.ends_with(']') && rest.find('[') != std::string_view::npos) {
    variant = rest.substr(rest.find('[') + 1);
    variant.remove_suffix(1);
    rest = rest.substr(0, rest.find('['));
  }
  const size_t at = rest.find('@');
  const std::string_view base = rest.substr(0, at);
  const std::string_view cutoff = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  const NamedMetric& found = find_metric(base, parse_int64(cutoff) ? cutoff : std::string_view(), name);

  MetricSpec spec{std::string(name), found.metric, found.input, 0, found.ties};
  if (!found.has_cutoff && at != std::string_view::npos) throw bad_metric(name, cat("takes no cutoff: ", found.name));
  if (found.has_cutoff) {
    const auto k = parse_int64(cutoff);
    if (!k || *k < 1 || *k > kMaxCutoff)
      throw bad_metric(name, cat("needs a cutoff from 1 to ", kMaxCutoff, ", such as ", found.name, "@20"));
    spec.k = *k;
  }
  if (rest.size() == name.size()) return spec;
  if (found.metric == Metric::kRbp) {
    const auto patience = parse_double(variant);
    if (!patience || !(*patience > 0 && *patience < 1))
      throw bad_metric(name, "must end in a patience between 0 and 1, such as [0.85]");
    spec.patience = *patience;
    return spec;
  }
  const bool has_variants = found.metric == Metric::kGru4recRecall || found.metric == Metric::kGru4recMrr;
  const auto ties = tie_rule(variant);
  if (!has_variants || !ties)
    throw bad_metric(name, has_variants ? "must end in [standard], [conservative] or [median]" : "has no variants");
  spec.ties = *ties;
  return spec;
}

std::vector<MetricSpec> parse_metrics(std::string_view names) {
  std::vector<MetricSpec> specs;
  for (std::string_view name : split(names, ',')) specs.push_back(parse_metric(name));
  return specs;
}

}  // namespace rec
