#include "core/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/plugin/loop_params.h"
#include "core/training/task.h"

namespace rec {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

rec_csr_t view_of(const Csr& csr, int64_t n_columns) {
  return {csr.offsets.data(), csr.columns.data(), csr.n_rows(), n_columns};
}

bool plans_column(const rec_plan_t& plan, int32_t column) {
  return std::find(plan.columns, plan.columns + plan.n_columns, column) != plan.columns + plan.n_columns;
}

// Items of a history that the model's file keeps.
int64_t history_kept(const rec_plan_t& plan) {
  if (plans_column(plan, REC_COLUMN_HISTORY) && plan.history_max == 0) return std::numeric_limits<int64_t>::max();
  return std::max(kHistoryKept, plan.history_max);
}

}  // namespace

Trainer::Trainer(std::shared_ptr<const Dataset> dataset, const std::string& model, const std::string& params_json,
                 TrainerOptions options, const CancelToken* cancel)
    : dataset_(std::move(dataset)),
      plugin_(PluginRegistry::instance().find(model)),
      options_(std::move(options)),
      budget_(options_.memory_limit_bytes) {
  const std::span<const rec_param_t> tables[] = {plugin_.params(), loop_params()};
  const Json given = params_json.empty() ? Json::object() : parse_json(params_json, "params_json");
  if (given.is_object() && given.value("sampler", Json()) == "ans")
    throw Error(
        REC_UNSUPPORTED,
        "sampler: ANS trains gates and losses of its own, so it is a model and no sampler; use model 'ans' with "
        "backbone=mf or backbone=lightgcn")
        .at_argument("sampler");
  params_ = std::make_shared<const Params>(parse_params(given, tables));
  params_json_ = params_to_json(*params_, tables);
  params_json_.erase("threads");  // of no effect on the model, so it is not in its file
  prepare_metrics();
  check_params();
  check_checkpoint_path();
  prepare_data(cancel);
  throw_if_cancelled(cancel);
  if (options_.resume) load_checkpoint();
}

Trainer::~Trainer() = default;

void Trainer::prepare_metrics() {
  const Task& task = task_of(*params_);
  if (options_.metrics.empty()) options_.metrics = task.metrics;
  metrics_ = parse_metrics(options_.metrics);
  // Rows that the caller did not choose are the task's, as far as the metrics are of such rows.
  if (options_.protocol.rows == REC_ROWS_USER && fits_rows(metrics_.front(), task.rows))
    options_.protocol.rows = task.rows;
  if (!options_.main_metric.empty()) {
    const auto main = parse_metrics(options_.main_metric);
    const auto it = std::find_if(metrics_.begin(), metrics_.end(),
                                 [&](const MetricSpec& m) { return m.name == main.front().name; });
    if (main.size() != 1 || it == metrics_.end())
      throw invalid_argument("main_metric", "must be one of metrics (", options_.metrics, "), got ",
                             printable(options_.main_metric));
    main_metric_ = static_cast<size_t>(it - metrics_.begin());
  }
}

void Trainer::check_params() const {
  if (params_->text("device") == "cuda")
    throw Error(REC_DEVICE,
                "device: 'cuda' needs librecore_cuda.so and an NVIDIA GPU, and this installation has no "
                "librecore_cuda.so; use device=cpu")
        .at_argument("device");
}

