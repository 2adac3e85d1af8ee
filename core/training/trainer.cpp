#include "core/training/trainer.h"

#include <algorithm>
#include <cmath>

#include "core/base/log.h"
#include "core/training/batch_plan.h"

namespace rec {

namespace {

template <class TimePoint>
double seconds_since(TimePoint start) {
  return std::chrono::duration<double>(TimePoint::clock::now() - start).count();
}

}  // namespace

Trainer::Trainer(std::shared_ptr<const Dataset> dataset, const std::string& model, const std::string& params_json,
                 TrainerOptions options, const CancelToken* cancel)
    : setup_(model, params_json, std::move(options)), data_(std::move(dataset)), checkpoint_(setup_.options) {
  const rec_plan_t plan = PluginModel::plan(setup_.plugin, *setup_.params, data_.schema());
  check_plan(setup_, plan, data_.schema());
  MemoryBudget budget(setup_.options.memory_limit_bytes);
  budget.charge(plan.memory_bytes, "the model");
  charge_batches(setup_, plan, data_.n_rows(plan.rows), budget);
  data_.build(plan, budget, cancel);

  pool_ = std::make_unique<ThreadPool>(resolve_threads(setup_.integer("threads")));
  live_ = new_model(cancel);
  sampler_ = make_sampler(setup_, plan, data_);
  const BatchPlan batch_plan = make_batch_plan(setup_, plan, data_, sampler_.get());
  rows_ = make_row_source(batch_plan);
  live_columns_ = std::make_unique<LiveColumns>(setup_, batch_plan, rows_->batches_per_epoch());
  n_epochs_ = setup_.integer("epochs");
  if (plan.max_epochs > 0) n_epochs_ = std::min(n_epochs_, plan.max_epochs);

  if (plan.wants_features == 0)
    untrained_ = untrained_items(data_.dataset(), plan.rows == REC_PLAN_LABELLED || plan.rows == REC_PLAN_LISTS);
  prepare_to_evaluate(cancel);
  throw_if_cancelled(cancel);
  if (!setup_.options.resume) return;
  SizeLimit most(largest_checkpoint(), "checkpoint_path", ", as this run's tensors and a header have no more");
  if (const int64_t left = budget.limit() - budget.used(); budget.limit() > 0 && left < most.bytes)
    most = {std::max<int64_t>(left, 1), "memory_limit_bytes", ", which the rest of the run leaves"};
  if (const auto file = checkpoint_.read(setup_.identity(data_.hash()), most, cancel))
    of_file(file->name, [&] { restore(*file); });
  if (const Cursor& done = progress_.cursor; done.epoch + (done.batch > 0) > n_epochs_)
    throw invalid_argument("epochs", "must be at least ", done.epoch + (done.batch > 0), ", as ", checkpoint_.path(),
                           " has come so far, got ", n_epochs_);
}

Trainer::~Trainer() = default;

void Trainer::prepare_to_evaluate(const CancelToken* cancel) {
  const Dataset& data = data_.dataset();
  if (std::find(data.part.begin(), data.part.end(), Part::kValid) == data.part.end()) return;
  Protocol protocol = setup_.options.protocol;
  protocol.part = Part::kValid;
  evaluation_ = prepare_evaluation(data, *data_.catalog(), untrained_, protocol, setup_.metrics, cancel);
}

// The other model may have been trained on what these data have no rows of.
void Trainer::knows_every_item() {
  progress_.warm_started = true;
  if (untrained_.empty()) return;
  untrained_.clear();
  prepare_to_evaluate(nullptr);
}

// A new plugin model, initialised from the seed and bound to the data.
std::unique_ptr<PluginModel> Trainer::new_model(const CancelToken* cancel) {
  auto model = std::make_unique<PluginModel>(setup_.plugin, setup_.params, data_.schema());
  model->use(pool_.get(), cancel);
  model->initialize(setup_.integer("seed"));
  model->bind(data_.view());
  model->use(pool_.get(), nullptr);
  return model;
}

void Trainer::warm_start(const Model& from) {
  if (progress_.has_begun())
    throw argument_error(REC_BAD_STATE, "trainer", "training has begun, so it cannot start from another model");
  const Catalog& catalog = *data_.catalog();
  for (const auto& [what, theirs, ours] :
       {std::tuple{"users", &from.catalog->users, &catalog.users}, {"items", &from.catalog->items, &catalog.items}})
    if (!theirs->same_ids(*ours))
      throw invalid_argument("model", "has ", theirs->size(), " ", what, ", the data set ", ours->size(),
                             ", and they must be the same in the same order");
  std::vector<rec_tensor_info_t> infos;
  std::vector<const void*> data;
  for (const NamedTensor& tensor : from.parameters) {
    rec_tensor_info_t info{
        tensor.name.c_str(), tensor.dtype, REC_TENSOR_PARAMETER, static_cast<int32_t>(tensor.shape.size()), 0, {}};
    std::copy(tensor.shape.begin(), tensor.shape.end(), info.shape);
    infos.push_back(info);
    data.push_back(tensor.data);
  }
  if (live_->warm_start(infos, data) == 0)
    throw invalid_argument("model", "'", from.name, "' has no parameter that '", setup_.plugin.name(),
                           "' with these parameters can start from");
  knows_every_item();
}

void Trainer::run(const Observer& observer, const CancelToken* cancel) {
  struct UseToken {  // the slots poll this run's token, and none afterwards
    UseToken(PluginModel& m, ThreadPool* p, const CancelToken* token) : model(m), pool(p) { model.use(pool, token); }
    ~UseToken() { model.use(pool, nullptr); }
    PluginModel& model;
    ThreadPool* pool;
  } use_token(*live_, pool_.get(), cancel);

  observer(event(REC_EVENT_START));
  BatchStream batches(*rows_, progress_.cursor, n_epochs_);
  checkpointed_ = Clock::now();
  try {
    run_epochs(batches, observer, cancel);
  } catch (const Error& error) {
    // Cancelled between steps, in compute or in an evaluation: none of these changes the parameters.
    if (error.status == REC_CANCELLED && !applying_) save_checkpoint(observer);
    throw;
  }
  save_checkpoint(observer);
}

void Trainer::run_epochs(BatchStream& batches, const Observer& observer, const CancelToken* cancel) {
  const TrainerOptions& options = setup_.options;
  const int64_t n_batches = rows_->batches_per_epoch(), patience = setup_.integer("patience");
  Cursor& cursor = progress_.cursor;
  while (cursor.epoch < n_epochs_ && (patience == 0 || progress_.stale < patience)) {
    const Clock::time_point start = Clock::now();
    Clock::time_point reported = start;
    while (cursor.batch < n_batches) {
      throw_if_cancelled(cancel);
      Batch* batch = batches.next(cancel);  // data and negatives, built ahead
      progress_.loss_sum += step(*batch);   // the plugin's compute and apply
      ++cursor.batch;
      set_done(cancel, (static_cast<double>(cursor.epoch) +
                        static_cast<double>(cursor.batch) / static_cast<double>(n_batches)) /
                           static_cast<double>(n_epochs_));
      const bool due = options.checkpoint_batches > 0 && cursor.batch % options.checkpoint_batches == 0;
      if (due || seconds_since(checkpointed_) >= options.checkpoint_seconds) save_checkpoint(observer);
      if (seconds_since(reported) >= 0.1) {
        reported = Clock::now();
        TrainingEvent progress = event(REC_EVENT_PROGRESS);
        progress.train_seconds = seconds_since(start);
        observer(progress);
      }
    }
    end_epoch(seconds_since(start), observer, cancel);  // evaluation, best epoch
  }
}

double Trainer::step(Batch& batch) {
  live_columns_->complete(batch, *live_);
  const double loss = live_->compute(batch.view(rows_->batches_per_epoch()));
  if (has_loss() && !std::isfinite(loss))
    throw Error(REC_NUMERIC, cat("the loss is ", loss, " in epoch ", batch.epoch + 1, ", batch ", batch.index + 1,
                                 "; training stopped before this step. A smaller lr often helps"));
  applying_ = true;
  live_->apply();
  applying_ = false;
  return loss;
}

// Changes progress_ only after the evaluation; if that is cancelled, the next run repeats it.
void Trainer::end_epoch(double seconds, const Observer& observer, const CancelToken* cancel) {
  EpochRecord record{progress_.cursor.epoch + 1, {}};
  TrainingEvent done = event(REC_EVENT_EPOCH);
  done.train_seconds = seconds;
  const Clock::time_point start = Clock::now();
  const bool is_due = record.epoch % setup_.integer("eval_every") == 0 || record.epoch == n_epochs_;
  std::shared_ptr<const Model> now;
  try {
    now = snapshot(*live_, setup_.params, data_.catalog(), untrained_, {});
    if (evaluation_ != nullptr && is_due) {
      const Report report = evaluation_->run(*make_scorer(now), *pool_, cancel);
      done.metric_names = report.names;
      done.metric_values = record.metrics = report.means;
    }
  } catch (Error& error) {
    if (error.status == REC_NUMERIC) error.message += cat(" after epoch ", record.epoch);
    throw;
  }
  done.eval_seconds = seconds_since(start);
  done.is_best = progress_.is_better(record, setup_, evaluation_ != nullptr);
  auto finished = std::make_shared<Model>(*now);
  finished->info = info(record);
  progress_.end_epoch(std::move(record), std::move(finished), done.is_best);
  observer(done);
}

std::shared_ptr<const Model> Trainer::model(int32_t which, const CancelToken*) {
  if (which == REC_MODEL_INITIAL) return initial_model();
  if (which != REC_MODEL_BEST && which != REC_MODEL_LAST)
    throw invalid_argument("which", "must be REC_MODEL_BEST (0), REC_MODEL_LAST (1) or REC_MODEL_INITIAL (2), got ",
                           which);
  if (progress_.last_model == nullptr)
    throw Error(REC_BAD_STATE, "trainer: no epoch is finished yet, so there is no model");
  return which == REC_MODEL_BEST && progress_.best_model != nullptr ? progress_.best_model : progress_.last_model;
}

std::shared_ptr<const Model> Trainer::initial_model() {
  if (progress_.has_begun())
    throw argument_error(REC_BAD_STATE, "which", "training has begun, so there is no initial model");
  const std::shared_ptr<const Model> now = snapshot(*live_, setup_.params, data_.catalog(), untrained_, {});
  auto initial = std::make_shared<Model>(*now);
  initial->info = info(EpochRecord{0, {}});
  return initial;
}

// A pass over items fills a matrix; it minimises nothing.
bool Trainer::has_loss() const { return live_->plan().rows != REC_PLAN_ITEMS; }

TrainingEvent Trainer::event(int32_t kind) const {
  const Cursor& cursor = progress_.cursor;
  TrainingEvent event;
  event.kind = kind;
  const bool is_over = cursor.epoch == n_epochs_;
  event.epoch = std::min(cursor.epoch + 1, n_epochs_);
  event.n_epochs = n_epochs_;
  event.batch = is_over ? rows_->batches_per_epoch() : cursor.batch;
  event.n_batches = rows_->batches_per_epoch();
  event.loss = has_loss() && cursor.batch > 0 ? progress_.loss_sum / static_cast<double>(cursor.batch) : std::nan("");
  return event;
}

// The description in a model's file: no clock and no path, so that equal runs give equal files.
Json Trainer::info(const EpochRecord& record) const {
  Json metrics = Json::object();
  for (size_t i = 0; i < record.metrics.size(); ++i)
    metrics[setup_.metrics[i].name + setup_.options.protocol.suffix()] = record.metrics[i];
  return {{"parameters", setup_.params_json},
          {"plugin_version", setup_.plugin.slots->version},
          {"epoch", record.epoch},
          {"seed", setup_.integer("seed")},
          {"valid_metrics", std::move(metrics)},
          {"evaluation", setup_.evaluation_card()},
          {"data_hash", data_.hash()},
          {"n_train", data_.n_train_rows()},
          {"library_version", REC_VERSION}};
}

}  // namespace rec
