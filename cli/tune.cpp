#include <atomic>
#include <filesystem>
#include <thread>

#include "cli/experiment/run.h"
#include "cli/experiment/space.h"

namespace rec::cli {

namespace {

struct TuneOptions {
  std::string config, space_file, sampler = "tpe", pruner = "none", journal, out, report;
  std::vector<std::string> space, set;
  int64_t trials = 0, parallel = 1, min_epochs = 0;
};

constexpr Choice kSamplers[] = {{"tpe", REC_SAMPLER_TPE}, {"random", REC_SAMPLER_RANDOM}, {"grid", REC_SAMPLER_GRID}};
constexpr Choice kPruners[] = {
    {"none", REC_PRUNER_NONE}, {"median", REC_PRUNER_MEDIAN}, {"halving", REC_PRUNER_HALVING}};

struct Trial {
  int64_t number;
  Json parameters;
};

// How a trial ended.
struct Outcome {
  int32_t state = REC_TRIAL_FAILED;
  double value = 0;
  std::string message;
  int64_t epochs = 0;
  double seconds = 0;
};

std::string text_of(const Json& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters.items())
    text += (text.empty() ? "" : " ") + name + "=" + value_text(value);
  return text;
}

// The library reads a value's text as the type of its parameter.
void set_parameters(const Json& values, Experiment& experiment) {
  for (const auto& [name, value] : values.items()) experiment.parameters[name] = value_text(value);
}

// Reports a trial's epochs. What the tuner cannot take ends the search; a callback of the library must not throw it.
class TrialListener : public Listener {
 public:
  TrialListener(rec_tuner_t* tuner, int64_t trial, bool minimizes, bool takes_last)
      : tuner_(tuner), trial_(trial), minimizes_(minimizes), takes_last_(takes_last) {}

  void on_epoch(const EpochResult& epoch) override { epochs_ = epoch.epoch; }
  bool goes_on(int64_t epoch, const NamedValue& main) override {
    if (!value_ || takes_last_ || (minimizes_ ? main.value < *value_ : main.value > *value_)) value_ = main.value;
    int32_t prune = 0;
    try {
      call(rec_tuner_report, tuner_, trial_, epoch, main.value, &prune);
    } catch (const Failure& failure) {
      failure_ = failure;
    }
    return prune == 0 && !failure_;
  }

  int64_t epochs() const { return epochs_; }
  const std::optional<double>& value() const { return value_; }  // of the epoch whose model is kept
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  rec_tuner_t* tuner_;
  int64_t trial_;
  bool minimizes_, takes_last_;
  int64_t epochs_ = 0;
  std::optional<double> value_;
  std::optional<Failure> failure_;
};

// Runs the trials of a tuner, those of a round beside each other.
class Search {
 public:
  Search(Experiment experiment, bool minimizes, int64_t n_threads, int64_t parallel, SharedData* data, Tuner tuner,
         Context& context)
      : experiment_(std::move(experiment)),
        minimizes_(minimizes),
        n_workers_(std::min(n_threads, parallel)),
        data_(data),
        tuner_(std::move(tuner)),
        context_(context) {
    experiment_.out = experiment_.report = experiment_.checkpoint = experiment_.final_metrics = "";
    experiment_.files.clear();
    experiment_.measures_untrained = false;
    experiment_.parameters["threads"] = std::to_string(std::max<int64_t>(1, n_threads / n_workers_));
  }

  Json operator()() {
    for (std::vector<Trial> round = ask(); !round.empty(); round = ask()) run(round);
    return json_of(rec_tuner_describe, tuner_.get());
  }

 private:
  // What can be run now, up to the end of a round; empty when there is no more.
  std::vector<Trial> ask() {
    std::vector<Trial> round;
    try {
      while (true) {
        int64_t number = 0;
        const Json parameters = json_of(rec_tuner_ask, tuner_.get(), &number);
        if (number < 0) return round;
        round.push_back({number, parameters});
      }
    } catch (const Failure& failure) {
      if (failure.status != REC_BAD_STATE || round.empty()) throw;  // else the next one is of the next round
      return round;
    }
  }

  void run(const std::vector<Trial>& round) {
    std::atomic<size_t> next{0};
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&] {
      try {
        for (size_t i = next++; i < round.size(); i = next++) run(round[i]);
      } catch (...) {
        next = round.size();
        const std::lock_guard lock(mutex);
        if (failure == nullptr) failure = std::current_exception();
      }
    };
    std::vector<std::thread> others;
    for (int64_t i = 1; i < std::min(n_workers_, std::ssize(round)); ++i) others.emplace_back(work);
    work();
    for (std::thread& thread : others) thread.join();
    if (failure != nullptr) std::rethrow_exception(failure);
  }

  void run(const Trial& trial) {
    const auto start = std::chrono::steady_clock::now();
    Outcome outcome = outcome_of(trial);
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    call(rec_tuner_tell, tuner_.get(), trial.number, outcome.state, outcome.value, outcome.message.c_str());
    tell(trial, outcome);
  }

