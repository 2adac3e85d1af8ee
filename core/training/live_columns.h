#pragma once

#include <optional>
#include <vector>

#include "core/plugin/model.h"
#include "core/sampling/frequency.h"
#include "core/serving/tensor_file.h"
#include "core/training/batches.h"
#include "core/training/setup.h"

namespace rec {

// Columns that are filled only when a batch's turn comes, since they depend on the training so far: the negatives that
// the model in training scores highest (sampler=dns), and the log-probabilities of in-batch negatives.
class LiveColumns {
 public:
  LiveColumns(const TrainingSetup& setup, const BatchPlan& plan, int64_t batches_per_epoch);

  void complete(Batch& batch, PluginModel& live);

  // The state that a resumed run needs.
  void append_tensors(std::vector<NamedTensor>& out);
  void restore(const TensorFile& file);

 private:
  void pick_dynamic_negatives(Batch& batch, PluginModel& live);
  void correct_in_batch(Batch& batch);

  int64_t batches_per_epoch_;
  int64_t n_negatives_ = 0, n_candidates_ = 0;  // sampler=dns: negatives per row, candidates for each; 0 = another sampler
  std::vector<float> candidate_scores_;
  std::optional<FrequencyEstimator> frequency_;  // of in-batch negatives
};

}  // namespace rec
