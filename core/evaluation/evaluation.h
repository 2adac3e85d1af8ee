#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/thread_pool.h"
#include "core/evaluation/protocol.h"
#include "core/serving/scorer.h"

namespace rec {

// A row's ranking, best first, with the score of each item and whether it is one of the row's positives. Items that the
// model does not know are not in it.
struct RankedList {
  std::vector<int32_t> items;  // the model's item rows
  std::vector<float> scores;
  std::vector<uint8_t> relevant;

  void add(int64_t item, float score, bool is_relevant) {
    items.push_back(static_cast<int32_t>(item));
    scores.push_back(score);
    relevant.push_back(is_relevant);
  }
};

struct Report {
  std::vector<std::string> names;  // with the protocol's suffix
  std::vector<double> means;       // over the rows where the metric is defined
  std::vector<double> standard_errors;  // of the means, over users
  std::vector<double> values;      // [n_metrics, n_rows]
  std::vector<int64_t> users;      // [n_rows] the model's user row, -1 = unknown to it
  std::vector<int64_t> interactions;  // [n_rows] the row of the data set that a row is, or begins with
  // With Protocol::keep_lists, the lists of all rows one after the other; else empty.
  std::vector<int64_t> list_offsets;  // [n_rows + 1]
  std::vector<int64_t> list_items;    // the model's item rows
  std::vector<float> list_scores;
  std::vector<uint8_t> list_relevant;

  void set_lists(std::span<const RankedList> lists);  // [n_rows]
};

// An evaluation prepared for one catalog: its rows, their positives and candidates. Threads: any number may run it.
class Evaluation {
 public:
  virtual ~Evaluation() = default;
  // INVALID_DATA when the model reads times and the interactions have none.
  Report run(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const;

 protected:
  explicit Evaluation(bool has_times) : has_times_(has_times) {}
  virtual Report run_rows(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const = 0;

 private:
  bool has_times_;
};

// Matches the ids of `data` with the catalog's. No row can hit an item that the model does not know, or that is in
// `untrained`, Model::untrained: such items are in no ranking and in no history.
std::unique_ptr<const Evaluation> prepare_evaluation(const Dataset& data, const Catalog& catalog,
                                                     std::span<const uint8_t> untrained, const Protocol& protocol,
                                                     std::vector<MetricSpec> metrics,
                                                     const CancelToken* cancel = nullptr);

// Prepares an evaluation and runs it once, on as many threads (0 = those of the machine).
Report evaluate(std::shared_ptr<const Model> model, const Dataset& data, const Protocol& protocol,
                std::vector<MetricSpec> metrics, int64_t threads, const CancelToken* cancel);

}  // namespace rec
