#pragma once

#include <memory>
#include <string>

#include "core/training/trainer.h"

namespace rec {

// Whether REC_ISOLATION_ asks for a worker process for this model's plugin. Does not load the plugin.
bool wants_worker(int32_t isolation, const std::string& model);

// Like a Trainer, but in a worker process that shares the data set and returns models.
std::unique_ptr<Training> train_in_worker(const Dataset& dataset, const std::string& model,
                                          const std::string& params_json, const TrainerOptions& options,
                                          const CancelToken* cancel);

// Throws what TrainingSetup throws for these arguments.
void check_in_worker(const std::string& model, const std::string& params_json, const TrainerOptions& options);

std::shared_ptr<const Report> evaluate_in_worker(const Model& model, const Dataset& dataset, const std::string& metrics,
                                                 const Protocol& protocol, int32_t threads, const CancelToken* cancel);

// The JSON of describe_plugin, from a process that may load the plugin.
std::string describe_in_worker(const std::string& model);

}  // namespace rec
