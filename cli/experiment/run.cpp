#include "cli/experiment/run.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "cli/output_file.h"

namespace rec::cli {

namespace {

constexpr rec_status_t kStop = REC_CANCELLED;  // what on_event returns to end training early

rec_trainer_options_t trainer_options(const Experiment& experiment) {
  auto given = initialized<rec_trainer_options_t>(rec_trainer_options_init);
  given.metrics = experiment.metrics.empty() ? nullptr : experiment.metrics.c_str();
  given.main_metric = experiment.main_metric.empty() ? nullptr : experiment.main_metric.c_str();
  given.isolation = read_isolation(experiment.isolation);
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
void check_distinct(const std::string& out, const std::string& checkpoint, const std::string& report,
                    const std::string& rows, const std::string& config) {
  namespace fs = std::filesystem;
  struct Output {
    const char *argument, *what;
    std::string path;
  };
  std::vector<Output> outputs;
  for (const auto& [argument, what, path] :
       {Output{"out", "--out", out},
        {"checkpoint", "--checkpoint", checkpoint},
        {"checkpoint", "the previous --checkpoint", checkpoint.empty() ? "" : checkpoint + ".prev"},
        {"report", "--report", report},
        {"rows", "output.rows", rows},
        {"dump-config", "the experiment", config}})
    if (!path.empty()) outputs.push_back({argument, what, path});
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

// Whether a report calls a metric so: the protocol may have added its suffix, as in "hit@10[uni99]".
bool is_name_of(const std::string& name, const std::string& metric) {
  return name == metric || name.starts_with(metric + "[");
}

// ReChorus's rule: of the last n values none is above the first of them, or n epochs have passed since the best.
class StopRule {
 public:
  explicit StopRule(const EarlyStop& given) : n_(given.rule == "rechorus" ? given.epochs : 0) {
    constexpr Choice kRules[] = {{"patience", 0}, {"rechorus", 1}};
    pick("early_stop", given.rule, kRules);
    if (given.epochs < 0)
      throw usage_error("early_stop_epochs", "must be at least 0, got " + std::to_string(given.epochs));
  }

  // value: of the main metric, larger is better.
  bool ends(double value) {
    values_.push_back(value);
    const int64_t n = std::ssize(values_);
    if (n_ == 0) return false;
    const auto last = values_.end() - std::min(n_, n);
    const bool no_gain = n > n_ && std::all_of(last, values_.end(), [&](double x) { return x <= *last; });
    return no_gain || n - (std::max_element(values_.begin(), values_.end()) - values_.begin()) > n_;
  }

 private:
  int64_t n_;
  std::vector<double> values_;
};

class Run {
 public:
  Run(const Experiment& experiment, Listener& listener, Context& context, SharedData* shared)
      : experiment_(experiment),
        listener_(listener),
        context_(context),
        shared_(shared),
        stop_(experiment.early_stop) {}

  TrainingSummary operator()();
  int64_t check();  // returns the seed

 private:
  using Clock = std::chrono::steady_clock;

  void check_outputs();
  void check_is_no_input(const char* argument, const std::string& path) const;
  void check_files() const;
  void prepare();
  void make_trainer();
  void warm_start();
  void check_model() const;
  void train();
  rec_protocol_t read_protocol() const;
  void remove_checkpoints() const;
  void save(int32_t which);
  void save_cancelled(Failure failure);
  bool has_rows(const char* part) const { return data_->dataset != nullptr && data_->description[part] > 0; }
  Evaluation measure(Moment moment, const Model& model, int32_t part, const std::string& metrics);
  void measure_file(const std::string& path);
  Evaluation measure_part(Moment moment, const std::string& name, const Model& model, const Dataset& dataset,
                          const std::string& metrics, const rec_protocol_t& protocol);
  void write_page();
  rec_status_t on_event(const rec_event_t& event);

  const Experiment& experiment_;
  Listener& listener_;
  Context& context_;
  SharedData* shared_;
  StopRule stop_;
  std::string checkpoint_, params_;
  std::shared_ptr<const SplitData> data_ = std::make_shared<SplitData>();
  Trainer trainer_;
  Model model_;
  TrainingSummary summary_;
  int64_t seed_ = 1;
  bool stopped_early_ = false, given_up_ = false;
};

void Run::check_outputs() {
  if (experiment_.out.empty()) return;
  check_output("out", experiment_.out);
  checkpoint_ = experiment_.checkpoint.empty() ? experiment_.out + ".ckpt" : experiment_.checkpoint;
  check_output("checkpoint", checkpoint_);
  std::error_code code;
  // As the library does: the link stays, and the files that are removed at the end are its target's.
  if (std::filesystem::is_symlink(checkpoint_, code))
    if (const auto target = std::filesystem::canonical(checkpoint_, code); !code) checkpoint_ = target.string();
  check_is_no_input("out", experiment_.out);
  check_is_no_input("checkpoint", checkpoint_);
}

void Run::check_is_no_input(const char* argument, const std::string& path) const {
  const DataOptions& data = experiment_.data;
  std::vector<std::string> inputs = {data.path, data.valid.value_or(""), data.test.value_or(""),
                                     experiment_.train ? "" : experiment_.out};
  inputs.insert(inputs.end(), experiment_.files.begin(), experiment_.files.end());
  for (const std::string& model : experiment_.warm_start)
    if (path != experiment_.out) inputs.push_back(model);  // a training may go on from the model that it replaces
  cli::check_is_no_input(argument, path, inputs);
}

void Run::check_files() const {
  std::error_code none;
  if (!experiment_.files.empty() && experiment_.final_metrics.empty())
    throw usage_error("files", "are given without metrics to measure");
  for (const std::string& file : experiment_.files)
    if (!std::filesystem::exists(file, none))
      throw Failure{REC_NOT_FOUND, "files: there is no file " + plain(file), "files", file, -1};
}

int64_t Run::check() {
  check_files();
  if (!experiment_.report.empty()) check_output("report", experiment_.report);
  check_is_no_input("report", experiment_.report);
  if (!experiment_.rows.empty()) {
    check_rows_path("rows", experiment_.rows);
    if (experiment_.final_metrics.empty())
      throw usage_error("rows", "evaluation.metrics says which metrics each row has, and there are none");
    check_output("rows", experiment_.rows);
    check_is_no_input("rows", experiment_.rows);
  }
  if (experiment_.train) check_outputs();
  check_distinct(experiment_.train ? experiment_.out : "", checkpoint_, experiment_.report, experiment_.rows,
                 experiment_.dump_config);
  summary_.model = experiment_.model;
  summary_.data = experiment_.data.path;
  summary_.out = experiment_.out;
  summary_.saved_best = !experiment_.saves_last;
  params_ = dump(experiment_.parameters);
  {
    const Stop::Abandonable abandonable(context_.stop);
    const rec_trainer_options_t named = trainer_options(experiment_);
    call(rec_trainer_check, experiment_.model.c_str(), params_.c_str(), &named);
    if (!experiment_.final_metrics.empty()) {
      auto in_the_end = named;
      in_the_end.metrics = experiment_.final_metrics.c_str();
      in_the_end.main_metric = nullptr;
      call(rec_trainer_check, experiment_.model.c_str(), params_.c_str(), &in_the_end);
    }
    const Json plugin = json_of(rec_plugin_describe, experiment_.model.c_str());
    summary_.model_doc = value_text(plugin["doc"]);
    for (const Json& param : plugin["parameters"])
      if (param["name"] == "seed") seed_ = param["default"];
  }
  if (experiment_.parameters.contains("seed")) seed_ = read_seed(experiment_.parameters["seed"].get<std::string>());
  if (experiment_.resume && experiment_.early_stop.rule == "rechorus")
    throw usage_error("resume", "cannot go on with early_stop: rechorus, which looks at the epochs before too");
  return seed_;
}

void Run::prepare() {
  check();
  if (!experiment_.dump_config.empty()) {
    check_is_no_input("dump-config", experiment_.dump_config);
    write_experiment(experiment_.dump_config, experiment_);
  }
  if (experiment_.data.path.empty()) {
    if (!experiment_.report.empty()) throw usage_error("report", "needs data.path");
    return;
  }
  data_ = shared_ != nullptr ? shared_->of(experiment_.data, seed_, context_)
                             : std::make_shared<SplitData>(load_split(experiment_.data, seed_, context_));
  summary_.dataset = data_->description;
  summary_.split = data_->split;
  listener_.on_data(*data_);
}

void Run::make_trainer() {
  rec_trainer_options_t given = trainer_options(experiment_);
  given.resume = experiment_.resume;
  given.checkpoint_path = checkpoint_.c_str();
  given.checkpoint_seconds = experiment_.checkpoint_seconds;
  given.checkpoint_batches = experiment_.checkpoint_batches;
  given.memory_limit_bytes = static_cast<int64_t>(experiment_.data.memory_limit);
  rec_protocol_t protocol = read_protocol();
  protocol.keep_lists = 0;
  given.protocol = &protocol;
  if (experiment_.resume && !std::filesystem::exists(checkpoint_) && !std::filesystem::exists(checkpoint_ + ".prev"))
    context_.output.note("resume: there is no checkpoint " + checkpoint_ + ", so training starts from the beginning");
  context_.output.progress(experiment_.model, 0, 0, "preparing");
  const rec_run_options_t run = context_.stop.run();
  trainer_ =
      make<Trainer>(rec_trainer_create, data_->dataset.get(), experiment_.model.c_str(), params_.c_str(), &given, &run);
}

void Run::warm_start() {
  for (const std::string& path : experiment_.warm_start) {
    const auto load = initialized<rec_load_options_t>(rec_load_options_init);
    const rec_run_options_t run = context_.stop.run();
    const auto model = make<Model>(rec_model_load, path.c_str(), &load, &run);
    try {
      call(rec_trainer_warm_start, trainer_.get(), model.get());
      listener_.on_started_from(path);
    } catch (const Failure& failure) {
      if (!experiment_.resume || failure.status != REC_BAD_STATE) throw;
      context_.output.note("resume: the checkpoint is of a training that has begun, so --warm-start is left out");
      return;
    }
  }
}

rec_protocol_t Run::read_protocol() const {
  rec_protocol_t protocol = experiment_.protocol.read();
  protocol.seed = seed_;
  return protocol;
}

TrainingSummary Run::operator()() {
  const Clock::time_point start = Clock::now();
  prepare();
  const bool has_test = has_rows("n_test");
  if (!has_test && !experiment_.rows.empty())
    throw Failure{REC_INVALID_DATA, "rows: the data have no test part, whose rows they are", "rows", {}, -1};
  if (experiment_.train) {
    make_trainer();
    if (experiment_.measures_untrained && has_test && !experiment_.resume)
      measure(Moment::kUntrained, make<Model>(rec_trainer_create_model, trainer_.get(), REC_MODEL_INITIAL, nullptr),
              REC_PART_TEST, experiment_.final_metrics);
    warm_start();
    train();
  } else {
    const rec_run_options_t run = context_.stop.run();
    model_ = make<Model>(rec_model_load, experiment_.out.c_str(), nullptr, &run);
    summary_.card = describe(model_);
    check_model();
  }
  summary_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  context_.output.clear_progress();
  listener_.on_saved(summary_);
  try {
    if (!experiment_.final_metrics.empty()) {
      if (has_rows("n_valid")) measure(Moment::kTrained, model_, REC_PART_VALID, experiment_.final_metrics);
      if (has_test) {
        const Evaluation test = measure(Moment::kTrained, model_, REC_PART_TEST, experiment_.final_metrics);
        if (!experiment_.rows.empty()) write_rows("rows", experiment_.rows, *test.rows);
      }
      for (const std::string& file : experiment_.files) measure_file(file);
    }
    if (!experiment_.report.empty()) write_page();
  } catch (Failure& failure) {
    if (failure.status == REC_CANCELLED && experiment_.train && !experiment_.out.empty())
      failure.message = std::string("cancelled before the ") +
                        (experiment_.report.empty() ? "metrics were measured" : "report was written") +
                        "; the model is saved at " + experiment_.out;
    throw;
  }
  return summary_;
}

// Of a model that is only measured.
void Run::check_model() const {
  const auto refuse = [&](const char* what, const std::string& has, const std::string& wanted) {
    throw usage_error("out", plain(experiment_.out) + " is a model of " + has + what + ", expected " + wanted);
  };
  if (summary_.card["model"] != experiment_.model) refuse("", value_text(summary_.card["model"]), experiment_.model);
  if (data_->dataset == nullptr) return;
  for (const auto& [key, what] : {std::pair("n_users", " users"), std::pair("n_items", " items")})
    if (summary_.card[key] != data_->description[key])
      refuse(what, value_text(summary_.card[key]), value_text(data_->description[key]) + " as the data have");
}

void Run::train() {
  rec_run_options_t options = context_.stop.run();
  options.user_data = this;
  options.on_event = [](const rec_event_t* event, void* self) { return static_cast<Run*>(self)->on_event(*event); };
  try {
    call(rec_trainer_run, trainer_.get(), &options);
  } catch (const Failure& failure) {
    if (failure.status != REC_CANCELLED) throw;
    if (given_up_) throw GivenUp();
    if (!stopped_early_) save_cancelled(failure);
  }
  save(experiment_.saves_last ? REC_MODEL_LAST : REC_MODEL_BEST);
  remove_checkpoints();
}

void Run::remove_checkpoints() const {
  std::error_code code;
  if (checkpoint_.empty()) return;
  std::filesystem::remove(checkpoint_, code);
  std::filesystem::remove(checkpoint_ + ".prev", code);
}

void Run::save(int32_t which) {
  model_ = make<Model>(rec_trainer_create_model, trainer_.get(), which, nullptr);
  if (!experiment_.out.empty()) call(rec_model_save, model_.get(), experiment_.out.c_str(), nullptr, nullptr);
  summary_.card = describe(model_);
}

// Always throws: what was saved is part of the message.
void Run::save_cancelled(Failure failure) {
  if (experiment_.out.empty()) throw failure;
  // A cancel inside a step or an evaluation leaves the previous checkpoint, if any.
  if (!listener_.can_resume()) remove_checkpoints();
  const std::string resume = std::filesystem::exists(checkpoint_) ? "; --resume goes on from " + checkpoint_ : "";
  try {
    save(REC_MODEL_LAST);
  } catch (const Failure& none) {
    if (none.status != REC_BAD_STATE) throw;
    failure.message = "cancelled before an epoch was finished, so no model is saved" + resume;
    throw failure;
  }
  failure.message = "cancelled; epoch " + value_text(summary_.card["epoch"]) + ", the last finished, is saved at " +
                    experiment_.out + resume;
  failure.file = experiment_.out;
  throw failure;
}

Evaluation Run::measure(Moment moment, const Model& model, int32_t part, const std::string& metrics) {
  const std::string name = part == REC_PART_TEST ? "test" : "valid";
  rec_protocol_t protocol = read_protocol();
  protocol.part = part;
  const bool says_rows = !experiment_.protocol.rows.empty() || experiment_.protocol.protocol == "given";
  if (moment == Moment::kTrained && !says_rows)  // those of the task
    protocol.rows = rows_named(value_text(summary_.card["evaluation"]["rows"]));
  return measure_part(moment, name, model, data_->dataset, metrics, protocol);
}

void Run::measure_file(const std::string& path) {
  listener_.on_reading(path);
  DataOptions given = experiment_.data;
  given.path = path;
  given.part = REC_PART_TEST;
  given.all_train = false;
  given.valid = given.test = std::nullopt;
  given.split = DataOptions().split, given.ratio = DataOptions().ratio;
  const SplitData data = load_split(given, seed_, context_);
  rec_protocol_t protocol = read_protocol();
  protocol.part = REC_PART_TEST;
  measure_part(Moment::kFile, path, model_, data.dataset, experiment_.final_metrics, protocol);
}

Evaluation Run::measure_part(Moment moment, const std::string& name, const Model& model, const Dataset& dataset,
                             const std::string& metrics, const rec_protocol_t& protocol) {
  listener_.on_measuring(name);
  context_.output.progress(experiment_.model, 0, 0, "evaluating on " + name);
  Evaluation measured = evaluate(model, dataset, metrics, protocol, experiment_.isolation, context_);
  context_.output.clear_progress();
  listener_.on_measured(moment, name, measured, protocol);
  return measured;
}

void Run::write_page() {
  // The metrics by which the library judged the epochs.
  const Json& judged = summary_.card["evaluation"];
  rec_protocol_t protocol = read_protocol();
  protocol.part = REC_PART_TEST;
  protocol.rows = rows_named(value_text(judged["rows"]));
  summary_.protocol = protocol;
  summary_.main_metric = value_text(judged["main_metric"]);
  if (data_->description["n_test"] > 0) {
    const Evaluation test = measure(Moment::kTrained, model_, REC_PART_TEST, value_text(judged["metrics"]));
    summary_.test = test.metrics;
    summary_.n_test_rows = test.n_rows;
  }
  const std::string bare = summary_.main_metric;
  const auto choose = [&](const std::string& name) {  // with the protocol's suffix
    if (is_name_of(name, bare)) summary_.main_metric = name;
  };
  for (const auto& [name, value] : summary_.card["valid_metrics"].items()) choose(name);
  for (const NamedValue& metric : summary_.test) choose(metric.name);
  summary_.popularity = popularity_plot(model_, data_->dataset, context_.stop);
  write_report(experiment_.report, summary_);
  context_.output.line("wrote " + experiment_.report);
}

rec_status_t Run::on_event(const rec_event_t& event) {
  if (event.kind != REC_EVENT_EPOCH) {
    listener_.on_progress(event);
    return REC_OK;
  }
  EpochResult epoch{event.epoch, event.loss, event.train_seconds, event.eval_seconds, {}, event.is_best != 0};
  for (int64_t i = 0; i < event.n_metrics; ++i)
    epoch.metrics.push_back({event.metric_names[i], event.metric_values[i]});
  summary_.epochs.push_back(epoch);
  listener_.on_epoch(epoch);
  if (epoch.metrics.empty()) return REC_OK;
  const auto main = std::ranges::find_if(
      epoch.metrics, [&](const NamedValue& metric) { return is_name_of(metric.name, experiment_.main_metric); });
  const NamedValue& judged = main != epoch.metrics.end() ? *main : epoch.metrics.front();
  given_up_ = !listener_.goes_on(epoch.epoch, judged);
  if (given_up_) return kStop;
  stopped_early_ = stop_.ends(is_loss(judged.name) ? -judged.value : judged.value);
  if (!stopped_early_) return REC_OK;
  listener_.on_stopped_early(epoch.epoch);
  return kStop;
}

}  // namespace

bool is_loss(const std::string& metric) {
  for (const char* name : {"logloss", "rechorus.log_loss", "mae", "rmse", "mse"})
    if (metric.substr(0, metric.find('[')) == name) return true;
  return false;
}

std::shared_ptr<const SplitData> SharedData::of(const DataOptions& options, int64_t seed, Context& context) {
  const std::lock_guard lock(mutex_);
  if (data_ == nullptr || seed_ != seed) data_ = std::make_shared<SplitData>(load_split(options, seed, context));
  seed_ = seed;
  return data_;
}

TrainingSummary run_experiment(const Experiment& experiment, Listener& listener, Context& context, SharedData* shared) {
  return Run(experiment, listener, context, shared)();
}

int64_t check_experiment(const Experiment& experiment, Context& context) {
  Listener nobody;
  return Run(experiment, nobody, context, nullptr).check();
}

void tell_done(const char* command, const Experiment& experiment, const TrainingSummary& summary, Output& output) {
  output.event({{"event", "done"},
                {"command", command},
                {"out", experiment.out},
                {"epoch", summary.card["epoch"]},
                {"epochs_run", summary.epochs.size()},
                {"valid_metrics", summary.card["valid_metrics"]},
                {"split", split_json(summary.split)},
                {"report", experiment.report.empty() ? Json() : Json(experiment.report)},
                {"seconds", summary.seconds}});
}

void TerminalListener::on_progress(const rec_event_t& event) {
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
    context_.output.progress(experiment_.model, done, total, rest);
  }
}

void TerminalListener::on_epoch(const EpochResult& epoch) {
  batch_ = 0;
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

void TerminalListener::on_stopped_early(int64_t epoch) {
  context_.output.note("stopped early, after epoch " + std::to_string(epoch));
}

void TerminalListener::on_saved(const TrainingSummary& summary) {
  if (experiment_.train)
    context_.output.line("saved " + experiment_.out + ", epoch " + value_text(summary.card["epoch"]));
}

void TerminalListener::on_measured(Moment moment, const std::string& part, const Evaluation& evaluation,
                                   const rec_protocol_t& protocol) {
  if (moment == Moment::kUntrained) context_.output.note("before the first epoch:");
  tell_metrics(evaluation, experiment_.model, part, experiment_.protocol, protocol,
               moment == Moment::kFile ? std::nullopt : split_, context_.output);
}

}  // namespace rec::cli
