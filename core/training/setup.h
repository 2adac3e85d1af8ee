#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/evaluation/protocol.h"
#include "core/plugin/params.h"
#include "core/plugin/registry.h"

namespace rec {

// rec_trainer_options_t.
struct TrainerOptions {
  bool resume = false;
  std::string checkpoint_path;  // "" = none
  double checkpoint_seconds = 30;
  int64_t checkpoint_batches = 0;  // > 0: also after this number of batches
  std::string metrics;             // "" = those of the task
  std::string main_metric;         // "" = the first of metrics
  Protocol protocol;
  int64_t memory_limit_bytes = 0;
};

// What a training run is to do, checked as far as possible without data. NOT_FOUND for an unknown model,
// INVALID_ARGUMENT for a bad parameter or metric, DEVICE for an unavailable device.
struct TrainingSetup {
  TrainingSetup(const std::string& model, const std::string& params_json, TrainerOptions options);

  // What must match for a checkpoint to belong to this run. Epochs, patience and threads may change.
  Json identity(const std::string& data_hash) const;
  // How epochs are judged, for the model's file: metrics, main metric and the protocol in words.
  Json evaluation_card() const;
  int64_t integer(const char* name) const { return params->integer(name); }

  const Plugin& plugin;
  TrainerOptions options;  // metrics and rows default to the task's
  std::shared_ptr<const Params> params;
  Json params_json;  // only those that affect the model
  std::vector<MetricSpec> metrics;
  size_t main_metric = 0;
};

}  // namespace rec
