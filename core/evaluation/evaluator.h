#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/thread_pool.h"
#include "core/data/dataset.h"
#include "core/evaluation/metrics.h"
#include "core/serving/scorer.h"

namespace rec {

// What ranks what: rec_protocol_t.
struct Protocol {
  Part part = Part::kTest;
  int32_t rows = REC_ROWS_USER;
  int32_t candidates = REC_CANDIDATES_FULL;
  int32_t mask = REC_MASK_KNOWN;
  int32_t ties = REC_TIES_LOWER_ROW;
  int64_t n_candidates = 99;
  uint64_t seed = 0;
  int64_t max_pos = 20, max_neg = 20;  // slots of an impression list

  // "[uni99]" or "[list]": part of a metric's name, so that protocols are never compared by mistake.
  std::string suffix() const;
};

// Whether a metric is defined for REC_ROWS_ rows.
bool fits_rows(const MetricSpec& metric, int32_t rows);

struct Report {
  std::vector<std::string> names;  // with the protocol's suffix
  std::vector<double> means;       // over the rows where the metric is defined
  std::vector<double> values;      // [n_metrics, n_rows]
  std::vector<int64_t> users;      // [n_rows] the model's user row, -1 = unknown to it
};

class RowEvaluation;

// An evaluation prepared once: rows, positives, masks and candidates in the model's item rows.
class Evaluator {
 public:
  // Ids of `data` are matched with the catalog's. An item unknown to the model can never be hit; a user unknown to it
  // gets an empty list.
  Evaluator(const Dataset& data, const Catalog& catalog, const Protocol& protocol, std::vector<MetricSpec> metrics,
            const CancelToken* cancel = nullptr);
  ~Evaluator();

  Report run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const;

 private:
  bool masked(Part part) const;
  void add_history(const Dataset& data, int64_t event);
  void prepare_user_rows(const Dataset& data);
  void prepare_event_rows(const Dataset& data);
  void prepare_candidates(const Dataset& data, const std::vector<std::vector<int64_t>>& events,
                          const std::vector<int64_t>& row_users, const std::vector<int64_t>& row_events);
  void evaluate(const Scorer& scorer, int64_t begin, int64_t end, double* values, double* weights) const;
  double evaluate_scores(int64_t row, const std::span<const int32_t>* items, std::span<float> scores,
                         double* out) const;

  Protocol protocol_;
  const CancelToken* cancel_;  // while the rows are prepared
  std::vector<MetricSpec> metrics_;
  std::unique_ptr<const RowEvaluation> labelled_;  // of lists or labelled rows, which need nothing of what follows
  bool has_times_;
  int64_t n_items_;
  ListMetrics lists_;
  int64_t max_k_ = 1;
  bool needs_scores_ = false;     // a metric or the tie rule looks at more than the top of the list
  Buffer<int32_t> item_row_;      // of each item of the data set; n_items_ and more = unknown to the model
  Buffer<int32_t> user_row_;      // -1 = unknown
  std::vector<int32_t> users_;    // [n_rows]
  Csr positives_;                 // [n_rows] ascending
  Csr masks_;                     // ascending; a row's positives may be among them, and are not masked
  std::vector<int64_t> mask_of_;  // [n_rows] into masks_
  std::vector<std::pair<int64_t, int64_t>> history_of_;  // [n_rows] begin and end of what came before, oldest first
  std::vector<int32_t> history_items_;
  std::vector<int64_t> history_times_;  // beside history_items_, or empty
  std::vector<int64_t> row_times_;      // [n_rows], or empty
  Csr candidates_;                      // [n_rows] ascending, positives included once; no offsets = all items
};

}  // namespace rec