  Outcome outcome_of(const Trial& trial) {
    Experiment experiment = experiment_;
    set_parameters(trial.parameters, experiment);
    TrialListener listener(tuner_.get(), trial.number, minimizes_, experiment.saves_last);
    Output silent(false, true);
    Context context{context_.common, silent, context_.stop};
    Outcome outcome;
    try {
      run_experiment(experiment, listener, context, data_);
      outcome.state = listener.value() ? REC_TRIAL_COMPLETE : REC_TRIAL_FAILED;
      outcome.value = listener.value().value_or(0);
      if (!listener.value()) outcome.message = "no epoch was evaluated: trials are compared on the valid part";
    } catch (const GivenUp&) {
      if (listener.failure()) throw Failure(*listener.failure());
      outcome.state = REC_TRIAL_PRUNED;
    } catch (const Failure& failure) {
      if (failure.status == REC_CANCELLED) throw;
      outcome.message = failure.message;
    }
    outcome.epochs = listener.epochs();
    return outcome;
  }

  void tell(const Trial& trial, const Outcome& outcome) {
    constexpr const char* kStates[] = {"running", "complete", "pruned", "failed"};
    const bool is_complete = outcome.state == REC_TRIAL_COMPLETE;
    context_.output.event({{"event", "trial"},
                           {"trial", trial.number},
                           {"parameters", trial.parameters},
                           {"state", kStates[outcome.state]},
                           {"value", is_complete ? Json(outcome.value) : Json()},
                           {"epochs", outcome.epochs},
                           {"seconds", outcome.seconds},
                           {"message", outcome.message.empty() ? Json() : Json(outcome.message)}});
    context_.output.note("trial " + std::to_string(trial.number) + ", " + text_of(trial.parameters) + ": " +
                         kStates[outcome.state] + (is_complete ? ", " + fixed(outcome.value, 4) : "") +
                         (outcome.message.empty() ? "" : ", " + outcome.message));
  }

  Experiment experiment_;
  bool minimizes_;
  int64_t n_workers_;
  SharedData* data_;  // nullable
  Tuner tuner_;
  Context& context_;
};

std::string main_metric_of(const Experiment& experiment) {
  if (!experiment.main_metric.empty()) return experiment.main_metric;
  return experiment.metrics.empty() ? "value" : experiment.metrics.substr(0, experiment.metrics.find(','));
}

void tell_table(const Json& table, const std::string& metric, Output& output) {
  Json event = {{"event", "table"}};
  event.update(table);
  output.event(event);
  std::vector<std::string> header{"trial"};
  for (const auto& [name, values] : table["space"].items()) header.push_back(name);
  for (const char* name : {"state", "epochs"}) header.emplace_back(name);
  header.push_back(metric);
  header.emplace_back("");
  Table rows(header);
  rows.right(0).right(header.size() - 3).right(header.size() - 2);
  for (const Json& trial : table["trials"]) {
    std::vector<std::string> row{value_text(trial["trial"])};
    for (const auto& [name, value] : trial["parameters"].items()) row.push_back(plain(value_text(value)));
    row.push_back(value_text(trial["state"]));
    row.push_back(trial["values"].empty() ? "0" : value_text(trial["values"].back()[0]));
    row.push_back(fixed(trial["value"], 4));
    row.push_back(trial["trial"] == table["best"] ? "best" : "");
    rows.add(row);
  }
  output.line(rows.text());
}

const Json& best_of(const Json& table) {
  if (!table["best"].is_null()) return table["trials"][table["best"].get<size_t>()];
  std::string why;
  for (const Json& trial : table["trials"])
    if (why.empty() && !trial["message"].is_null())
      why = ", trial " + value_text(trial["trial"]) + " because of this: " + trial["message"].get<std::string>();
  throw Failure{
      REC_INVALID_DATA, "no trial is complete, so there is no best one; they failed or were pruned" + why, {}, {}, -1};
}

Json read_space(const TuneOptions& options) {
  Json space = Json::object();
  if (!options.space_file.empty()) add_space_file(options.space_file, space);
  for (const std::string& words : options.space) add_to_space(words, space);
  if (space.empty()) throw usage_error("space", "is not given: what the trials differ in");
  return space;
}

// One value of each parameter, so that a name or a bound that is wrong is found before anything is run.
void set_first_values(const Json& space, const char* end, Experiment& experiment) {
  for (const auto& [name, values] : space.items())
    if (!values.empty())
      experiment.parameters[name] =
          value_text(values.is_array() ? (end[0] == 'l' ? values.front() : values.back()) : values.value(end, Json()));
}

Tuner make_tuner(const TuneOptions& options, const std::string& journal, const Json& space, bool minimizes,
                 int64_t seed) {
  auto given = initialized<rec_tuner_options_t>(rec_tuner_options_init);
  given.sampler = pick("sampler", options.sampler, kSamplers);
  given.pruner = pick("pruner", options.pruner, kPruners);
  given.minimize = minimizes;
  given.seed = seed;
  given.n_trials = options.trials;
  given.parallel = options.parallel;
  given.min_epochs = options.min_epochs;
  given.journal_path = journal.c_str();
  return make<Tuner>(rec_tuner_create, dump(space).c_str(), &given);
}

