#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/data/dataset.h"
#include "core/evaluation/evaluation.h"
#include "core/plugin/model.h"
#include "core/sampling/frequency.h"
#include "core/serving/model.h"
#include "core/training/batches.h"

namespace rec {

struct TrainerOptions {
  bool resume = false;
  std::string checkpoint_path;  // "" = none
  double checkpoint_seconds = 30;
  int64_t checkpoint_batches = 0;  // > 0: also after every so many batches
  std::string metrics;             // "" = those of the task
  std::string main_metric;         // "" = the first of metrics
  Protocol protocol;
  int64_t memory_limit_bytes = 0;
};

// What a run reports; names and values live for the call.
struct TrainingEvent {
  int32_t kind = REC_EVENT_PROGRESS;
  int64_t epoch = 0, n_epochs = 0, batch = 0, n_batches = 0;
  double loss = 0, train_seconds = 0, eval_seconds = 0;
  std::vector<std::string> metric_names;
  std::vector<double> metric_values;
  bool is_best = false;
};
using Observer = std::function<void(const TrainingEvent&)>;

// What a caller can do with a model in training, be it here or in a worker process.
class Training {
 public:
  virtual ~Training() = default;
  // Before the first run: parameters of a model of the same users and items.
  virtual void warm_start(const Model& from) = 0;
  virtual void run(const Observer& observer, const CancelToken* cancel) = 0;
  // REC_MODEL_BEST or REC_MODEL_LAST; BAD_STATE when no epoch is finished.
  virtual std::shared_ptr<const Model> model(int32_t which, const CancelToken* cancel) = 0;
};

// One model in training over one data set: the epoch loop, evaluation, early stop, checkpoints.
class Trainer : public Training {
 public:
  Trainer(std::shared_ptr<const Dataset> dataset, const std::string& model, const std::string& params_json,
          TrainerOptions options, const CancelToken* cancel = nullptr);
  ~Trainer() override;

  void warm_start(const Model& from) override;
  void run(const Observer& observer, const CancelToken* cancel) override;
  std::shared_ptr<const Model> model(int32_t which, const CancelToken* cancel = nullptr) override;

 private:
  struct EpochRecord {
    int64_t epoch = 0;            // from 1; 0 = none
    std::vector<double> metrics;  // empty = not evaluated
  };

  void check_params() const;
  void prepare_metrics();
  void prepare_data(const CancelToken* cancel);
  void check_sampler(const rec_plan_t& plan) const;
  bool has_in_batch_negatives(const rec_plan_t& plan) const;
  int64_t batch_rows(const rec_plan_t& plan) const;
  int64_t negatives_drawn(const rec_plan_t& plan) const;  // of each row
  void charge_batches(const rec_plan_t& plan, int64_t n_rows);
  void prepare_batches(const rec_plan_t& plan);
  void pick_dynamic_negatives(Batch& batch);
  void correct_in_batch(Batch& batch);
  double step(Batch& batch);
  void run_epochs(BatchStream& batches, const Observer& observer, const CancelToken* cancel,
                  const std::function<void()>& checkpoint);
  void end_epoch(double seconds, const Observer& observer, const CancelToken* cancel);
  bool patience_is_out() const;
  Json run_identity() const;
  Json info(const EpochRecord& record) const;
  void check_checkpoint_path() const;
  void save_checkpoint(const Observer& observer);
  void load_checkpoint();
  void restore(const TensorFile& file);
  TrainingEvent event(int32_t kind) const;

  std::shared_ptr<const Dataset> dataset_;
  const Plugin& plugin_;
  TrainerOptions options_;
  std::shared_ptr<const Params> params_;
  Json params_json_;
  std::vector<MetricSpec> metrics_;
  size_t main_metric_ = 0;
  std::string data_hash_;
  MemoryBudget budget_;

  Interactions train_;
  ImpressionLists lists_;  // of the train part, when rows are lists
  Graph graph_;
  int64_t n_train_rows_ = 0;  // labelled ones of both kinds
  rec_schema_t schema_{};
  rec_dataset_view_t view_{};
  std::vector<rec_csr_t> relations_;                          // of the view
  std::vector<rec_feature_t> user_features_, item_features_;  // of the view
  std::vector<const char*> schema_relations_;
  std::vector<rec_feature_t> schema_users_, schema_items_;
  std::shared_ptr<const Catalog> catalog_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<PluginModel> live_;
  std::unique_ptr<NegativeSampler> sampler_;
  std::unique_ptr<const Evaluation> evaluation_;  // nullptr without a valid part
  BatchPlan batch_plan_;
  std::unique_ptr<RowSource> rows_;
  int64_t n_epochs_ = 0;

  Cursor cursor_;
  double loss_sum_ = 0;    // of the batches of this epoch
  bool applying_ = false;  // inside the plugin's optimiser step
  std::chrono::steady_clock::time_point checkpointed_;
  bool checkpoint_damaged_ = false;  // the file that the next checkpoint replaces
  EpochRecord best_epoch_, last_epoch_;
  int64_t stale_ = 0;  // evaluations since the best one
  std::shared_ptr<const Model> best_, last_;
  std::vector<float> candidate_scores_;
  std::unique_ptr<FrequencyEstimator> frequency_;  // of in-batch negatives
};

// A hash of ids, interactions and parts: names the data and its split.
std::string dataset_hash(const Dataset& dataset);

}  // namespace rec
