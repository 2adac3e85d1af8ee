#pragma once

#include <memory>
#include <vector>

#include "core/evaluation/evaluator.h"

namespace rec {

// The evaluation of one kind of row, prepared once. Threads: any number may run it.
class RowEvaluation {
 public:
  virtual ~RowEvaluation() = default;
  virtual Report run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const = 0;
};

// REC_ROWS_LIST: each impression list of the part is ranked by itself. An item unknown to the model comes last in its
// list; the list of a user unknown to it is a miss.
std::unique_ptr<RowEvaluation> make_list_evaluation(const Dataset& data, const Catalog& catalog,
                                                    const Protocol& protocol, std::vector<MetricSpec> metrics);
// REC_ROWS_LABEL: a prediction and a label of each row of the part. The prediction is sigmoid(score), but auc goes by
// the score itself. A row whose user or item is unknown to the model has no prediction and is left out, and so is one
// without a history for a model that was trained with histories only.
std::unique_ptr<RowEvaluation> make_value_evaluation(const Dataset& data, const Catalog& catalog,
                                                     const Protocol& protocol, std::vector<MetricSpec> metrics);

// Row of each id among the known ones; -1 = not there.
Buffer<int32_t> match_ids(const IdMap& ids, const IdMap& known);

// What each user had clicked before a row of a part, in that part or an earlier one: at earlier times, or without times in
// the order read, as in training. Items unknown to the model are left out.
class Histories {
 public:
  Histories(const Dataset& data, const Buffer<int32_t>& item_row, Part part);
  std::span<const int32_t> before(int64_t row) const;
  std::span<const int64_t> times_before(int64_t row) const;  // beside before(); empty without times
  bool has_times() const { return !row_time_.empty(); }
  int64_t time(int64_t row) const { return row_time_[row]; }

 private:
  Buffer<int64_t> begin_, end_, row_time_;  // [n] into items_; the time of each row, or empty
  std::vector<int32_t> items_;              // of each user, oldest first
  std::vector<int64_t> times_;              // beside items_, or empty
};

// Queries of a block of rows as a scorer wants them.
struct QueryBlock {
  std::vector<int32_t> users;
  std::vector<int64_t> candidate_offsets{0};
  std::vector<int32_t> candidates;
  std::vector<float> scores;         // beside candidates
  std::vector<rec_status_t> status;  // [users]

  void score(const Scorer& scorer, const Histories& histories, std::span<const int64_t> rows);
};

}  // namespace rec
