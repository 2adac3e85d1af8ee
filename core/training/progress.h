#pragma once

#include <memory>
#include <vector>

#include "core/base/json.h"
#include "core/serving/model.h"
#include "core/training/batches.h"
#include "core/training/setup.h"

namespace rec {

// An epoch and its evaluation.
struct EpochRecord {
  int64_t epoch = 0;            // from 1; 0 = no epoch
  std::vector<double> metrics;  // empty = not evaluated
};

// How far training has come, and the best and the last of its finished epochs.
struct Progress {
  Cursor cursor;
  double loss_sum = 0;  // of the batches of this epoch
  EpochRecord best, last;
  int64_t stale = 0;  // evaluations since the best one
  bool warm_started = false;
  std::shared_ptr<const Model> best_model, last_model;

  bool has_begun() const { return cursor.epoch > 0 || cursor.batch > 0; }
  // Whether an epoch with this record would be the best; without evaluations every new epoch is the best.
  bool is_better(const EpochRecord& record, const TrainingSetup& setup, bool evaluates) const;
  void end_epoch(EpochRecord record, std::shared_ptr<const Model> model, bool is_best);

  // Everything but the models. CORRUPT_DATA for saved progress that cannot be of this run.
  Json to_json() const;
  static Progress from_json(const Json& saved, const TrainingSetup& setup, int64_t batches_per_epoch);
};

}  // namespace rec