void Trainer::prepare_data(const CancelToken* cancel) {
  const Dataset& data = *dataset_;
  n_train_rows_ = static_cast<int64_t>(std::count(data.part.begin(), data.part.end(), Part::kTrain));
  int64_t n_train = 0;
  for (int64_t i = 0; i < data.n(); ++i) n_train += data.part[i] == Part::kTrain && data.is_positive(i);
  if (n_train == 0)
    throw Error(REC_INVALID_DATA, cat("dataset: no training interaction ", data.label.empty() ? "" : "with label 1 ",
                                      "among ", data.n(), " rows"))
        .at_argument("dataset");
  for (const Relation& relation : data.relations) schema_relations_.push_back(relation.name.c_str());
  schema_users_ = views_of(data.user_features, FeatureData::kNone);
  schema_items_ = views_of(data.item_features, FeatureData::kNone);
  schema_ = {sizeof schema_,
             !data.time.empty(),
             data.n_users(),
             data.n_items(),
             n_train,
             !data.weight.empty(),
             static_cast<int32_t>(data.relations.size()),
             schema_relations_.data(),
             schema_users_.data(),
             static_cast<int64_t>(schema_users_.size()),
             schema_items_.data(),
             static_cast<int64_t>(schema_items_.size())};
  const rec_plan_t plan = PluginModel::plan(plugin_, *params_, schema_);
  check_task(task_of(*params_), plugin_, plan);
  if ((plans_column(plan, REC_COLUMN_TIME) || plans_column(plan, REC_COLUMN_HISTORY_TIME)) && schema_.has_times == 0)
    throw Error(REC_INVALID_DATA, cat("dataset: '", plugin_.name(), "' looks at times, and the interactions have none"))
        .at_argument("dataset");
  check_sampler(plan);
  const bool labelled = plan.rows == REC_PLAN_LISTS || plan.rows == REC_PLAN_LABELLED;
  if (std::max(n_train, labelled ? data.n() : 0) > std::numeric_limits<int32_t>::max())
    throw Error(REC_LIMIT, cat("dataset: ", std::max(n_train, data.n()), " rows are more than the ",
                               std::numeric_limits<int32_t>::max(), " that training can number"))
        .at_argument("dataset");
  budget_.charge(plan.memory_bytes, "the model");
  budget_.charge(checked_mul(n_train, 24 + (plan.wants_graph ? 8 : 0)), "the training interactions");
  if (labelled) budget_.charge(checked_mul(n_train_rows_, 16), "the labelled rows");
  charge_batches(plan, plan.rows == REC_PLAN_ITEMS   ? data.n_items()
                       : plan.rows == REC_PLAN_USERS ? data.n_users()
                       : labelled                    ? n_train_rows_
                                                     : n_train);
  throw_if_cancelled(cancel);
  train_ = build_interactions(data, true, false, false);
  throw_if_cancelled(cancel);
  if (plan.rows == REC_PLAN_LISTS) lists_ = impression_lists(data, Part::kTrain);
  if (plan.wants_graph) graph_ = build_graph(train_.by_user, data.n_items());
  throw_if_cancelled(cancel);
  catalog_ = make_catalog(data, train_, history_kept(plan));
  throw_if_cancelled(cancel);
  data_hash_ = dataset_hash(data);
  view_ = {};
  view_.struct_size = sizeof view_;
  view_.by_user = rec::view_of(train_.by_user, data.n_items());
  view_.by_item = rec::view_of(train_.by_item, data.n_users());
  view_.user_times = train_.user_time.empty() ? nullptr : train_.user_time.data();
  view_.user_weights = train_.user_weight.empty() ? nullptr : train_.user_weight.data();
  if (plan.wants_relations != 0) {
    relations_ = views_of(catalog_->relations);
    view_.relations = relations_.data();
    view_.n_relations = static_cast<int64_t>(relations_.size());
  }
  if (plan.wants_features != 0) {
    user_features_ = views_of(data.user_features, FeatureData::kAll);
    item_features_ = views_of(data.item_features, FeatureData::kAll);
    view_.user_features = user_features_.data();
    view_.n_user_features = static_cast<int64_t>(user_features_.size());
    view_.item_features = item_features_.data();
    view_.n_item_features = static_cast<int64_t>(item_features_.size());
  }
  if (plan.wants_graph) {
    view_.graph_users = rec::view_of(graph_.users, data.n_items());
    view_.graph_items = rec::view_of(graph_.items, data.n_users());
  }

  pool_ = std::make_unique<ThreadPool>(resolve_threads(params_->integer("threads")));
  live_ = std::make_unique<PluginModel>(plugin_, params_, schema_);
  live_->use(pool_.get(), cancel);
  live_->initialize(params_->integer("seed"));
  live_->bind(view_);
  live_->use(pool_.get(), nullptr);

  n_epochs_ = params_->integer("epochs");
  if (plan.max_epochs > 0) n_epochs_ = std::min(n_epochs_, plan.max_epochs);
  prepare_batches(plan);
  if (std::find(data.part.begin(), data.part.end(), Part::kValid) != data.part.end()) {
    Protocol protocol = options_.protocol;
    protocol.part = Part::kValid;
    evaluation_ = prepare_evaluation(data, *catalog_, protocol, metrics_, cancel);
  }
}

