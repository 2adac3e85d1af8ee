#pragma once

#include <string>

#include "core/evaluation/evaluation.h"
#include "core/plugin/params.h"
#include "core/plugin/registry.h"

namespace rec {

// What a model is trained for, the loop parameter `task`: which rows an epoch has, and how they are judged.
struct Task {
  const char* name;
  int32_t plan_rows;     // REC_PLAN_ that the plugin must plan; -1 = any rows that no other task claims
  int32_t rows;          // REC_ROWS_ of an evaluation, unless the metrics or the caller choose others
  const char* metrics;   // unless the caller chooses others
};

const Task& task_of(const Params& params);
// UNSUPPORTED for a plan of another task's rows.
void check_task(const Task& task, const Plugin& plugin, const rec_plan_t& plan);

}  // namespace rec
