#include "core/training/progress.h"

#include <cmath>
#include <limits>

namespace rec {

namespace {

// JSON has no such numbers: NaN is written as null, an infinity as its sign.
Json number(double value) {
  if (std::isnan(value)) return nullptr;
  return std::isinf(value) ? Json(value > 0 ? "+" : "-") : Json(value);
}
double to_double(const Json& value) {
  if (value.is_null()) return std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  return is_text(value, "+") ? infinity : is_text(value, "-") ? -infinity : value.get<double>();
}

// Numbers of epochs and batches: far below where counting on would overflow.
int64_t whole(const Json& value) {
  const auto number = whole_number<int64_t>(value, REC_CORRUPT_DATA);
  if (number > int64_t{1} << 52) throw Error(REC_CORRUPT_DATA, cat("the checkpoint counts to ", number));
  return number;
}

Json saved_record(const EpochRecord& record) {
  Json metrics = Json::array();
  for (double value : record.metrics) metrics.push_back(number(value));
  return {{"epoch", record.epoch}, {"metrics", std::move(metrics)}};
}

EpochRecord read_record(const Json& saved, size_t n_metrics) {
  EpochRecord record{whole(saved.at("epoch")), {}};
  for (const Json& value : saved.at("metrics")) record.metrics.push_back(to_double(value));
  if (!record.metrics.empty() && record.metrics.size() != n_metrics)
    throw Error(REC_CORRUPT_DATA,
                cat("the checkpoint has ", record.metrics.size(), " metrics of an epoch, this run has ", n_metrics));
  return record;
}

}  // namespace

bool Progress::is_better(const EpochRecord& record, const TrainingSetup& setup, bool evaluates) const {
  if (record.metrics.empty()) return !evaluates;
  if (best.metrics.empty()) return true;
  const double now = record.metrics[setup.main_metric], was = best.metrics[setup.main_metric];
  if (std::isnan(was)) return !std::isnan(now);
  return lower_is_better(setup.metrics[setup.main_metric].metric) ? now < was : now > was;
}

void Progress::end_epoch(EpochRecord record, std::shared_ptr<const Model> model, bool is_best) {
  if (!record.metrics.empty()) stale = is_best ? 0 : stale + 1;
  cursor = {record.epoch, 0};
  loss_sum = 0;
  last = std::move(record);
  last_model = std::move(model);
  if (!is_best) return;
  best = last;
  best_model = last_model;
}

Json Progress::to_json() const {
  return {{"epoch", cursor.epoch},       {"batch", cursor.batch},      {"loss_sum", number(loss_sum)},
          {"best", saved_record(best)},  {"last", saved_record(last)}, {"stale", stale},
          {"warm_started", warm_started}};
}

Progress Progress::from_json(const Json& saved, const TrainingSetup& setup, int64_t batches_per_epoch) {
  Progress progress;
  progress.cursor = {whole(saved.at("epoch")), whole(saved.at("batch"))};
  progress.loss_sum = to_double(saved.at("loss_sum"));
  progress.stale = whole(saved.at("stale"));
  progress.warm_started = saved.value("warm_started", false);
  progress.best = read_record(saved.at("best"), setup.metrics.size());
  progress.last = read_record(saved.at("last"), setup.metrics.size());
  const Cursor& cursor = progress.cursor;
  if (cursor.epoch != progress.last.epoch || cursor.epoch < 0 || cursor.batch < 0 || cursor.batch > batches_per_epoch ||
      progress.best.epoch < 0 || progress.best.epoch > cursor.epoch || progress.stale < 0)
    throw Error(REC_CORRUPT_DATA, "the checkpoint's cursor is outside this run");
  return progress;
}

}  // namespace rec