// A sampler that the model cannot use is refused, not ignored.
void Trainer::check_sampler(const rec_plan_t& plan) const {
  const std::string& sampler = params_->text("sampler");
  const bool sampled = plan.negatives == REC_NEGATIVES_SAMPLED, in_batch = has_in_batch_negatives(plan);
  const bool corrects = plans_column(plan, REC_COLUMN_LOG_Q);
  const auto refused = [&](const char* why, const char* which, const char* instead) {
    return Error(REC_UNSUPPORTED,
                 cat("sampler: '", sampler, "' ", why, " '", plugin_.name(), "' ", which, "; ", instead))
        .at_argument("sampler");
  };
  if (sampled && sampler == "dns" && (plan.capabilities & REC_CAP_SCORE_LIVE) == 0)
    throw refused("ranks candidates by the model in training, which", "does not offer", "use uniform or popularity");
  if (sampled && sampler == "in_batch" && !corrects)
    throw refused("needs a model that corrects its scores, which", "does not", "use uniform or popularity");
  if (!sampled && sampler != "uniform" && !(in_batch && sampler == "in_batch"))
    throw refused("would have no effect:", "with these parameters takes no negatives from the sampler",
                  "leave it at uniform");
  if (corrects && !(in_batch && plans_column(plan, REC_COLUMN_ITEM)))
    throw Error(REC_UNSUPPORTED, cat("plugin '", plugin_.name(),
                                     "' plans the column LOG_Q, which only items with in-batch negatives have"));
  if (batch_rows(plan) < std::max<int64_t>(plan.min_batch_size, in_batch ? 2 : 1))
    throw invalid_argument("batch_size", "must be >= 2 where the other rows of a batch are the negatives, got 1");
}

bool Trainer::has_in_batch_negatives(const rec_plan_t& plan) const {
  return plan.negatives == REC_NEGATIVES_IN_BATCH ||
         (plan.negatives == REC_NEGATIVES_SAMPLED && params_->text("sampler") == "in_batch");
}

int64_t Trainer::batch_rows(const rec_plan_t& plan) const {
  return plan.batch_size > 0 ? plan.batch_size : params_->integer("batch_size");
}

int64_t Trainer::negatives_drawn(const rec_plan_t& plan) const {
  if (plan.negatives != REC_NEGATIVES_SAMPLED || has_in_batch_negatives(plan)) return 0;
  return params_->integer("num_neg") * (params_->text("sampler") == "dns" ? params_->integer("dns_candidates") : 1);
}

// Those built ahead, the one in the step, and the model's scores of it with their gradient.
void Trainer::charge_batches(const rec_plan_t& plan, int64_t n_rows) {
  const int64_t rows = std::min(batch_rows(plan), n_rows);
  const int64_t columns = plan.rows == REC_PLAN_LISTS    ? params_->integer("max_pos") + params_->integer("max_neg")
                          : has_in_batch_negatives(plan) ? rows
                                                         : 1 + negatives_drawn(plan);
  const int64_t cells = checked_mul(rows, columns);
  if (cells > std::numeric_limits<int32_t>::max())
    throw Error(REC_LIMIT, cat("batch_size: a batch of ", rows, " rows and ", columns, " items each is more than the ",
                               std::numeric_limits<int32_t>::max(), " scores that a batch can have"))
        .at_argument("batch_size");
  int64_t cell_bytes = 0;
  for (const auto& [column, bytes] :
       {std::pair{REC_COLUMN_ITEM, 4}, {REC_COLUMN_LOG_Q, 4}, {REC_COLUMN_LABEL, 4}, {REC_COLUMN_IMPRESSION_MASK, 1}})
    if (plans_column(plan, column)) cell_bytes += bytes;
  constexpr int64_t kBatches = BatchStream::kAhead + 1, kScoreBytes = 2 * sizeof(float);
  budget_.charge(checked_mul(cells, kBatches * cell_bytes + kScoreBytes), "a queue of batches of this batch_size");
}

