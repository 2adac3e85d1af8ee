#pragma once

#include "core/base/checked.h"
#include "core/training/row_source.h"
#include "core/training/setup.h"
#include "core/training/training_data.h"

namespace rec {

bool plans_column(const rec_plan_t& plan, int32_t column);

// INVALID_DATA, UNSUPPORTED or INVALID_ARGUMENT when this data, sampler or batch size does not go with the plan.
void check_plan(const TrainingSetup& setup, const rec_plan_t& plan, const rec_schema_t& schema);

// The batches built ahead, the one in the step, and the model's scores of it with their gradient.
void charge_batches(const TrainingSetup& setup, const rec_plan_t& plan, int64_t n_rows, MemoryBudget& budget);

// What draws the negatives that the plan asks for; nullptr when it asks for none.
std::unique_ptr<NegativeSampler> make_sampler(const TrainingSetup& setup, const rec_plan_t& plan,
                                              const TrainingData& data);

// Both `data` and `sampler` outlive the batches.
BatchPlan make_batch_plan(const TrainingSetup& setup, const rec_plan_t& plan, const TrainingData& data,
                          const NegativeSampler* sampler);

}  // namespace rec
