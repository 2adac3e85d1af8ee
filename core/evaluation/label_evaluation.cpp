#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/evaluation/histories.h"

namespace rec {

namespace {

bool is_auc(Metric metric) { return metric == Metric::kAuc || metric == Metric::kRechorusAuc; }

// Whether the metric is a mean of per-row values.
bool has_row_values(Metric metric) {
  return !is_auc(metric) && metric != Metric::kRechorusF1Score && metric != Metric::kRmse;
}

bool one_class(std::span<const float> labels) {
  return std::all_of(labels.begin(), labels.end(), [&](float y) { return y == labels.front(); });
}

// A row is a labelled interaction of the part.
class LabelEvaluation final : public Evaluation {
 public:
  explicit LabelEvaluation(const EvaluationInput& input)
      : Evaluation(!input.data.time.empty()),
        suffix_(input.protocol.suffix()),
        keeps_lists_(input.protocol.keep_lists > 0),
        metrics_(input.metrics),
        histories_(input) {
    const Dataset& data = input.data;
    if (data.label.empty())
      throw argument_error(REC_INVALID_DATA, "dataset",
                           "labelled rows need a label of each row, and there is no label column");
    for (int64_t i = 0; i < data.n(); ++i) {
      if (data.part[i] != input.protocol.part) continue;
      const int32_t item = input.item_row[data.item[i]];
      interactions_.push_back(i);
      users_.push_back(input.user_row[data.user[i]]);
      items_.push_back(item < input.n_items ? item : -1);
      labels_.push_back(data.label[i]);
    }
    if (interactions_.empty()) throw input.no_rows("interaction");
    check_classes();
  }

 private:
  // Checked before a model is trained, not after its first epoch. The rows that the model can score may still be of one
  // class: then the area is undefined.
  void check_classes() const {
    const bool undefined = one_class(labels_);
    for (const MetricSpec& metric : metrics_)
      if (undefined && is_auc(metric.metric))
        throw argument_error(REC_INVALID_DATA, "metrics", "'", metric.name, "' needs labels of both classes; all ",
                             labels_.size(), " of the part are ", labels_.front());
  }

  Report run_rows(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const override {
    const size_t n = interactions_.size();
    std::vector<float> scores(n);
    std::vector<char> known(n);
    pool.parallel_for(static_cast<int64_t>(n), Scorer::kQueries, [&](int64_t begin, int64_t end) {
      throw_if_cancelled(cancel);
      score(scorer, begin, end - begin, scores.data(), known.data());
    });

    std::vector<float> kept_scores, predictions, labels;
    for (size_t i = 0; i < n; ++i) {
      if (!known[i]) continue;
      if (std::isnan(scores[i]))
        throw Error(REC_NUMERIC, cat("the score of labelled row ", interactions_[i], " is NaN"));
      kept_scores.push_back(scores[i]);
      predictions.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(scores[i])))));
      labels.push_back(labels_[i]);
    }
    Report report;
    report.users.assign(users_.begin(), users_.end());
    report.interactions = interactions_;
    if (keeps_lists_) {
      std::vector<RankedList> lists(n);
      for (size_t i = 0; i < n; ++i)
        if (known[i]) lists[i].add(items_[i], scores[i], labels_[i] != 0);
      report.set_lists(lists);
    }
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
      report.standard_errors.push_back(has_row_values(metric.metric) ? standard_error(std::span(report.values).last(n),
                                                                                      {}, users_, report.means.back())
                                                                     : std::nan(""));
    }
    return report;
  }

  void score(const Scorer& scorer, size_t begin, size_t n, float* scores, char* known) const {
    QueryBlock block(scorer, histories_, std::span(users_).subspan(begin, n),
                     std::span(interactions_).subspan(begin, n));
    std::vector<int64_t> offsets(n + 1);  // one candidate for each row
    std::iota(offsets.begin(), offsets.end(), int64_t{0});
    scorer.candidate_scores(block.queries, offsets.data(), items_.data() + begin, scores + begin, block.status.data(),
                            block.scratch);
    for (size_t q = 0; q < n; ++q) known[begin + q] = block.status[q] == REC_OK && items_[begin + q] >= 0;
  }

  std::string suffix_;
  bool keeps_lists_;
  std::vector<MetricSpec> metrics_;
  Histories histories_;
  std::vector<int64_t> interactions_;   // [n_rows] of the data set
  std::vector<int32_t> users_, items_;  // [n_rows] the model's rows; -1 = unknown
  std::vector<float> labels_;           // [n_rows]
};

}  // namespace

std::unique_ptr<const Evaluation> make_label_evaluation(const EvaluationInput& input) {
  return std::make_unique<LabelEvaluation>(input);
}

}  // namespace rec