void check_journal(const std::string& journal, const Experiment& experiment) {
  namespace fs = std::filesystem;
  std::error_code none;
  const auto resolved = [&](const std::string& path) { return fs::weakly_canonical(fs::absolute(path, none), none); };
  for (const std::string& other : {experiment.out, experiment.report})
    if (!journal.empty() && !other.empty() && resolved(journal) == resolved(other))
      throw usage_error("journal", "is the file to write, " + plain(other));
}

Json table_of(Search& search, const std::string& journal) {
  try {
    return search();
  } catch (Failure& failure) {
    if (failure.status == REC_CANCELLED && !journal.empty())
      failure.message = "cancelled; the same command goes on from " + journal;
    throw;
  }
}

// The run of the best trial for its model, which is not resumed.
struct BestListener : TerminalListener {
  using TerminalListener::TerminalListener;
  bool can_resume() const override { return false; }
};

int tune(const TuneOptions& options, Context& context) {
  if (options.config.empty()) throw usage_error("config", "is not given: the YAML file of an experiment");
  Experiment experiment = read_experiment(options.config, options.set);
  if (!experiment.train) throw usage_error("config", "training.enabled is false, and trials are trained");
  if (!options.out.empty()) experiment.out = options.out;
  if (!options.report.empty()) experiment.report = options.report;
  const Json space = read_space(options);
  if (context.common.seed) experiment.parameters["seed"] = std::to_string(*context.common.seed);
  if (context.common.threads > 0) experiment.parameters["threads"] = std::to_string(context.common.threads);
  const Json parameters = experiment.parameters;
  const auto number = [&](const char* name) {
    return parameters.contains(name) ? to_int64(parameters[name].get<std::string>()).value_or(0) : 0;
  };
  int64_t n_threads = number("threads");
  if (n_threads <= 0) n_threads = std::max<int64_t>(1, std::thread::hardware_concurrency());
  const bool minimizes = is_loss(main_metric_of(experiment));

  make_tuner(options, "", space, minimizes, number("seed"));  // what is wrong with it leaves no journal
  int64_t split_seed = 0;
  for (const char* end : {"high", "low"}) {
    set_first_values(space, end, experiment);
    split_seed = check_experiment(experiment, context);
  }
  experiment.parameters = parameters;
  check_journal(options.journal, experiment);
  SharedData data;
  SharedData* const shared = space.contains("seed") ? nullptr : &data;
  if (shared != nullptr && shared->of(experiment.data, split_seed, context)->description["n_valid"] == 0)
    throw Failure{REC_INVALID_DATA, "data: have no valid part, on which trials are compared", "data", {}, -1};
  Search search(experiment, minimizes, n_threads, options.parallel, shared,
                make_tuner(options, options.journal, space, minimizes, number("seed")), context);
  const Json table = table_of(search, options.journal);
  tell_table(table, main_metric_of(experiment), context.output);
  const Json& best = best_of(table);
  context.output.note("trial " + value_text(best["trial"]) + " is trained again, for its model");
  set_parameters(best["parameters"], experiment);
  BestListener listener(experiment, context);
  tell_done("tune", experiment, run_experiment(experiment, listener, context, shared), context.output);
  return 0;
}

}  // namespace

void add_tune(Commands& commands) {
  auto options = std::make_shared<TuneOptions>();
  CLI::App& app = commands.add("tune", "Search for the parameters of an experiment that a file describes.",
                               "tune first.yaml --space lr=0.001..0.1 --space emb_size=8,16 --trials 4",
                               [options](Context& context) { return tune(*options, context); });
  app.add_option("config", options->config, "YAML file, as of `recore run`")->type_name("FILE");
  app.add_option("--space", options->space,
                 "What is tried of a parameter: NAME=LOW..HIGH, with ' log' behind it for a logarithmic range, or "
                 "NAME=VALUE,VALUE,..; may be given several times")
      ->type_name("NAME=VALUES")
      ->allow_extra_args(false);
  app.add_option("--space-file", options->space_file, "A file whose section tune: says the same")
      ->type_name("FILE.yaml");
  app.add_option("--sampler", options->sampler, "tpe, random, or grid: every combination")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--pruner", options->pruner, "none, median or halving: ends trials that fall behind others")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--trials", options->trials, "How many [50; of a grid, all]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  app.add_option("--parallel", options->parallel, "Trials that run at a time; they share --threads")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--min-epochs", options->min_epochs, "No trial is pruned before this epoch [1]")->type_name("N");
  app.add_option("--journal", options->journal,
                 "Keeps what is known, so that the same command goes on where it was stopped")
      ->type_name("FILE");
  app.add_option("--set", options->set, "A key of the experiment with another value; may be given several times")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--out", options->out, "Model file of the best trial [output.model]")->type_name("FILE");
  app.add_option("--report", options->report, "Write a page about the best trial [output.report]")
      ->type_name("PAGE.html");
}

}  // namespace rec::cli
