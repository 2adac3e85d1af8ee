#include <algorithm>
#include <limits>
#include <numeric>

#include "core/data/impressions.h"
#include "core/evaluation/histories.h"

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// A row is an impression list of the part.
class ListEvaluation final : public Evaluation {
 public:
  explicit ListEvaluation(const EvaluationInput& input)
      : Evaluation(!input.data.time.empty()),
        protocol_(input.protocol),
        metrics_(input.metrics),
        n_items_(input.n_items),
        histories_(input),
        lists_(impression_lists(input.data, input.protocol.part)),
        item_row_(input.item_row.copy()) {
    for (int32_t user : lists_.users) users_.push_back(input.user_row[user]);
    if (users_.empty()) throw input.no_rows("impression list with a clicked and a shown item");
  }

 private:
  Report run_rows(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const override {
    std::vector<double> values(metrics_.size() * users_.size());
    std::vector<RankedList> lists(protocol_.keep_lists > 0 ? users_.size() : 0);
    pool.parallel_for(std::ssize(users_), Scorer::kQueries, [&](int64_t begin, int64_t end) {
      throw_if_cancelled(cancel);
      evaluate(scorer, begin, end - begin, values.data(), lists);
    });
    Report report = report_of(metrics_, protocol_.suffix(), users_, lists_.first_row, std::move(values), {});
    if (protocol_.keep_lists > 0) report.set_lists(lists);
    return report;
  }

  // Adds the first slots of one side, as the model's item rows.
  void add_slots(const Csr& side, size_t list, int64_t max, std::vector<int32_t>& candidates) const {
    const std::span<const int32_t> items = side.row(static_cast<int64_t>(list));
    for (int32_t item : items.first(std::min(items.size(), static_cast<size_t>(max))))
      candidates.push_back(item_row_[item] < n_items_ ? item_row_[item] : -1);
  }

  // The best first, ties as the metrics break them: the shown item before the clicked one.
  RankedList kept(std::span<const int32_t> items, std::span<const float> scores, size_t n_positives) const {
    std::vector<size_t> order(items.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::erase_if(order, [&](size_t slot) { return items[slot] < 0; });
    std::ranges::stable_sort(order, [&](size_t a, size_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : a >= n_positives && b < n_positives;
    });
    RankedList list;
    for (size_t slot : std::span(order).first(std::min(order.size(), static_cast<size_t>(protocol_.keep_lists))))
      list.add(items[slot], scores[slot], slot < n_positives);
    return list;
  }

  void evaluate(const Scorer& scorer, size_t begin, size_t n, double* values, std::span<RankedList> lists) const {
    std::vector<int64_t> offsets{0}, first_negative;
    std::vector<int32_t> candidates;
    for (size_t list = begin; list < begin + n; ++list) {
      add_slots(lists_.positives, list, protocol_.max_pos, candidates);
      first_negative.push_back(std::ssize(candidates));
      add_slots(lists_.negatives, list, protocol_.max_neg, candidates);
      offsets.push_back(std::ssize(candidates));
    }
    std::vector<float> scores(candidates.size());
    QueryBlock block(scorer, histories_, std::span(users_).subspan(begin, n),
                     std::span(lists_.first_row).subspan(begin, n));
    scorer.candidate_scores(block.queries, offsets.data(), candidates.data(), scores.data(), block.status.data(),
                            block.scratch);
    for (size_t q = 0; q < n; ++q) {
      const std::span<float> positives(scores.data() + offsets[q], scores.data() + first_negative[q]);
      const std::span<float> negatives(scores.data() + first_negative[q], scores.data() + offsets[q + 1]);
      if (!lists.empty() && block.status[q] == REC_OK)
        lists[begin + q] = kept(std::span(candidates).subspan(offsets[q], offsets[q + 1] - offsets[q]),
                                {positives.data(), positives.size() + negatives.size()}, positives.size());
      // Ties go to the negatives, so an unknown negative must score more than an unknown positive.
      std::replace(negatives.begin(), negatives.end(), kNone, std::numeric_limits<float>::lowest());
      for (size_t m = 0; m < metrics_.size(); ++m)
        values[m * users_.size() + begin + q] =
            block.status[q] == REC_OK ? impression_metric(metrics_[m], positives, negatives) : 0;
    }
  }

  Protocol protocol_;
  std::vector<MetricSpec> metrics_;
  int64_t n_items_;
  Histories histories_;
  ImpressionLists lists_;
  Buffer<int32_t> item_row_;
  std::vector<int32_t> users_;  // [n_lists] the model's user row; -1 = unknown
};

}  // namespace

std::unique_ptr<const Evaluation> make_list_evaluation(const EvaluationInput& input) {
  return std::make_unique<ListEvaluation>(input);
}

}  // namespace rec
