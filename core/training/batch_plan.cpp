#include "core/training/batch_plan.h"

#include <algorithm>
#include <limits>

#include "core/training/batches.h"
#include "core/training/task.h"

namespace rec {

namespace {

bool has_in_batch_negatives(const TrainingSetup& setup, const rec_plan_t& plan) {
  return plan.negatives == REC_NEGATIVES_IN_BATCH ||
         (plan.negatives == REC_NEGATIVES_SAMPLED && setup.params->text("sampler") == "in_batch");
}

int64_t rows_of_a_batch(const TrainingSetup& setup, const rec_plan_t& plan) {
  return plan.batch_size > 0 ? plan.batch_size : setup.integer("batch_size");
}

int64_t negatives_of_a_row(const TrainingSetup& setup, const rec_plan_t& plan) {
  if (plan.negatives != REC_NEGATIVES_SAMPLED || has_in_batch_negatives(setup, plan)) return 0;
  return setup.integer("num_neg") * (setup.params->text("sampler") == "dns" ? setup.integer("dns_candidates") : 1);
}

// A sampler that the model cannot use is refused, not ignored.
void check_sampler(const TrainingSetup& setup, const rec_plan_t& plan) {
  const std::string& sampler = setup.params->text("sampler");
  const bool sampled = plan.negatives == REC_NEGATIVES_SAMPLED, in_batch = has_in_batch_negatives(setup, plan);
  const bool corrects = plans_column(plan, REC_COLUMN_LOG_Q);
  const auto refused = [&](const char* why, const char* which, const char* instead) {
    return argument_error(REC_UNSUPPORTED, "sampler", "'", sampler, "' ", why, " '", setup.plugin.name(), "' ", which,
                          "; ", instead);
  };
  if (sampled && sampler == "dns" && (plan.capabilities & REC_CAP_SCORE_LIVE) == 0)
    throw refused("ranks candidates by the model in training, which", "does not offer", "use uniform or popularity");
  if (sampled && sampler == "in_batch" && !corrects)
    throw refused("needs a model that corrects its scores, which", "does not", "use uniform or popularity");
  if (!sampled && sampler != "uniform" && !(in_batch && sampler == "in_batch"))
    throw refused("would have no effect:", "with these parameters takes no negatives from the sampler",
                  "leave it at uniform");
  if (corrects && !(in_batch && plans_column(plan, REC_COLUMN_ITEM)))
    throw Error(REC_UNSUPPORTED, cat("plugin '", setup.plugin.name(),
                                     "' plans the column LOG_Q, which only items with in-batch negatives have"));
  if (in_batch && rows_of_a_batch(setup, plan) == 1)
    throw invalid_argument("batch_size", "must be >= 2 where the other rows of a batch are the negatives, got 1");
  if (const int64_t rows = rows_of_a_batch(setup, plan); rows < plan.min_batch_size)
    throw invalid_argument("batch_size", "must be >= ", plan.min_batch_size, " for '", setup.plugin.name(),
                           "' with these parameters, got ", rows);
}

}  // namespace

bool BatchPlan::wants(int32_t column) const {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

History BatchPlan::history_before(int32_t user, int64_t entry) const {
  const int64_t begin = train->by_user.offsets[user];
  const History all{{train->by_user.columns.data() + begin, static_cast<size_t>(entry - begin)},
                    train->entry_time.empty() ? nullptr : train->entry_time.data() + begin};
  return history_max > 0 ? all.last(history_max) : all;
}

bool plans_column(const rec_plan_t& plan, int32_t column) {
  return std::find(plan.columns, plan.columns + plan.n_columns, column) != plan.columns + plan.n_columns;
}

void check_plan(const TrainingSetup& setup, const rec_plan_t& plan, const rec_schema_t& schema) {
  check_task(task_of(*setup.params), setup.plugin, plan);
  if ((plans_column(plan, REC_COLUMN_TIME) || plans_column(plan, REC_COLUMN_HISTORY_TIME)) && schema.has_times == 0)
    throw argument_error(REC_INVALID_DATA, "dataset", "'", setup.plugin.name(),
                         "' looks at times, and the interactions have none");
  check_sampler(setup, plan);
}

void charge_batches(const TrainingSetup& setup, const rec_plan_t& plan, int64_t n_rows, MemoryBudget& budget) {
  const int64_t rows = std::min(rows_of_a_batch(setup, plan), n_rows);
  const int64_t columns = plan.rows == REC_PLAN_LISTS           ? setup.integer("max_pos") + setup.integer("max_neg")
                          : has_in_batch_negatives(setup, plan) ? rows
                                                                : 1 + negatives_of_a_row(setup, plan);
  const int64_t cells = checked_mul(rows, columns);
  if (cells > std::numeric_limits<int32_t>::max())
    throw argument_error(REC_LIMIT, "batch_size", "a batch of ", rows, " rows and ", columns,
                         " items each is more than the ", std::numeric_limits<int32_t>::max(),
                         " scores that a batch can have");
  int64_t cell_bytes = 0;
  for (const auto& [column, bytes] :
       {std::pair{REC_COLUMN_ITEM, 4}, {REC_COLUMN_LOG_Q, 4}, {REC_COLUMN_LABEL, 4}, {REC_COLUMN_IMPRESSION_MASK, 1}})
    if (plans_column(plan, column)) cell_bytes += bytes;
  constexpr int64_t kBatches = BatchStream::kAhead + 1, kScoreBytes = 2 * sizeof(float);
  budget.charge(checked_mul(cells, kBatches * cell_bytes + kScoreBytes), "a queue of batches of this batch_size");
}

std::unique_ptr<NegativeSampler> make_sampler(const TrainingSetup& setup, const rec_plan_t& plan,
                                              const TrainingData& data) {
  const bool shared = plan.negatives == REC_NEGATIVES_SHARED && plan.n_shared > 0;
  if (!shared && negatives_of_a_row(setup, plan) == 0) return nullptr;
  const Csr& by_item = data.interactions().by_item;
  Buffer<int64_t> item_counts(by_item.n_rows());
  for (int64_t i = 0; i < by_item.n_rows(); ++i) item_counts[i] = by_item.offsets[i + 1] - by_item.offsets[i];
  const bool by_count = shared || setup.params->text("sampler") == "popularity";
  return std::make_unique<NegativeSampler>(
      data.catalog()->seen, item_counts.span(),
      NegativeOptions{by_count ? NegativeKind::kPopularity : NegativeKind::kUniform,
                      shared ? plan.shared_alpha : setup.params->number("sampler_alpha"),
                      static_cast<uint64_t>(setup.integer("seed"))});
}

BatchPlan make_batch_plan(const TrainingSetup& setup, const rec_plan_t& plan, const TrainingData& data,
                          const NegativeSampler* sampler) {
  BatchPlan batches;
  batches.train = &data.interactions();
  batches.data = &data.dataset();
  batches.lists = &data.lists();
  batches.max_pos = setup.integer("max_pos");
  batches.max_neg = setup.integer("max_neg");
  batches.n_items = data.schema().n_items;
  batches.rows = plan.rows;
  batches.columns.assign(plan.columns, plan.columns + plan.n_columns);
  batches.batch_size = rows_of_a_batch(setup, plan);
  batches.n_negatives = negatives_of_a_row(setup, plan);
  batches.in_batch = has_in_batch_negatives(setup, plan);
  if (plan.negatives == REC_NEGATIVES_SHARED) batches.n_shared = plan.n_shared;
  batches.sampler = sampler;
  batches.history_max = plan.history_max;
  batches.min_history = plan.min_history;
  batches.seed = static_cast<uint64_t>(setup.integer("seed"));
  return batches;
}

}  // namespace rec
