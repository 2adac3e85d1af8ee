#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/thread_pool.h"
#include "core/evaluation/protocol.h"
#include "core/serving/scorer.h"

namespace rec {

struct Report {
  std::vector<std::string> names;  // with the protocol's suffix
  std::vector<double> means;       // over the rows where the metric is defined
  std::vector<double> standard_errors;  // of the means, over users
  std::vector<double> values;      // [n_metrics, n_rows]
  std::vector<int64_t> users;      // [n_rows] the model's user row, -1 = unknown to it
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

// Matches the ids of `data` with the catalog's. No row can hit an item that the model does not know.
std::unique_ptr<const Evaluation> prepare_evaluation(const Dataset& data, const Catalog& catalog,
                                                     const Protocol& protocol, std::vector<MetricSpec> metrics,
                                                     const CancelToken* cancel = nullptr);

// Prepares an evaluation and runs it once, on as many threads (0 = those of the machine).
Report evaluate(std::shared_ptr<const Model> model, const Dataset& data, const Protocol& protocol,
                std::vector<MetricSpec> metrics, int64_t threads, const CancelToken* cancel);

}  // namespace rec
