#include <algorithm>
#include <cmath>

#include "core/evaluation/row_evaluation.h"

namespace rec {

namespace {

bool is_auc(Metric metric) { return metric == Metric::kAuc || metric == Metric::kRechorusAuc; }

// Whether the metric is the mean of a value of each row.
bool has_row_values(Metric metric) {
  return !is_auc(metric) && metric != Metric::kRechorusF1Score && metric != Metric::kRmse;
}

class ValueEvaluation final : public RowEvaluation {
 public:
  ValueEvaluation(const Dataset& data, const Catalog& catalog, const Protocol& protocol,
                  std::vector<MetricSpec> metrics)
      : suffix_(protocol.suffix()),
        metrics_(std::move(metrics)),
        item_row_(match_ids(data.items, catalog.items)),
        histories_(data, item_row_, protocol.part) {
    if (data.label.empty())
      throw Error(REC_INVALID_DATA, "dataset: labelled rows need a label of each row, and there is no label column")
          .at_argument("dataset");
    const Buffer<int32_t> user_row = match_ids(data.users, catalog.users);
    for (int64_t i = 0; i < data.n(); ++i) {
      if (data.part[i] != protocol.part) continue;
      rows_.push_back(i);
      users_.push_back(user_row[data.user[i]]);
      items_.push_back(item_row_[data.item[i]]);
      labels_.push_back(data.label[i]);
    }
    if (rows_.empty())
      throw Error(REC_INVALID_DATA,
                  cat("dataset: no interaction in its ", protocol.part == Part::kValid ? "valid" : "test", " part"))
          .at_argument("dataset");
    check_classes();
  }

  Report run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const override {
    const size_t n = rows_.size();
    std::vector<float> scores(n);
    std::vector<char> known(n);
    pool.parallel_for(static_cast<int64_t>(n), Scorer::kQueries, [&](int64_t begin, int64_t end) {
      throw_if_cancelled(cancel);
      score(scorer, static_cast<size_t>(begin), static_cast<size_t>(end), scores.data(), known.data());
    });

    std::vector<float> kept_scores, predictions, labels;
    for (size_t i = 0; i < n; ++i) {
      if (!known[i]) continue;
      if (std::isnan(scores[i])) throw Error(REC_NUMERIC, cat("the score of labelled row ", rows_[i], " is NaN"));
      kept_scores.push_back(scores[i]);
      predictions.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(scores[i])))));
      labels.push_back(labels_[i]);
    }
    Report report;
    report.users.assign(users_.begin(), users_.end());
    for (const MetricSpec& metric : metrics_) {
      report.names.push_back(metric.name + suffix_);
      report.means.push_back(!is_auc(metric.metric) ? value_metric(metric, predictions, labels)
                             : one_class(labels)    ? std::nan("")
                                                    : value_metric(metric, kept_scores, labels));
      size_t next = 0;
      for (size_t i = 0; i < n; ++i) {
        const bool defined = known[i] && has_row_values(metric.metric);
        report.values.push_back(defined ? value_metric(metric, {&predictions[next], 1}, {&labels[next], 1})
                                        : std::nan(""));
        next += known[i] != 0;
      }
    }
    return report;
  }

 private:
  static bool one_class(const std::vector<float>& labels) {
    return std::all_of(labels.begin(), labels.end(), [&](float y) { return y == labels.front(); });
  }

  // Told before a model is trained, not after its first epoch. The rows that it can answer may be of one class all the
  // same: no area is defined then.
  void check_classes() const {
    const bool none = one_class(labels_);
    for (const MetricSpec& metric : metrics_)
      if (none && is_auc(metric.metric))
        throw Error(REC_INVALID_DATA, cat("metrics: '", metric.name, "' needs labels of both classes; all ",
                                          labels_.size(), " of the part are ", labels_.front()))
            .at_argument("metrics");
  }

  void score(const Scorer& scorer, size_t begin, size_t end, float* scores, char* known) const {
    QueryBlock block;
    block.users.assign(users_.begin() + static_cast<int64_t>(begin), users_.begin() + static_cast<int64_t>(end));
    block.candidates.assign(items_.begin() + static_cast<int64_t>(begin), items_.begin() + static_cast<int64_t>(end));
    for (size_t i = begin; i < end; ++i) block.candidate_offsets.push_back(static_cast<int64_t>(i - begin) + 1);
    block.score(scorer, histories_, {rows_.data() + begin, end - begin});
    for (size_t i = begin; i < end; ++i) {
      scores[i] = block.scores[i - begin];
      known[i] = block.status[i - begin] == REC_OK && items_[i] >= 0;
    }
  }

  std::string suffix_;
  std::vector<MetricSpec> metrics_;
  Buffer<int32_t> item_row_;
  Histories histories_;
  std::vector<int64_t> rows_;           // of the data set
  std::vector<int32_t> users_, items_;  // [n_rows] the model's; -1 = unknown
  std::vector<float> labels_;           // [n_rows]
};

}  // namespace

std::unique_ptr<RowEvaluation> make_value_evaluation(const Dataset& data, const Catalog& catalog,
                                                     const Protocol& protocol, std::vector<MetricSpec> metrics) {
  return std::make_unique<ValueEvaluation>(data, catalog, protocol, std::move(metrics));
}

}  // namespace rec
