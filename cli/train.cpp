#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "cli/report.h"

namespace rec::cli {

namespace {

struct TrainOptions {
  std::string model, out, checkpoint, report, metrics, main_metric, isolation = "in_process";
  std::vector<std::string> set, warm_start;
  double checkpoint_seconds = 30;
  int64_t checkpoint_batches = 0;
  bool resume = false, last = false, best = false;
  ProtocolOptions protocol;
  DataOptions data;
};

rec_trainer_options_t trainer_options(const TrainOptions& options) {
  auto given = initialized<rec_trainer_options_t>(rec_trainer_options_init);
  given.metrics = options.metrics.empty() ? nullptr : options.metrics.c_str();
  given.main_metric = options.main_metric.empty() ? nullptr : options.main_metric.c_str();
  given.isolation = read_isolation(options.isolation);
  return given;
}

// Like the library's reading of an int, which accepts 7.0 and 7e0 as 7.
int64_t read_seed(const std::string& text) {
  if (const auto seed = to_int64(text)) return *seed;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc() || stop != end || std::trunc(number) != number || std::abs(number) > 0x1p53)
    throw usage_error("seed", "must be a whole number, got '" + text + "'");
  return static_cast<int64_t>(number);
}

// Called before the work, so that an output that cannot be written is reported at once.
void check_output(const std::string& argument, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw usage_error(argument, path + " is there and is no regular file");
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, code))
    throw Failure{REC_NOT_FOUND, argument + ": there is no folder " + folder.string(), argument, folder.string(), -1};
  if (::access(folder.c_str(), W_OK) != 0)
    throw Failure{REC_DENIED, argument + ": the folder " + folder.string() + " may not be written to", argument,
                  folder.string(), -1};
}