void Trainer::prepare_batches(const rec_plan_t& plan) {
  const std::string& sampler = params_->text("sampler");
  batch_plan_.train = &train_;
  batch_plan_.data = dataset_.get();
  batch_plan_.lists = &lists_;
  batch_plan_.max_pos = params_->integer("max_pos");
  batch_plan_.max_neg = params_->integer("max_neg");
  batch_plan_.n_items = schema_.n_items;
  batch_plan_.rows = plan.rows;
  batch_plan_.columns.assign(plan.columns, plan.columns + plan.n_columns);
  batch_plan_.batch_size = batch_rows(plan);
  batch_plan_.history_max = plan.history_max;
  batch_plan_.min_history = plan.min_history;
  batch_plan_.seed = static_cast<uint64_t>(params_->integer("seed"));
  batch_plan_.n_negatives = negatives_drawn(plan);
  batch_plan_.in_batch = has_in_batch_negatives(plan);
  if (batch_plan_.wants(REC_COLUMN_LOG_Q))
    frequency_ = std::make_unique<FrequencyEstimator>(schema_.n_items, params_->number("frequency_alpha"));
  if (plan.negatives == REC_NEGATIVES_SHARED) batch_plan_.n_shared = plan.n_shared;
  if (batch_plan_.n_negatives > 0 || batch_plan_.n_shared > 0) {
    Buffer<int64_t> item_counts(schema_.n_items);
    for (int64_t i = 0; i < schema_.n_items; ++i)
      item_counts[i] = train_.by_item.offsets[i + 1] - train_.by_item.offsets[i];
    const bool shared = batch_plan_.n_shared > 0;
    const NegativeKind kind = shared || sampler == "popularity" ? NegativeKind::kPopularity : NegativeKind::kUniform;
    const double alpha = shared ? plan.shared_alpha : params_->number("sampler_alpha");
    sampler_ = std::make_unique<NegativeSampler>(catalog_->seen, item_counts.span(),
                                                 NegativeOptions{kind, alpha, batch_plan_.seed});
    batch_plan_.sampler = sampler_.get();
  }
  rows_ = make_row_source(batch_plan_);
}

// Dynamic negative sampling: of each group of candidates the one the model scores highest; the first on ties.
void Trainer::pick_dynamic_negatives(Batch& batch) {
  const int64_t n_neg = params_->integer("num_neg"), per_negative = params_->integer("dns_candidates");
  Column& column = batch.column(REC_COLUMN_ITEM);
  const int64_t wide = column.extent(1);
  candidate_scores_.resize(static_cast<size_t>(batch.n_rows * wide));
  live_->score_live(batch.view(rows_->batches_per_epoch()), candidate_scores_.data());
  auto* picked = column.data<int32_t>();  // what is picked moves left, over candidates that were looked at
  for (int64_t b = 0; b < batch.n_rows; ++b) {
    const int32_t* items = column.data<int32_t>() + b * wide;
    const float* scores = candidate_scores_.data() + b * wide;
    *picked++ = items[0];
    for (int64_t k = 0; k < n_neg; ++k) {
      const float* group = scores + 1 + k * per_negative;
      *picked++ = items[1 + k * per_negative + (std::max_element(group, group + per_negative) - group)];
    }
  }
  column.reshape<int32_t>(batch.n_rows, 1 + n_neg);
}

