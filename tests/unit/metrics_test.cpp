#include "core/evaluation/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/base/error.h"
#include "core/base/text.h"

namespace rec {
namespace {

using Json = nlohmann::json;
using Scores = std::vector<std::vector<float>>;
using Rows = std::vector<std::vector<int32_t>>;

constexpr float kInf = std::numeric_limits<float>::infinity();

const Json& golden(const std::string& name) {
  static const Json file = Json::parse(std::ifstream(std::string(REC_TESTS_FOLDER) + "/golden/metrics.json"));
  return file.at("cases").at(name);
}

// null in a score list means minus infinity.
Scores scores_of(const Json& json) {
  Scores scores;
  for (const auto& row : json) {
    scores.emplace_back();
    for (const auto& x : row) scores.back().push_back(x.is_null() ? -kInf : x.get<float>());
  }
  return scores;
}
std::vector<float> floats_of(const Json& json) { return json.get<std::vector<float>>(); }

// The definition of a ranked list: candidates by score, ties by lower row.
std::vector<int64_t> ranked(const std::vector<float>& scores) {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > -kInf) rows.push_back(static_cast<int64_t>(i));
  std::stable_sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  return rows;
}

Rows sorted(Rows rows) {
  for (auto& row : rows) std::sort(row.begin(), row.end());
  return rows;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Checks every expected value of a case except the named ones against the mean of list metrics over rows.
void expect_list_metrics(const Json& expected, const std::vector<std::vector<int64_t>>& lists, const Rows& positives,
                         const std::string& prefix = "") {
  std::vector<MetricSpec> specs;
  for (const auto& [name, value] : expected.items())
    if (name != "gauc") specs.push_back(parse_metric(prefix + name));
  const ListMetrics metrics(specs);
  std::vector<std::vector<double>> values(specs.size());
  std::vector<double> row(specs.size());
  for (size_t r = 0; r < lists.size(); ++r) {
    metrics.row(lists[r], positives[r], row);
    for (size_t i = 0; i < specs.size(); ++i) values[i].push_back(row[i]);
    EXPECT_EQ(list_metric(specs[0], lists[r], positives[r]), row[0]);
  }
  for (size_t i = 0; i < specs.size(); ++i)
    EXPECT_NEAR(mean(values[i]), expected.at(specs[i].name.substr(prefix.size())).get<double>(), 1e-9) << specs[i].name;
}

struct FullSort {
  Scores scores;
  std::vector<std::vector<int64_t>> lists;
  Rows positives;
};

FullSort full_sort() {
  const Json& c = golden("recbole_full_sort");
  FullSort data{scores_of(c.at("scores")), {}, sorted(c.at("test_items").get<Rows>())};
  const Rows train = c.at("train_items").get<Rows>();
  for (size_t u = 0; u < data.scores.size(); ++u) {
    data.scores[u][0] = -kInf;
    for (int32_t i : train[u]) data.scores[u][i] = -kInf;
    data.lists.push_back(ranked(data.scores[u]));
  }
  return data;
}

double weighted_gauc(const Scores& scores, const Rows& positives) {
  double sum = 0, weight = 0;
  for (size_t u = 0; u < scores.size(); ++u) {
    const RowAuc row = gauc(scores[u], positives[u]);
    if (row.weight > 0) sum += row.weight * row.value;
    weight += row.weight;
  }
  return sum / weight;
}

TEST(MetricsGolden, RecboleFullSort) {
  const FullSort data = full_sort();
  const Json& expected = golden("recbole_full_sort").at("expected");
  expect_list_metrics(expected, data.lists, data.positives);
  EXPECT_NEAR(weighted_gauc(data.scores, data.positives), expected.at("gauc").get<double>(), 1e-6);
  for (const char* same : {"lightgcn_repo", "autocf_repo", "f1_at_k"}) {
    SCOPED_TRACE(same);
    expect_list_metrics(golden(same).at("expected"), data.lists, data.positives);
  }
}

TEST(MetricsGolden, RecboleFewCandidates) {
  const Json& c = golden("recbole_few_candidates");
  const Rows candidates = c.at("candidates").get<Rows>();
  const Scores given = scores_of(c.at("scores"));
  std::vector<std::vector<int64_t>> lists;
  for (size_t u = 0; u < candidates.size(); ++u) {
    std::vector<float> scores(c.at("n_items").get<size_t>(), -kInf);
    for (size_t i = 0; i < candidates[u].size(); ++i) scores[candidates[u][i]] = given[u][i];
    lists.push_back(ranked(scores));
  }
  expect_list_metrics(c.at("expected"), lists, sorted(c.at("test_items").get<Rows>()));
}

TEST(MetricsGolden, RecboleGaucTies) {
  const Json& c = golden("recbole_gauc_ties");
  EXPECT_NEAR(weighted_gauc(scores_of(c.at("scores")), sorted(c.at("test_items").get<Rows>())),
              c.at("expected").at("gauc").get<double>(), 1e-6);
}

TEST(MetricsGolden, LabelledValues) {
  struct Case {
    const char *name, *labels, *prefix;
    double tolerance;
  };
  for (const Case& row : {Case{"recbole_value", "label", "", 1e-6}, Case{"recbole_rating", "rating", "", 1e-6},
                          Case{"rechorus_ctr", "label", "rechorus.", 1e-9}}) {
    const Json& c = golden(row.name);
    for (const auto& [name, value] : c.at("expected").items()) {
      const MetricSpec spec = parse_metric(row.prefix + to_lower(name));
      EXPECT_NEAR(value_metric(spec, floats_of(c.at("pred")), floats_of(c.at(row.labels))), value.get<double>(),
                  row.tolerance)
          << row.name << ' ' << name;
    }
  }
}

std::string rechorus_name(const std::string& golden_name) { return "rechorus." + to_lower(golden_name); }

TEST(MetricsGolden, RechorusRanks) {
  struct Case {
    const char *name, *scores;
  };
  for (const Case& row : {Case{"rechorus_topk", "pred"}, Case{"rechorus_test_all", "masked_prediction"}}) {
    const Json& c = golden(row.name);
    const Scores scores = scores_of(c.at(row.scores));
    std::vector<double> ranks;
    for (const auto& x : scores) ranks.push_back(rank_of(x, 0, TieRule::kConservative));
    if (c.contains("rank")) {
      EXPECT_EQ(ranks, c.at("rank").get<std::vector<double>>());
    }
    for (const auto& [name, value] : c.at("expected").items()) {
      const MetricSpec spec = parse_metric(rechorus_name(name));
      EXPECT_EQ(spec.ties, TieRule::kConservative);
      double sum = 0;
      for (double rank : ranks) sum += rank_metric(spec, rank);
      EXPECT_NEAR(sum / static_cast<double>(ranks.size()), value.get<double>(), 1e-9) << row.name << ' ' << name;
    }
  }
}

// The mask of test_all: the user's train and residual items are removed from columns 1.., the target stays in column 0.
TEST(MetricsGolden, RechorusTestAllMask) {
  const Json& c = golden("rechorus_test_all");
  const Scores scores = scores_of(c.at("item_scores")), masked = scores_of(c.at("masked_prediction"));
  for (size_t r = 0; r < scores.size(); ++r) {
    std::vector<float> row = scores[r];
    row[0] = scores[r][c.at("target")[r].get<size_t>()];
    const std::string user = std::to_string(c.at("user_id")[r].get<int>());
    for (const char* clicked : {"train_clicked", "residual_clicked"})
      for (int i : c.at(clicked).at(user)) row[i] = -kInf;
    EXPECT_EQ(rank_of(row, 0, TieRule::kConservative), rank_of(masked[r], 0, TieRule::kConservative));
  }
}

TEST(MetricsGolden, RechorusImpressions) {
  const Json& c = golden("rechorus_impression");
  const Scores predictions = scores_of(c.at("pred"));
  const size_t max_positives = c.at("test_max_pos_item"), max_negatives = c.at("test_max_neg_item");
  for (const auto& [name, value] : c.at("expected").items()) {
    const MetricSpec spec = parse_metric(rechorus_name(name));
    std::vector<double> values;
    for (size_t r = 0; r < predictions.size(); ++r) {
      const std::span<const float> row(predictions[r]);
      values.push_back(
          impression_metric(spec, row.subspan(0, std::min(max_positives, c.at("pos_num")[r].get<size_t>())),
                            row.subspan(max_positives, std::min(max_negatives, c.at("neg_num")[r].get<size_t>()))));
      EXPECT_NEAR(values.back(), c.at("expected_per_row").at(name)[r].get<double>(), 1e-9) << name << ", row " << r;
    }
    EXPECT_NEAR(mean(values), value.get<double>(), 1e-9) << name;
  }
}

TEST(MetricsGolden, TargetRanksWithThreeTieRules) {
  const Json& c = golden("gru4rec_official_rank");
  const Scores scores = scores_of(c.at("scores"));
  const auto targets = c.at("target").get<std::vector<int64_t>>();
  for (const auto& [name, value] : c.at("expected").items()) {
    const std::string rule = name.substr(0, name.find('.')), metric = name.substr(name.find('.') + 1);
    const std::string name_with_cutoff = metric == "rank" ? "mrr@20" : metric;
    const MetricSpec spec = parse_metric("gru4rec." + name_with_cutoff + "[" + rule + "]");
    std::vector<double> ranks, values;
    for (size_t r = 0; r < scores.size(); ++r) {
      ranks.push_back(rank_of(scores[r], targets[r], spec.ties));
      values.push_back(rank_metric(spec, ranks.back()));
    }
    if (metric == "rank")
      EXPECT_EQ(ranks, value.get<std::vector<double>>());
    else
      EXPECT_NEAR(mean(values), value.get<double>(), 1e-9) << name;
  }
}

TEST(MetricsGolden, SparkRankingMetrics) {
  const Json& c = golden("metaspore_ranking");
  expect_list_metrics(c.at("expected"), c.at("recommended").get<std::vector<std::vector<int64_t>>>(),
                      sorted(c.at("relevant").get<Rows>()), "spark.");
}

TEST(MetricsGolden, FactorizedTopK) {
  const Json& c = golden("factorized_topk");
  const Scores scores = scores_of(c.at("scores"));
  for (const auto& [name, value] : c.at("expected").items()) {
    const MetricSpec spec = parse_metric("factorized_topk@" + name.substr(3));
    double sum = 0;
    for (size_t r = 0; r < scores.size(); ++r)
      sum += rank_metric(spec, rank_of(scores[r], c.at("positive")[r].get<int64_t>(), spec.ties));
    EXPECT_NEAR(sum / static_cast<double>(scores.size()), value.get<double>(), 1e-9) << name;
  }
}

// Hits at positions 2 and 4 of a list of 5; three positives.
TEST(ListMetrics, EqualHandComputedValues) {
  const std::vector<int64_t> list{8, 3, 5, 9, 1};
  const std::vector<int32_t> positives{3, 9, 20};
  const double log2_3 = std::log2(3.0), log2_5 = std::log2(5.0);
  const struct {
    const char* name;
    double value;
  } rows[] = {
      {"hit@1", 0},
      {"hit@2", 1},
      {"precision@4", 0.5},
      {"precision@100", 0.02},
      {"recall@4", 2.0 / 3},
      {"mrr@1", 0},
      {"mrr@5", 0.5},
      {"map@4", (0.5 + 0.5) / 3},
      {"map@2", 0.5 / 2},
      {"ndcg@4", (1 / log2_3 + 1 / log2_5) / (1 + 1 / log2_3 + 0.5)},
      {"ndcg@2", (1 / log2_3) / (1 + 1 / log2_3)},
      {"f1@4", 2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3)},
      {"f1@1", 0},
      {"spark.ndcg@100", (1 / log2_3 + 1 / log2_5) / (1 + 1 / log2_3 + 0.5)},
  };
  for (const auto& row : rows)
    EXPECT_NEAR(list_metric(parse_metric(row.name), list, positives), row.value, 1e-12) << row.name;
}

TEST(ListMetrics, AreUndefinedWithoutPositivesAndZeroForSpark) {
  const std::vector<int64_t> list{1, 2};
  for (const char* name : {"hit@2", "precision@2", "recall@2", "mrr@2", "ndcg@2", "map@2", "f1@2"})
    EXPECT_TRUE(std::isnan(list_metric(parse_metric(name), list, {}))) << name;
  for (const char* name : {"spark.precision@2", "spark.recall@2", "spark.map@2", "spark.ndcg@2"})
    EXPECT_EQ(list_metric(parse_metric(name), list, {}), 0) << name;
}

TEST(ListMetrics, StopAtThePaddingOfAShortRow) {
  const std::vector<int64_t> padded{4, 7, -1, -1}, short_list{4, 7};
  const std::vector<int32_t> positives{7};
  for (const char* name : {"hit@4", "precision@4", "recall@4", "mrr@4", "ndcg@4", "map@4", "f1@4"}) {
    const MetricSpec spec = parse_metric(name);
    EXPECT_EQ(list_metric(spec, padded, positives), list_metric(spec, short_list, positives)) << name;
  }
  EXPECT_EQ(list_metric(parse_metric("hit@4"), std::vector<int64_t>{-1, 7}, positives), 0);
  EXPECT_EQ(list_metric(parse_metric("ndcg@4"), std::vector<int64_t>{}, positives), 0);
}

TEST(ListMetrics, TakeInt32ListsAndLeaveOtherInputsUndefined) {
  const std::vector<int32_t> list{5, 6}, positives{6};
  const ListMetrics metrics(parse_metrics("mrr@2,gauc,hit@1"));
  std::vector<double> out(3);
  metrics.row(list, positives, out);
  EXPECT_EQ(out[0], 0.5);
  EXPECT_TRUE(std::isnan(out[1]));
  EXPECT_EQ(out[2], 0);
  EXPECT_EQ(metrics.max_k(), 2);
}

TEST(RankOf, FollowsItsTieRuleAndRefusesNan) {
  const std::vector<float> scores{1, 3, 3, 3, 0, std::nanf("")};
  EXPECT_EQ(rank_of(scores, 1, TieRule::kStandard), 1);
  EXPECT_EQ(rank_of(scores, 1, TieRule::kConservative), 3);
  EXPECT_EQ(rank_of(scores, 1, TieRule::kMedian), 2);
  EXPECT_EQ(rank_of(scores, 0, TieRule::kMedian), 4);
  try {
    rank_of(scores, 5, TieRule::kStandard);
    FAIL() << "a NaN target was ranked";
  } catch (const Error& error) {
    EXPECT_EQ(error.status, REC_NUMERIC);
  }
}

TEST(ImpressionMetric, NearTiesCountAgainstPositives) {
  const std::vector<float> positives{0.5f}, negatives{0.5f, 0.1f};
  EXPECT_EQ(impression_metric(parse_metric("rechorus.hr@1"), positives, negatives), 0);
  EXPECT_NEAR(impression_metric(parse_metric("rechorus.ndcg@2"), positives, negatives), 1 / std::log2(3.0), 1e-12);
  EXPECT_NEAR(impression_metric(parse_metric("rechorus.map@9"), positives, negatives), 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(impression_metric(parse_metric("rechorus.map@9"), {}, negatives)));
  EXPECT_THROW(impression_metric(parse_metric("rechorus.map@9"), positives, std::vector<float>{std::nanf("")}), Error);
}

TEST(Auc, CountsATieAsHalfAndRefusesASingleClass) {
  EXPECT_NEAR(auc(std::vector<float>{0.1f, 0.4f, 0.4f, 0.8f}, std::vector<float>{0, 0, 1, 1}), 0.875, 1e-12);
  EXPECT_THROW(auc(std::vector<float>{0.1f, 0.4f}, std::vector<float>{1, 1}), Error);
  EXPECT_THROW(auc(std::vector<float>{0.1f}, std::vector<float>{1, 0}), Error);
  EXPECT_EQ(f1_score(std::vector<float>{0.1f, 0.5f}, std::vector<float>{0, 0}), 0);
  EXPECT_TRUE(std::isnan(accuracy({}, {})));
}

TEST(Gauc, SkipsRowsWithoutAPositiveOrANegative) {
  const std::vector<float> scores{0.3f, -kInf, 0.2f};
  EXPECT_EQ(gauc(scores, std::vector<int32_t>{0, 2}).weight, 0);
  EXPECT_EQ(gauc(scores, std::vector<int32_t>{1}).weight, 0);
  EXPECT_EQ(gauc(scores, std::vector<int32_t>{0}).value, 1);
  EXPECT_EQ(gauc(scores, std::vector<int32_t>{1, 2}).value, 0);
}

TEST(ParseMetrics, ReadsNamesCutoffsAndVariants) {
  const auto specs = parse_metrics("ndcg@20, gru4rec.mrr@5[median],rechorus.hr@1,gauc,spark.map@7");
  ASSERT_EQ(specs.size(), 5u);
  EXPECT_EQ(specs[0].name, "ndcg@20");
  EXPECT_EQ(specs[0].k, 20);
  EXPECT_EQ(specs[1].metric, Metric::kGru4recMrr);
  EXPECT_EQ(specs[1].ties, TieRule::kMedian);
  EXPECT_EQ(specs[2].ties, TieRule::kConservative);
  EXPECT_EQ(specs[3].input, MetricInput::kScores);
  EXPECT_EQ(specs[4].metric, Metric::kSparkMap);
}

TEST(ParseMetrics, NamesWhatIsWrong) {
  const struct {
    const char *text, *says;
  } rows[] = {
      {"ncdg@20", "did you mean 'ndcg@20'"},
      {"NDCG@10", "did you mean 'ndcg@10'"},
      {"recal@5", "did you mean 'recall@5'"},
      {"rechorus.hit@5", "is not a metric"},
      {"ndcg", "such as ndcg@20"},
      {"ndcg@0", "from 1 to 1000000"},
      {"ndcg@x", "from 1 to"},
      {"ndcg@-3", "from 1 to"},
      {"ndcg@99999999999999999999", "from 1 to"},
      {"gauc@3", "takes no cutoff"},
      {"hit@3[median]", "has no variants"},
      {"gru4rec.mrr@3[worst]", "[median]"},
      {"ndcg@20,", "''"},
      {"", "''"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    try {
      parse_metrics(row.text);
      ADD_FAILURE() << "was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.status, REC_INVALID_ARGUMENT);
      EXPECT_EQ(error.argument, "metrics");
      EXPECT_NE(error.message.find(row.says), std::string::npos) << error.message;
    }
  }
}

}  // namespace
}  // namespace rec
