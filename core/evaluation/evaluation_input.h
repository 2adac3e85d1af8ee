#pragma once

#include "core/evaluation/evaluation.h"

namespace rec {

// The interactions of each user of a data set, oldest first; in the order read where times are equal or missing.
class Timelines {
 public:
  explicit Timelines(const Dataset& data);
  std::span<const int64_t> of(int64_t user) const {
    return order_.span().subspan(offsets_[user], offsets_[user + 1] - offsets_[user]);
  }

 private:
  Buffer<int64_t> offsets_;  // [n_users + 1]
  Buffer<int64_t> order_;    // [n] interactions
};

// What every kind of row is built from.
struct EvaluationInput {
  EvaluationInput(const Dataset& data, const Catalog& catalog, std::span<const uint8_t> untrained,
                  const Protocol& protocol, std::vector<MetricSpec> metrics, const CancelToken* cancel);

  const Dataset& data;
  Protocol protocol;
  std::vector<MetricSpec> metrics;
  const CancelToken* cancel;  // nullable
  const Csr& seen;            // of the catalog: the training items of its users; empty without user data
  int64_t n_items;            // of the catalog
  std::vector<uint8_t> untrained;  // bits of the catalog's items that are as good as unknown; or empty
  Buffer<int32_t> user_row;   // of each user of the data set; -1 = unknown to the model
  Buffer<int32_t> item_row;   // of each item of the data set; unknown items get distinct numbers from n_items on
  Timelines timelines;
  Buffer<char> is_measured;  // [n_users] of the data set, by Protocol::n_users; or empty: all are

  // What the model was trained on of a user of whom the data set has nothing before the part.
  std::span<const int32_t> seen_by(int32_t user) const {
    return user_row[user] >= 0 && !seen.offsets.empty() ? seen.row(user_row[user]) : std::span<const int32_t>();
  }
  bool measures(int32_t user) const { return is_measured.empty() || is_measured[user] != 0; }
  // INVALID_DATA: the part has no `what`.
  Error no_rows(const char* what) const;
};

// REC_ROWS_USER, REC_ROWS_EVENT: items are ranked for each row.
std::unique_ptr<const Evaluation> make_user_evaluation(const EvaluationInput& input);
std::unique_ptr<const Evaluation> make_event_evaluation(const EvaluationInput& input);
// REC_ROWS_LIST: each impression list of the part is ranked by itself. An item that the model does not know comes last in
// its list; a list that the model cannot rank is a miss.
std::unique_ptr<const Evaluation> make_list_evaluation(const EvaluationInput& input);
// REC_ROWS_LABEL: a prediction and a label for each row of the part. The prediction is sigmoid(score); auc goes by the
// score itself. A row that the model cannot score is left out.
std::unique_ptr<const Evaluation> make_label_evaluation(const EvaluationInput& input);

// The standard error of a mean of values with weights (none = 1 each) over the rows where they are not NaN; adjacent rows of
// one known user count as one.
double standard_error(std::span<const double> values, std::span<const double> weights, std::span<const int32_t> users,
                      double mean);

// A report of values [n_metrics, n_rows]: each mean is over the rows where the metric is defined, for gauc weighted with
// gauc_weights [n_rows].
Report report_of(const std::vector<MetricSpec>& metrics, const std::string& suffix, std::span<const int32_t> users,
                 std::span<const int64_t> interactions, std::vector<double> values,
                 std::span<const double> gauc_weights);

}  // namespace rec
