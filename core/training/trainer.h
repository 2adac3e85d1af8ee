#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/evaluation/evaluation.h"
#include "core/plugin/model.h"
#include "core/training/checkpoint.h"
#include "core/training/live_columns.h"
#include "core/training/progress.h"
#include "core/training/training_data.h"

namespace rec {

// What a run reports; names and values are valid during the call.
struct TrainingEvent {
  int32_t kind = REC_EVENT_PROGRESS;
  int64_t epoch = 0, n_epochs = 0, batch = 0, n_batches = 0;
  double loss = 0, train_seconds = 0, eval_seconds = 0;
  std::vector<std::string> metric_names;
  std::vector<double> metric_values;
  bool is_best = false;
};
using Observer = std::function<void(const TrainingEvent&)>;

// What a caller can do with a model in training, in this process (Trainer) or in a worker process (WorkerTraining).
class Training {
 public:
  virtual ~Training() = default;
  // Before the first run: starts from the parameters of a model with the same users and items.
  virtual void warm_start(const Model& from) = 0;
  virtual void run(const Observer& observer, const CancelToken* cancel) = 0;
  // REC_MODEL_BEST or REC_MODEL_LAST; BAD_STATE when no epoch is finished.
  virtual std::shared_ptr<const Model> model(int32_t which, const CancelToken* cancel) = 0;
};

// One model in training over one data set: the loop over epochs and batches.
class Trainer : public Training {
 public:
  Trainer(std::shared_ptr<const Dataset> dataset, const std::string& model, const std::string& params_json,
          TrainerOptions options, const CancelToken* cancel = nullptr);
  ~Trainer() override;

  void warm_start(const Model& from) override;
  void run(const Observer& observer, const CancelToken* cancel) override;
  std::shared_ptr<const Model> model(int32_t which, const CancelToken* cancel = nullptr) override;

 private:
  using Clock = std::chrono::steady_clock;

  void run_epochs(BatchStream& batches, const Observer& observer, const CancelToken* cancel);
  double step(Batch& batch);
  void end_epoch(double seconds, const Observer& observer, const CancelToken* cancel);
  TrainingEvent event(int32_t kind) const;
  std::shared_ptr<const Model> initial_model();
  bool has_loss() const;
  Json info(const EpochRecord& record) const;
  std::unique_ptr<PluginModel> new_model(const CancelToken* cancel);
  void save_checkpoint(const Observer& observer);
  int64_t largest_checkpoint() const;  // of this run, in bytes
  void restore(const TensorFile& file);
  void prepare_to_evaluate(const CancelToken* cancel);
  void knows_every_item();

  TrainingSetup setup_;
  TrainingData data_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<PluginModel> live_;
  std::unique_ptr<NegativeSampler> sampler_;  // nullptr when the model takes no drawn negatives
  std::unique_ptr<RowSource> rows_;
  std::unique_ptr<LiveColumns> live_columns_;
  std::vector<uint8_t> untrained_;                // Model::untrained
  std::unique_ptr<const Evaluation> evaluation_;  // nullptr without a valid part
  int64_t n_epochs_ = 0;

  Progress progress_;
  bool applying_ = false;  // inside the plugin's optimiser step
  CheckpointFile checkpoint_;
  Clock::time_point checkpointed_;
};

}  // namespace rec
