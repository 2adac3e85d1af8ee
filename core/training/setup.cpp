#include "core/training/setup.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/plugin/loop_params.h"
#include "core/training/task.h"

namespace rec {

namespace {

Json read_params(const std::string& text) {
  Json given = text.empty() ? Json::object() : parse_json(text, "params_json");
  if (given.is_object() && is_text(given.value("sampler", Json()), "ans"))
    throw argument_error(REC_UNSUPPORTED, "sampler",
                         "ANS trains gates and adds losses, so it is a model and not a sampler; use model 'ans' "
                         "with backbone=mf or backbone=lightgcn");
  return given;
}

}  // namespace

TrainingSetup::TrainingSetup(const std::string& model, const std::string& text, TrainerOptions given)
    : plugin(PluginRegistry::instance().find(model)), options(std::move(given)) {
  const std::span<const rec_param_t> tables[] = {plugin.params(), loop_params()};
  params = std::make_shared<const Params>(parse_params(read_params(text), tables));
  params_json = params_to_json(*params, tables);
  params_json.erase("threads");
  if (params->text("device") == "cuda")
    throw argument_error(REC_DEVICE, "device",
                         "'cuda' needs librecore_cuda.so and an NVIDIA GPU, and this installation has no "
                         "librecore_cuda.so; use device=cpu");

  const Task& task = task_of(*params);
  if (options.metrics.empty()) options.metrics = task.metrics;
  metrics = parse_metrics(options.metrics);
  if (options.protocol.rows == REC_ROWS_USER && fits_rows(metrics.front(), task.rows))
    options.protocol.rows = task.rows;
  if (options.main_metric.empty()) return;
  const auto main = parse_metrics(options.main_metric);
  const auto it =
      std::find_if(metrics.begin(), metrics.end(), [&](const MetricSpec& m) { return m.name == main.front().name; });
  if (main.size() != 1 || it == metrics.end())
    throw invalid_argument("main_metric", "must be one of metrics (", options.metrics, "), got ",
                           printable(options.main_metric));
  main_metric = static_cast<size_t>(it - metrics.begin());
}

Json TrainingSetup::identity(const std::string& data_hash) const {
  Json same = params_json;
  for (const char* free : {"epochs", "patience"}) same.erase(free);
  return {{"model", plugin.name()},
          {"model_version", plugin.slots->model_version},
          {"parameters", std::move(same)},
          {"data_hash", data_hash},
          {"metrics", options.metrics},
          {"main_metric", metrics[main_metric].name},
          {"protocol", card_of(options.protocol)}};
}

Json TrainingSetup::evaluation_card() const {
  Json card = card_of(options.protocol);
  card["metrics"] = options.metrics;
  card["main_metric"] = metrics[main_metric].name;
  return card;
}

}  // namespace rec
