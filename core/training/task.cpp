#include "core/training/task.h"

#include <algorithm>
#include <iterator>

namespace rec {

namespace {

constexpr Task kTasks[] = {
    {"topk", -1, REC_ROWS_USER, "ndcg@20,recall@20"},
    {"impression", REC_PLAN_LISTS, REC_ROWS_LIST, "rechorus.ndcg@5,rechorus.hr@5,rechorus.map@5"},
    {"ctr", REC_PLAN_LABELLED, REC_ROWS_LABEL, "rechorus.auc,rechorus.acc,rechorus.log_loss"},
};

}  // namespace

const Task& task_of(const Params& params) {
  const std::string& name = params.text("task");
  return *std::find_if(std::begin(kTasks), std::end(kTasks), [&](const Task& task) { return task.name == name; });
}

void check_task(const Task& task, const Plugin& plugin, const rec_plan_t& plan) {
  const bool of_another = std::any_of(std::begin(kTasks), std::end(kTasks), [&](const Task& other) {
    return other.plan_rows == plan.rows && &other != &task;
  });
  if (task.plan_rows == plan.rows || (task.plan_rows < 0 && !of_another)) return;
  throw argument_error(REC_UNSUPPORTED, "task", "'", plugin.name(), "' cannot be trained for task=", task.name,
                       "; the capabilities of a model's description name its tasks");
}

}  // namespace rec