// The model, the checkpoints and the page are written one after the other, and the checkpoints are removed at the end.
void check_distinct(const std::string& out, const std::string& checkpoint, const std::string& report) {
  namespace fs = std::filesystem;
  struct Output {
    const char *argument, *what;
    std::string path;
  };
  std::vector<Output> outputs = {{"out", "--out", out},
                                 {"checkpoint", "--checkpoint", checkpoint},
                                 {"checkpoint", "the previous --checkpoint", checkpoint + ".prev"}};
  if (!report.empty()) outputs.push_back({"report", "--report", report});
  const auto same = [](const fs::path& a, const fs::path& b) {
    std::error_code none;
    const fs::path resolved = fs::weakly_canonical(fs::absolute(a, none), none);
    return (!none && resolved == fs::weakly_canonical(fs::absolute(b, none), none)) || fs::equivalent(a, b, none);
  };
  for (size_t i = 0; i < outputs.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (same(outputs[i].path, outputs[j].path))
        throw usage_error(outputs[i].argument, std::string(outputs[i].what) + " and " + outputs[j].what +
                                                   " are the same file, " + outputs[i].path);
}

class Training {
 public:
  Training(const TrainOptions& options, Context& context) : options_(options), context_(context) {}

  int run();

 private:
  using Clock = std::chrono::steady_clock;

  void prepare();
  void warm_start();
  rec_protocol_t read_protocol() const;
  void save(int32_t which);
  void save_cancelled(Failure failure);
  void tell_test_and_report();
  rec_status_t on_event(const rec_event_t& event);
  void tell_epoch(const EpochResult& epoch);

  const TrainOptions& options_;
  Context& context_;
  std::string checkpoint_;
  SplitData data_;
  Trainer trainer_;
  Model model_;
  TrainingSummary summary_;
  int64_t seed_ = 1;
  bool told_header_ = false;
  int64_t batch_ = 0, best_epoch_ = 0;
};

void Training::prepare() {
  check_output("out", options_.out);
  checkpoint_ = options_.checkpoint.empty() ? options_.out + ".ckpt" : options_.checkpoint;
  check_output("checkpoint", checkpoint_);
  std::error_code code;
  // As the library does: the link stays, and the files that are removed at the end are its target's.
  if (std::filesystem::is_symlink(checkpoint_, code))
    if (const auto target = std::filesystem::canonical(checkpoint_, code); !code) checkpoint_ = target.string();
  if (!options_.report.empty()) check_output("report", options_.report);
  check_distinct(options_.out, checkpoint_, options_.report);
  const Json params = read_params(options_.set, context_.common);
  const std::string params_text = dump(params);
  {
    const Stop::Abandonable abandonable(context_.stop);
    const rec_trainer_options_t named = trainer_options(options_);
    call(rec_trainer_check, options_.model.c_str(), params_text.c_str(), &named);
    const Json plugin = json_of(rec_plugin_describe, options_.model.c_str());
    summary_.model_doc = value_text(plugin["doc"]);
    for (const Json& param : plugin["parameters"])
      if (param["name"] == "seed") seed_ = param["default"];
  }
  if (params.contains("seed")) seed_ = read_seed(params["seed"].get<std::string>());
  data_ = load_split(options_.data, seed_, context_);

  rec_trainer_options_t given = trainer_options(options_);
  given.resume = options_.resume;
  given.checkpoint_path = checkpoint_.c_str();
  given.checkpoint_seconds = options_.checkpoint_seconds;
  given.checkpoint_batches = options_.checkpoint_batches;
  given.memory_limit_bytes = static_cast<int64_t>(options_.data.memory_limit);
  const rec_protocol_t protocol = read_protocol();
  given.protocol = &protocol;
  if (options_.resume && !std::filesystem::exists(checkpoint_) && !std::filesystem::exists(checkpoint_ + ".prev"))
    context_.output.note("resume: there is no checkpoint " + checkpoint_ + ", so training starts from the beginning");
  context_.output.progress(options_.model, 0, 0, "preparing");
  const rec_run_options_t run = context_.stop.run();
  trainer_ =
      make<Trainer>(rec_trainer_create, data_.dataset.get(), options_.model.c_str(), params_text.c_str(), &given, &run);
  warm_start();
}

void Training::warm_start() {
  for (const std::string& path : options_.warm_start) {
    const auto load = initialized<rec_load_options_t>(rec_load_options_init);
    const rec_run_options_t run = context_.stop.run();
    const auto model = make<Model>(rec_model_load, path.c_str(), &load, &run);
    try {
      call(rec_trainer_warm_start, trainer_.get(), model.get());
    } catch (const Failure& failure) {
      if (!options_.resume || failure.status != REC_BAD_STATE) throw;
      context_.output.note("resume: the checkpoint is of a training that has begun, so --warm-start is left out");
      return;
    }
  }
}

rec_protocol_t Training::read_protocol() const {
  rec_protocol_t protocol = options_.protocol.read();
  protocol.seed = seed_;
  return protocol;
}

int Training::run() {
  const Clock::time_point start = Clock::now();
  prepare();
  rec_run_options_t options = context_.stop.run();
  options.user_data = this;
  options.on_event = [](const rec_event_t* event, void* self) {
    return static_cast<Training*>(self)->on_event(*event);
  };
  try {
    call(rec_trainer_run, trainer_.get(), &options);
  } catch (const Failure& failure) {
    if (failure.status != REC_CANCELLED) throw;
    save_cancelled(failure);
  }
  save(options_.last ? REC_MODEL_LAST : REC_MODEL_BEST);
  std::error_code code;
  std::filesystem::remove(checkpoint_, code);
  std::filesystem::remove(checkpoint_ + ".prev", code);
  summary_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  context_.output.clear_progress();
  context_.output.line("saved " + options_.out + ", epoch " + value_text(summary_.card["epoch"]));
  if (!options_.report.empty()) {
    try {
      tell_test_and_report();
    } catch (Failure& failure) {
      if (failure.status == REC_CANCELLED)
        failure.message = "cancelled before the report was written; the model is saved at " + options_.out;
      throw;
    }
  }
  context_.output.event({{"event", "done"},
                         {"command", "train"},
                         {"out", options_.out},
                         {"epoch", summary_.card["epoch"]},
                         {"epochs_run", summary_.epochs.size()},
                         {"valid_metrics", summary_.card["valid_metrics"]},
                         {"split", split_json(data_.split)},
                         {"report", options_.report.empty() ? Json() : Json(options_.report)},
                         {"seconds", summary_.seconds}});
  return 0;
}

void Training::save(int32_t which) {
  model_ = make<Model>(rec_trainer_create_model, trainer_.get(), which, nullptr);
  call(rec_model_save, model_.get(), options_.out.c_str(), nullptr, nullptr);
  summary_.card = describe(model_);
}

// Always throws: what was saved is part of the message.
void Training::save_cancelled(Failure failure) {
  // A cancel inside a step or an evaluation leaves the previous checkpoint, if any.
  const std::string resume = std::filesystem::exists(checkpoint_) ? "; --resume goes on from " + checkpoint_ : "";
  try {
    save(REC_MODEL_LAST);
  } catch (const Failure& none) {
    if (none.status != REC_BAD_STATE) throw;
    failure.message = "cancelled before an epoch was finished, so no model is saved" + resume;
    throw failure;
  }
  failure.message = "cancelled; epoch " + value_text(summary_.card["epoch"]) + ", the last finished, is saved at " +
                    options_.out + resume;
  failure.file = options_.out;
  throw failure;
}

void Training::tell_test_and_report() {
  summary_.model = options_.model;
  summary_.data = options_.data.path;
  summary_.out = options_.out;
  summary_.saved_best = !options_.last;
  summary_.dataset = data_.description;
  summary_.split = data_.split;
  // The metrics by which the library judged the epochs.
  const Json& judged = summary_.card["evaluation"];
  const std::string metrics = value_text(judged["metrics"]);
  rec_protocol_t protocol = read_protocol();
  protocol.part = REC_PART_TEST;
  protocol.rows = rows_named(value_text(judged["rows"]));
  summary_.protocol = protocol;
  summary_.main_metric = value_text(judged["main_metric"]);
  context_.output.progress("report", 0, 0, "evaluating on test");
  if (data_.description["n_test"] > 0) {
    const Evaluation test = evaluate(model_, data_.dataset, metrics, protocol, options_.isolation, context_);
    summary_.test = test.metrics;
    summary_.n_test_rows = test.n_rows;
    tell_metrics(test, options_.model, "test", options_.protocol, protocol, data_.split, context_.output);
  }
  const std::string bare = summary_.main_metric;
  const auto choose = [&](const std::string& name) {  // with the protocol's suffix
    if (name.starts_with(bare + "[")) summary_.main_metric = name;
  };
  for (const auto& [name, value] : summary_.card["valid_metrics"].items()) choose(name);
  for (const NamedValue& metric : summary_.test) choose(metric.name);
  summary_.popularity = popularity_plot(model_, data_.dataset, context_.stop);
  write_report(options_.report, summary_);
  context_.output.line("wrote " + options_.report);
}

rec_status_t Training::on_event(const rec_event_t& event) {
  if (event.kind == REC_EVENT_START) {
    batch_ = event.batch;
    if (event.epoch > 1 || event.batch > 0)
      context_.output.note("resumed at epoch " + std::to_string(event.epoch) + ", batch " +
                           std::to_string(event.batch));
  } else if (event.kind == REC_EVENT_PROGRESS) {
    const int64_t done = (event.epoch - 1) * event.n_batches + event.batch, total = event.n_epochs * event.n_batches;
    const double speed = static_cast<double>(event.batch) / event.train_seconds;
    std::string rest = "epoch " + std::to_string(event.epoch) + "/" + std::to_string(event.n_epochs) + ", batch " +
                       std::to_string(event.batch) + "/" + std::to_string(event.n_batches) + ", loss " +
                       fixed(event.loss, 4);
    if (event.batch > batch_ && speed > 0)
      rest += ", at most " + seconds_text(static_cast<double>(total - done) / speed) + " to go";
    context_.output.progress(options_.model, done, total, rest);
  } else if (event.kind == REC_EVENT_EPOCH) {
    EpochResult epoch{event.epoch, event.loss, event.train_seconds, event.eval_seconds, {}, event.is_best != 0};
    for (int64_t i = 0; i < event.n_metrics; ++i)
      epoch.metrics.push_back({event.metric_names[i], event.metric_values[i]});
    batch_ = 0;
    if (epoch.is_best) best_epoch_ = epoch.epoch;
    tell_epoch(epoch);
    summary_.epochs.push_back(std::move(epoch));
  }
  return REC_OK;
}

void Training::tell_epoch(const EpochResult& epoch) {
  context_.output.event({{"event", "epoch"},
                         {"epoch", epoch.epoch},
                         {"loss", epoch.loss},
                         {"train_seconds", epoch.train_seconds},
                         {"eval_seconds", epoch.eval_seconds},
                         {"metrics", metrics_json(epoch.metrics)},
                         {"is_best", epoch.is_best}});
  if (context_.common.quiet) return;
  static constexpr size_t kWidth = 12;
  const auto cell = [](const std::string& text) {
    return "  " + std::string(kWidth - std::min(kWidth, width(text)), ' ') + text;
  };
  if (!told_header_) {
    std::string header = "epoch" + cell("loss");
    for (const NamedValue& metric : epoch.metrics) header += cell(metric.name);
    context_.output.line(header + cell("train") + cell("evaluate"));
    told_header_ = true;
  }
  std::string line = std::to_string(epoch.epoch);
  line.insert(0, 5 - std::min<size_t>(5, line.size()), ' ');
  line += cell(fixed(epoch.loss, 4));
  for (const NamedValue& metric : epoch.metrics) line += cell(fixed(metric.value, 4));
  context_.output.line(line + cell(seconds_text(epoch.train_seconds)) + cell(seconds_text(epoch.eval_seconds)) +
                       (epoch.is_best ? "  best" : ""));
}

}  // namespace