// ln p of each column, counted once a batch; a column with the row's own item is no negative.
void Trainer::correct_in_batch(Batch& batch) {
  const Column& column = batch.column(REC_COLUMN_ITEM);
  const auto* items = column.data<int32_t>();
  const int64_t C = column.extent(1);
  // Row 0 has the whole batch. A batch that was cancelled and is taken again has been counted.
  if (frequency_->step == cursor_.epoch * rows_->batches_per_epoch() + cursor_.batch)
    frequency_->observe({items, static_cast<size_t>(C)});
  auto* log_q = batch.column(REC_COLUMN_LOG_Q).data<float>();
  for (int64_t b = 0; b < batch.n_rows; ++b)
    for (int64_t c = 0; c < C; ++c) {
      const int32_t item = items[b * C + c];
      log_q[b * C + c] =
          c > 0 && item == items[b * C] ? std::numeric_limits<float>::infinity() : frequency_->log_probability(item);
    }
}

double Trainer::step(Batch& batch) {
  if (frequency_ != nullptr) correct_in_batch(batch);
  if (batch_plan_.n_negatives > 0 && params_->text("sampler") == "dns") pick_dynamic_negatives(batch);
  const double loss = live_->compute(batch.view(rows_->batches_per_epoch()));
  if (batch_plan_.rows != REC_PLAN_ITEMS && !std::isfinite(loss))
    throw Error(REC_NUMERIC, cat("the loss is ", loss, " in epoch ", batch.epoch + 1, ", batch ", batch.index + 1,
                                 "; training stopped before this step. A smaller lr often helps"));
  applying_ = true;
  live_->apply();
  applying_ = false;
  return loss;
}

void Trainer::warm_start(const Model& from) {
  if (cursor_.epoch > 0 || cursor_.batch > 0)
    throw Error(REC_BAD_STATE, "trainer: training has begun, so it cannot start from another model")
        .at_argument("trainer");
  for (const auto& [what, theirs, ours] :
       {std::tuple{"users", &from.catalog->users, &catalog_->users}, {"items", &from.catalog->items, &catalog_->items}})
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
    throw invalid_argument("model", "'", from.name, "' has no parameter that '", plugin_.name(),
                           "' with these parameters can start from");
}

void Trainer::run(const Observer& observer, const CancelToken* cancel) {
  struct UseToken {  // slots poll the token of this run only
    PluginModel& model;
    ThreadPool* pool;
    ~UseToken() { model.use(pool, nullptr); }
  } use_token{*live_, pool_.get()};
  live_->use(pool_.get(), cancel);

  observer(event(REC_EVENT_START));
  BatchStream batches(*rows_, cursor_, n_epochs_);
  checkpointed_ = Clock::now();
  const auto checkpoint = [&] {
    if (options_.checkpoint_path.empty()) return;
    save_checkpoint(observer);
    checkpointed_ = Clock::now();
  };
  try {
    run_epochs(batches, observer, cancel, checkpoint);
  } catch (const Error& error) {
    // Cancelled between steps, within a compute or within an evaluation: none of them has changed the parameters.
    if (error.status == REC_CANCELLED && !applying_) checkpoint();
    throw;
  }
  checkpoint();
}

