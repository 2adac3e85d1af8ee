#include <algorithm>
#include <cmath>
#include <limits>

#include "core/data/impressions.h"
#include "core/evaluation/row_evaluation.h"

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

class ListEvaluation final : public RowEvaluation {
 public:
  ListEvaluation(const Dataset& data, const Catalog& catalog, const Protocol& protocol, std::vector<MetricSpec> metrics)
      : protocol_(protocol),
        metrics_(std::move(metrics)),
        item_row_(match_ids(data.items, catalog.items)),
        histories_(data, item_row_, protocol.part),
        lists_(impression_lists(data, protocol.part)) {
    const Buffer<int32_t> user_row = match_ids(data.users, catalog.users);
    for (int32_t user : lists_.users) users_.push_back(user_row[user]);
    if (users_.empty())
      throw Error(REC_INVALID_DATA, cat("dataset: no impression list with a clicked and a shown item in its ",
                                        protocol.part == Part::kValid ? "valid" : "test", " part"))
          .at_argument("dataset");
  }

  Report run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const override {
    const auto n = static_cast<int64_t>(users_.size());
    Report report;
    report.users.assign(users_.begin(), users_.end());
    report.values.resize(metrics_.size() * users_.size());
    pool.parallel_for(n, Scorer::kQueries, [&](int64_t begin, int64_t end) {
      throw_if_cancelled(cancel);
      evaluate(scorer, begin, end, report.values.data());
    });
    for (size_t m = 0; m < metrics_.size(); ++m) {
      report.names.push_back(metrics_[m].name + protocol_.suffix());
      double sum = 0;
      for (size_t row = 0; row < users_.size(); ++row) sum += report.values[m * users_.size() + row];
      report.means.push_back(sum / static_cast<double>(n));
    }
    return report;
  }

 private:
  // The first slots of one side.
  std::span<const int32_t> slots(const Csr& side, int64_t list, int64_t max) const {
    const std::span<const int32_t> items = side.row(list);
    return items.first(std::min(items.size(), static_cast<size_t>(max)));
  }

  void evaluate(const Scorer& scorer, int64_t begin, int64_t end, double* values) const {
    QueryBlock block;
    block.users.assign(users_.begin() + begin, users_.begin() + end);
    for (int64_t list = begin; list < end; ++list) {
      for (int32_t item : slots(lists_.positives, list, protocol_.max_pos)) block.candidates.push_back(item_row_[item]);
      for (int32_t item : slots(lists_.negatives, list, protocol_.max_neg)) block.candidates.push_back(item_row_[item]);
      block.candidate_offsets.push_back(static_cast<int64_t>(block.candidates.size()));
    }
    block.score(scorer, histories_, {lists_.first_row.data() + begin, static_cast<size_t>(end - begin)});
    for (int64_t list = begin; list < end; ++list) {
      const auto q = static_cast<size_t>(list - begin);
      const std::span<float> scores(block.scores.data() + block.candidate_offsets[q],
                                    block.scores.data() + block.candidate_offsets[q + 1]);
      const size_t n_positives = slots(lists_.positives, list, protocol_.max_pos).size();
      // An unknown negative stays above an unknown positive, as every tie goes to the negatives.
      for (float& score : scores.subspan(n_positives))
        if (score == kNone) score = std::numeric_limits<float>::lowest();
      for (size_t m = 0; m < metrics_.size(); ++m)
        values[m * users_.size() + static_cast<size_t>(list)] =
            block.status[q] == REC_OK
                ? impression_metric(metrics_[m], scores.first(n_positives), scores.subspan(n_positives))
                : 0;
    }
  }

  Protocol protocol_;
  std::vector<MetricSpec> metrics_;
  Buffer<int32_t> item_row_;  // of each item of the data set; -1 = unknown to the model
  Histories histories_;
  ImpressionLists lists_;
  std::vector<int32_t> users_;  // [n_lists] the model's row; -1 = unknown
};

}  // namespace

std::unique_ptr<RowEvaluation> make_list_evaluation(const Dataset& data, const Catalog& catalog,
                                                    const Protocol& protocol, std::vector<MetricSpec> metrics) {
  return std::make_unique<ListEvaluation>(data, catalog, protocol, std::move(metrics));
}

}  // namespace rec