void add_train(Commands& commands) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App& app =
      commands.add("train", "Train a model and save it.",
                   "train --model lightgcn --data orchard.inter.gz --set n_layers=3 --set epochs=20 --out m.rec",
                   [options](Context& context) { return Training(*options, context).run(); });
  app.add_option("--model", options->model, "Name of a model; `recore plugins` lists them")
      ->type_name("NAME")
      ->required();
  app.add_option("--data", options->data.path,
                 "File or folder; data without parts are split 8:1:1 by user with the seed")
      ->type_name("PATH")
      ->required();
  app.add_flag_callback(
      "--all", [options] { options->data.part = REC_PART_TRAIN; }, "Train on every row, without a split");
  app.add_option("--out", options->out, "Model file to write")->type_name("FILE")->required();
  app.add_option("--set", options->set, "A parameter; `recore plugins NAME` lists them; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--metrics", options->metrics,
                 "Evaluated on valid after each epoch [ndcg@20,recall@20, or what the task is judged by]")
      ->type_name("LIST");
  app.add_option("--main-metric", options->main_metric, "Decides the best epoch [the first of --metrics]")
      ->type_name("NAME");
  add_protocol_options(app, options->protocol);
  app.add_option("--warm-start", options->warm_start,
                 "Model file to start from, trained on the same data; may be given several times")
      ->type_name("FILE")
      ->allow_extra_args(false);
  CLI::Option* best = app.add_flag("--best", options->best, "Save the epoch with the best main metric; the default");
  app.add_flag("--last", options->last, "Save the last epoch")->excludes(best);
  app.add_option("--report", options->report, "Write a page about the run, and evaluate the test part for it")
      ->type_name("PAGE.html");
  app.add_flag("--resume", options->resume, "Go on from the checkpoint when there is one");
  app.add_option("--checkpoint", options->checkpoint, "Checkpoint file [OUT.ckpt]; removed once the model is saved")
      ->type_name("FILE");
  app.add_option("--checkpoint-seconds", options->checkpoint_seconds, "Least time between two checkpoints")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--checkpoint-batches", options->checkpoint_batches,
                 "Also write a checkpoint after this number of batches; 0 = do not")
      ->type_name("N")
      ->capture_default_str();
  add_isolation(app, options->isolation);
  add_memory_limit(app, options->data.memory_limit);
  add_data_options(app, options->data);
}

}  // namespace rec::cli
