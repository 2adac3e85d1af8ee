#include "core/worker/worker.h"

#include "core/worker/worker_process.h"

namespace rec {

namespace {

MemoryFile share_model(const Model& model) {
  return MemoryFile::write("recore model", [&](FileWriter& out) { write_model(out, model, true); });
}

constexpr double kSecondsToDescribe = 120;  // most of them for loading a runtime
constexpr double kSecondsToStart = 600;     // from another model, which may be large

class WorkerTraining : public Training {
 public:
  WorkerTraining(const Dataset& dataset, const std::string& model, const std::string& params_json,
                 const TrainerOptions& options, const CancelToken* cancel)
      : model_(model),
        n_users_(dataset.n_users()),
        n_items_(dataset.n_items()),
        process_(model, cat("training of '", model, "'")) {
    const MemoryFile data = share_dataset(dataset);
    process_.call({{"call", "create"}, {"model", model}, {"params", params_json}, {"options", options}}, {&data}, {},
                  cancel);
  }

  void warm_start(const Model& from) override {
    const MemoryFile file = share_model(from);
    process_.call({{"call", "warm_start"}}, {&file}, {}, nullptr, kSecondsToStart);
  }

  void run(const Observer& observer, const CancelToken* cancel) override {
    process_.call({{"call", "run"}}, {}, observer, cancel);
  }

  std::shared_ptr<const Model> model(int32_t which, const CancelToken* cancel) override {
    const Message answer = process_.call({{"call", "model"}, {"which", which}}, {}, {}, cancel);
    return read_answer(model_, [&] {
      auto trained = load_model_over(answer.files.at(0).map(), PluginOpening::kLater);
      if (trained->name != model_ || trained->n_users() != n_users_ || trained->n_items() != n_items_)
        throw Error(REC_PLUGIN_FAILED, "it is the model of another training");
      return trained;
    });
  }

 private:
  const std::string model_;
  const int64_t n_users_, n_items_;
  WorkerProcess process_;
};

}  // namespace

bool wants_worker(int32_t isolation, const std::string& model) {
  switch (isolation) {
    case REC_ISOLATION_IN_PROCESS: return false;
    case REC_ISOLATION_PROCESS: return true;
    case REC_ISOLATION_AUTO: return !PluginRegistry::instance().locate(model).runtime.empty();
    default: throw invalid_argument("isolation", "must be between 0 and ", REC_ISOLATION_PROCESS, ", got ", isolation);
  }
}

std::unique_ptr<Training> train_in_worker(const Dataset& dataset, const std::string& model,
                                          const std::string& params_json, const TrainerOptions& options,
                                          const CancelToken* cancel) {
  return std::make_unique<WorkerTraining>(dataset, model, params_json, options, cancel);
}

void check_in_worker(const std::string& model, const std::string& params_json, const TrainerOptions& options) {
  WorkerProcess process(model, cat("the check of '", model, "'"));
  process.call({{"call", "check"}, {"model", model}, {"params", params_json}, {"options", options}}, {}, {}, nullptr,
               kSecondsToDescribe);
}

std::shared_ptr<const Report> evaluate_in_worker(const Model& model, const Dataset& dataset, const std::string& metrics,
                                                 const Protocol& protocol, int32_t threads, const CancelToken* cancel) {
  std::vector<std::string> names;
  for (const MetricSpec& metric : parse_metrics(metrics)) names.push_back(metric.name + protocol.suffix());
  WorkerProcess process(model.name, cat("evaluation of '", model.name, "'"));
  const MemoryFile file = share_model(model), data = share_dataset(dataset);
  const Message answer =
      process.call({{"call", "evaluate"}, {"metrics", metrics}, {"protocol", protocol}, {"threads", threads}},
                   {&file, &data}, {}, cancel);
  return read_answer(model.name, [&] {
    return shared_report(answer.files.at(0), names,
                         {model.n_users(), model.n_items(), dataset.n(), protocol.keep_lists});
  });
}

std::string describe_in_worker(const std::string& model) {
  WorkerProcess process(model, cat("the description of '", model, "'"));
  const Message answer = process.call({{"call", "describe"}, {"model", model}}, {}, {}, nullptr, kSecondsToDescribe);
  return read_answer(model, [&] { return answer.body.at("text").get<std::string>(); });
}

}  // namespace rec
