// The page that train --report writes: one HTML file with its style and drawings inside.
#pragma once

#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/evaluation.h"
#include "cli/popularity_plot.h"

namespace rec::cli {

struct EpochResult {
  int64_t epoch = 0;
  double loss = 0, train_seconds = 0, eval_seconds = 0;
  std::vector<NamedValue> metrics;  // none when the epoch was not evaluated
  bool is_best = false;
};

struct TrainingSummary {
  std::string model, model_doc, data, out, main_metric;
  bool saved_best = true;
  std::vector<EpochResult> epochs;
  Json card;     // of the saved model, rec_model_describe
  Json dataset;  // rec_dataset_describe
  std::optional<Split> split;
  std::vector<NamedValue> test;  // none without a test part
  int64_t n_test_rows = 0;
  rec_protocol_t protocol{};  // used for both parts
  PopularityPlot popularity;
  double seconds = 0;
};

void write_report(const std::string& path, const TrainingSummary& summary);

}  // namespace rec::cli