void Trainer::run_epochs(BatchStream& batches, const Observer& observer, const CancelToken* cancel,
                         const std::function<void()>& checkpoint) {
  const int64_t n_batches = rows_->batches_per_epoch();
  while (cursor_.epoch < n_epochs_ && !patience_is_out()) {
    const Clock::time_point start = Clock::now();
    Clock::time_point reported = start;
    while (cursor_.batch < n_batches) {
      throw_if_cancelled(cancel);
      Batch* batch = batches.next();  // data and negatives, built ahead
      loss_sum_ += step(*batch);      // the plugin's compute and apply
      ++cursor_.batch;
      set_done(cancel, (static_cast<double>(cursor_.epoch) + static_cast<double>(cursor_.batch) / n_batches) / n_epochs_);
      const bool due = options_.checkpoint_batches > 0 && cursor_.batch % options_.checkpoint_batches == 0;
      if (due || seconds_since(checkpointed_) >= options_.checkpoint_seconds) checkpoint();
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

void Trainer::end_epoch(double seconds, const Observer& observer, const CancelToken* cancel) {
  const int64_t epoch = cursor_.epoch + 1;
  TrainingEvent done = event(REC_EVENT_EPOCH);
  done.train_seconds = seconds;
  const Clock::time_point start = Clock::now();
  std::shared_ptr<const Model> now;
  try {
    now = snapshot(*live_, params_, catalog_, {});
  } catch (Error& error) {
    if (error.status == REC_NUMERIC) error.message += cat(" after epoch ", epoch);
    throw;
  }
  EpochRecord record{epoch, {}};
  if (evaluation_ != nullptr && (epoch % params_->integer("eval_every") == 0 || epoch == n_epochs_)) {
    const Report report = evaluation_->run(*make_scorer(now), *pool_, cancel);
    done.metric_names = report.names;
    done.metric_values = record.metrics = report.means;
  }
  done.eval_seconds = seconds_since(start);

  // Nothing above changed this object, so a cancelled evaluation is repeated by the next run.
  const std::vector<double>& best = best_epoch_.metrics;
  const bool evaluated = !record.metrics.empty();
  const auto better = [&](double now_is, double was) {
    if (std::isnan(was)) return !std::isnan(now_is);
    return lower_is_better(metrics_[main_metric_].metric) ? now_is < was : now_is > was;
  };
  done.is_best =
      evaluated ? best.empty() || better(record.metrics[main_metric_], best[main_metric_]) : evaluation_ == nullptr;
  if (done.is_best) best_epoch_ = record;
  last_epoch_ = std::move(record);
  if (evaluated) stale_ = done.is_best ? 0 : stale_ + 1;
  cursor_ = {cursor_.epoch + 1, 0};
  loss_sum_ = 0;
  auto finished = std::make_shared<Model>(*now);
  finished->info = info(last_epoch_);
  last_ = finished;
  if (done.is_best) best_ = last_;
  observer(done);
}

bool Trainer::patience_is_out() const {
  const int64_t patience = params_->integer("patience");
  return patience > 0 && stale_ >= patience;
}

std::shared_ptr<const Model> Trainer::model(int32_t which, const CancelToken*) {
  if (which != REC_MODEL_BEST && which != REC_MODEL_LAST)
    throw invalid_argument("which", "must be REC_MODEL_BEST (0) or REC_MODEL_LAST (1), got ", which);
  const std::shared_ptr<const Model>& wanted = which == REC_MODEL_BEST && best_ != nullptr ? best_ : last_;
  if (wanted == nullptr) throw Error(REC_BAD_STATE, "trainer: no epoch is finished yet, so there is no model");
  return wanted;
}

TrainingEvent Trainer::event(int32_t kind) const {
  TrainingEvent event;
  event.kind = kind;
  event.epoch = cursor_.epoch + 1;
  event.n_epochs = n_epochs_;
  event.batch = cursor_.batch;
  event.n_batches = rows_->batches_per_epoch();
  const bool has_loss = batch_plan_.rows != REC_PLAN_ITEMS && cursor_.batch > 0;
  event.loss = has_loss ? loss_sum_ / static_cast<double>(cursor_.batch) : std::nan("");
  return event;
}

// What of a model goes into its file: no clock, no path, so that equal runs give equal files.
Json Trainer::info(const EpochRecord& record) const {
  Json metrics = Json::object();
  for (size_t i = 0; i < record.metrics.size(); ++i)
    metrics[metrics_[i].name + options_.protocol.suffix()] = record.metrics[i];
  return {{"parameters", params_json_},
          {"plugin_version", plugin_.table->version},
          {"epoch", record.epoch},
          {"seed", params_->integer("seed")},
          {"valid_metrics", std::move(metrics)},
          {"data_hash", data_hash_},
          {"n_train", n_train_rows_},
          {"library_version", REC_VERSION}};
}

}  // namespace rec
