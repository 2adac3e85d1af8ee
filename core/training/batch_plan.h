#pragma once

#include <memory>

#include "core/base/checked.h"
#include "core/plugin/history_columns.h"
#include "core/sampling/negatives.h"
#include "core/training/setup.h"
#include "core/training/training_data.h"

namespace rec {

// What batches are built from; everything it points to outlives the batches.
struct BatchPlan {
  const Interactions* train = nullptr;
  const Dataset* data = nullptr;           // labelled rows
  const ImpressionLists* lists = nullptr;  // of the train part, when rows are lists
  int64_t max_pos = 0, max_neg = 0;        // slots of a list
  int64_t n_items = 0;
  int32_t rows = REC_PLAN_INTERACTIONS;
  std::vector<int32_t> columns;  // REC_COLUMN_ wanted
  int64_t batch_size = 1;
  int64_t n_negatives = 0;  // per row; 0 = none
  bool in_batch = false;    // the other rows' positives are the negatives
  int64_t n_shared = 0;     // negatives of the batch as a whole
  const NegativeSampler* sampler = nullptr;
  int64_t history_max = 0;  // items kept of a history; 0 = all
  int64_t min_history = 0;  // rows with fewer items before them are left out
  uint64_t seed = 0;

  bool wants(int32_t column) const;
  // The training items of a user before an entry of train->by_user, cut to the longest history.
  History history_before(int32_t user, int64_t entry) const;
  bool wants_histories() const {
    return wants(REC_COLUMN_HISTORY) || wants(REC_COLUMN_HISTORY_LENGTH) || wants(REC_COLUMN_HISTORY_TIME);
  }
};

bool plans_column(const rec_plan_t& plan, int32_t column);

// INVALID_DATA, UNSUPPORTED or INVALID_ARGUMENT when the data, sampler or batch size does not fit the plan.
void check_plan(const TrainingSetup& setup, const rec_plan_t& plan, const rec_schema_t& schema);

// Charges the queue of batches, the current batch, and its scores with their gradient.
void charge_batches(const TrainingSetup& setup, const rec_plan_t& plan, int64_t n_rows, MemoryBudget& budget);

// Draws the negatives that the plan asks for; nullptr when it asks for none.
std::unique_ptr<NegativeSampler> make_sampler(const TrainingSetup& setup, const rec_plan_t& plan,
                                              const TrainingData& data);

// Both `data` and `sampler` outlive the batches.
BatchPlan make_batch_plan(const TrainingSetup& setup, const rec_plan_t& plan, const TrainingData& data,
                          const NegativeSampler* sampler);

}  // namespace rec
