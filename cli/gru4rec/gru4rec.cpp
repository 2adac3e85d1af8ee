// `recore gru4rec`: the command line of the GRU4Rec authors' run.py as an experiment. It has no numbers of its own.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/experiment/run.h"
#include "cli/gru4rec/parameters.h"

namespace rec::cli::gru4rec {

namespace {

constexpr const char* kUsage =
    "usage: recore gru4rec [-h] [-ps PARAM_STRING] [-pf PARAM_PATH] [-l] [-s MODEL_PATH] [-t TEST_PATH [TEST_PATH "
    "...]]\n"
    "                      [-m AT [AT ...]] [-e EVAL_TYPE] [-ss SS] [--sample_store_on_cpu] [-g GRFILE] [-d D] [-ik "
    "IK]\n"
    "                      [-sk SK] [-tk TK] [-pm METRIC] [-lpm] [--dump_config FILE.yaml]\n"
    "                      PATH";

constexpr const char* kHelp = R"(
PATH                          TAB-separated training data; with -l, a model file of Recore
-ps, --parameter_string       training parameters, NAME=VALUE by comma; a list as 100/200
-pf, --parameter_file         a file with gru4rec_params = OrderedDict([...]) of plain values, which is never run
-l,  --load_model             measure the model at PATH; exactly one of -ps, -pf and -l is wanted
-s,  --save_model             model file to write [none]
-t,  --test                   files of test sessions [none]
-m,  --measure                cut-offs of recall and MRR [20]
-e,  --eval_type              standard, conservative or median: how equal scores rank [standard]
-ik, --item_key               column of the items [ItemId]
-sk, --session_key            column of the sessions [SessionId]
-tk, --time_key               column of the times [Time]
-pm, --primary_metric         recall or mrr [recall]
-lpm, --log_primary_metric    print the primary metric at the first cut-off
-ss, --sample_store_size, --sample_store_on_cpu, -d, --device, -g, --gru4rec_model   have no effect
--dump_config                 write the experiment, which `recore run` runs
)";

constexpr argparse::Option kOptions[] = {
    {"-h", "--help", 'b'},
    {"-ps", "--parameter_string", 's'},
    {"-pf", "--parameter_file", 's'},
    {"-l", "--load_model", 'b'},
    {"-s", "--save_model", 's'},
    {"-t", "--test", 's', true},
    {"-m", "--measure", 'i', true},
    {"-e", "--eval_type", 's', false, "standard conservative median"},
    {"-ss", "--sample_store_size", 'i'},
    {"", "--sample_store_on_cpu", 'b', false, "", true},
    {"-g", "--gru4rec_model", 's'},
    {"-d", "--device", 's'},
    {"-ik", "--item_key", 's'},
    {"-sk", "--session_key", 's'},
    {"-tk", "--time_key", 's'},
    {"-pm", "--primary_metric", 's', false, "recall mrr"},
    {"-lpm", "--log_primary_metric", 'b'},
    {"", "--dump_config", 's', false, "", true},
};

void line(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

Failure refused(const std::string& flag, const std::string& why) { return usage_error("--" + flag, why); }

struct Options {
  explicit Options(const argparse::Arguments& given) {
    const auto text = [&](const char* name, const char* usual) {
      return given.has(name) ? given.text(name) : std::string(usual);
    };
    path = given.positional.at(0);
    loads = given.has("--load_model");
    save = text("--save_model", "");
    if (given.has("--test")) tests = given.options.at("--test");
    if (given.has("--measure")) cutoffs.clear();
    for (const std::string& k : given.has("--measure") ? given.options.at("--measure") : std::vector<std::string>()) {
      cutoffs.push_back(*argparse::to_int(k));
      if (cutoffs.back() < 1) throw refused("measure", "must be at least 1, got " + k);
    }
    eval_type = text("--eval_type", "standard");
    item_key = text("--item_key", "ItemId");
    session_key = text("--session_key", "SessionId");
    time_key = text("--time_key", "Time");
    primary = text("--primary_metric", "recall");
    tells_primary = given.has("--log_primary_metric");
    dump_config = text("--dump_config", "");
  }
  // As in the names of our metrics.
  std::string ties() const { return eval_type == "standard" ? "" : "[" + eval_type + "]"; }

  std::string path, save, eval_type, item_key, session_key, time_key, primary, dump_config;
  std::vector<std::string> tests;
  std::vector<int64_t> cutoffs = {20};
  bool loads, tells_primary;
};

// Throws for a file that is not there or has no such columns, which would show only after hours of training.
void check_data(const Options& options, const char* argument, const std::string& path) {
  std::error_code none;
  if (path.ends_with(".pickle"))
    throw refused(argument, plain(path) + " is a pickle, which is code; write the table as TAB-separated text");
  if (!std::filesystem::exists(path, none))
    throw Failure{REC_NOT_FOUND, std::string("--") + argument + ": there is no file " + plain(path), argument, path,
                  -1};
  if (std::filesystem::is_directory(path, none)) throw refused(argument, plain(path) + " is a folder");
  std::ifstream file(path, std::ios::binary);
  std::string header(size_t{1} << 16, '\0');
  file.read(header.data(), std::ssize(header));
  header.resize(static_cast<size_t>(file.gcount()));
  if (header.starts_with("\x1f\x8b")) return;  // compressed: the library reads it
  if (header.starts_with("\xef\xbb\xbf")) header.erase(0, 3);
  header.erase(std::min(header.find_first_of("\r\n"), header.size()));
  const std::vector<std::string> columns = split(header, '\t');
  for (const auto& [flag, key] : {std::pair("session_key", &options.session_key),
                                  std::pair("item_key", &options.item_key), std::pair("time_key", &options.time_key)})
    if (std::ranges::find(columns, *key) == columns.end())
      throw Failure{REC_INVALID_DATA,
                    plain(path) + ":1: has no column '" + plain(*key) + "' (--" + flag + "); its first line is '" +
                        plain(header.substr(0, 100)) + "'",
                    flag, path, 1};
}

void check_model(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw Failure{REC_NOT_FOUND, "--load_model: there is no file " + plain(path), "load_model", path, -1};
  std::ifstream file(path, std::ios::binary);
  char begin[4] = {};
  file.read(begin, sizeof begin);
  if (std::string_view(begin, 4) == "PK\3\4" || begin[0] == '\x80')
    throw refused("load_model",
                  plain(path) + " is a file of PyTorch, which is code; train the model here and save it with -s");
}

// run.py's lines.
class Log : public Listener {
 public:
  Log(const Options& options, int64_t batch_size) : options_(options), batch_size_(static_cast<double>(batch_size)) {}

  bool can_resume() const override { return false; }
  void on_data(const SplitData&) override {
    line("Started training");
    start_ = Clock::now();
  }
  void on_progress(const rec_event_t& event) override {
    if (event.kind == REC_EVENT_START) n_batches_ = static_cast<double>(event.n_batches);
  }
  void on_epoch(const EpochResult& epoch) override {
    const double speed = n_batches_ / std::max(epoch.train_seconds, 1e-9);
    line("Epoch" + std::to_string(epoch.epoch) + " --> loss: " + fixed(epoch.loss, 6) + " \t(" +
         fixed(epoch.train_seconds, 2) + "s) \t[" + fixed(speed, 2) + " mb/s | " + fixed(speed * batch_size_, 0) +
         " e/s]");
  }
  void on_saved(const TrainingSummary& summary) override {
    if (options_.loads) return;
    line("Total training time: " + fixed(std::chrono::duration<double>(Clock::now() - start_).count(), 2) + "s");
    if (!summary.out.empty()) line("Saving trained model to: " + summary.out);
  }
  void on_reading(const std::string& file) override {
    line("Loading test data...");
    line("Loading data from TAB separated file: " + file);
  }
  void on_measuring(const std::string&) override {
    std::string list;
    for (const int64_t k : options_.cutoffs) list += (list.empty() ? "" : ", ") + std::to_string(k);
    line("Starting evaluation (cut-off=[" + list + "], using " + options_.eval_type + " mode for tiebreaking)");
  }
  void on_measured(Moment, const std::string&, const Evaluation& evaluation, const rec_protocol_t&) override {
    const auto value = [&](const std::string& name, int64_t k) {
      const std::string wanted = "gru4rec." + name + "@" + std::to_string(k) + "[";  // the protocol follows
      return std::ranges::find_if(evaluation.metrics,
                                  [&](const NamedValue& metric) { return metric.name.starts_with(wanted); })
          ->value;
    };
    line("Evaluation took " + fixed(evaluation.seconds, 2) + "s");
    for (const int64_t k : options_.cutoffs)
      line("Recall@" + std::to_string(k) + ": " + fixed(value("recall", k), 6) + " MRR@" + std::to_string(k) + ": " +
           fixed(value("mrr", k), 6));
    if (options_.tells_primary)
      line("PRIMARY METRIC: " + argparse::repr(value(options_.primary, options_.cutoffs.front())));
  }

 private:
  using Clock = std::chrono::steady_clock;

  const Options& options_;
  double batch_size_, n_batches_ = 0;
  Clock::time_point start_ = Clock::now();
};

Experiment translate(const Options& options, const Json& parameters) {
  Experiment e;
  e.model = "gru4rec";
  e.parameters = parameters;
  e.data.format = "gru4rec";
  e.data.user_column = options.session_key;
  e.data.item_column = options.item_key;
  e.data.time_column = options.time_key;
  e.train = !options.loads;
  e.out = options.loads ? options.path : options.save;
  if (e.train) {
    e.data.path = options.path;
    e.data.all_train = true;
  }
  e.protocol.rows = "event";
  e.protocol.mask = "none";
  e.protocol.history = "before";
  e.protocol.skip_first = true;
  e.files = options.tests;
  std::vector<int64_t> cutoffs = options.cutoffs;
  std::ranges::sort(cutoffs);
  cutoffs.erase(std::unique(cutoffs.begin(), cutoffs.end()), cutoffs.end());
  for (const int64_t k : options.tests.empty() ? std::vector<int64_t>() : cutoffs)
    for (const char* name : {"gru4rec.recall@", "gru4rec.mrr@"})
      e.final_metrics += (e.final_metrics.empty() ? "" : ",") + (name + std::to_string(k)) + options.ties();
  e.dump_config = options.dump_config;
  return e;
}

// What has no part in the experiment.
void tell_unused(const argparse::Arguments& given, const Options& options, Context& context) {
  const auto note = [&](const char* flag, const char* why) {
    if (given.has(flag)) context.output.note(std::string(flag) + " has no effect: " + why);
  };
  note("--sample_store_size", "negatives are drawn as they are needed");
  note("--sample_store_on_cpu", "negatives are drawn as they are needed");
  if (options.loads) note("--save_model", "a model that is loaded is not saved again");
  if (given.has("--device") && given.text("--device") != "cpu") note("--device", "this model works on the CPU");
  if (given.has("--gru4rec_model") && given.text("--gru4rec_model") != "gru4rec_pytorch")
    throw refused("gru4rec_model", "must be gru4rec_pytorch: other files of code are not run");
}

Failure in_words_of_run_py(Failure failure, bool loads) {
  const std::pair<std::string_view, const char*> kFlags[] = {
      {"out", loads ? "--load_model" : "--save_model"}, {"files", "--test"}, {"dump-config", "--dump_config"}};
  for (const auto& [ours, flag] : kFlags)
    if (failure.argument == ours && failure.message.starts_with(std::string(ours) + ":"))
      failure.message = flag + failure.message.substr(ours.size());
  return in_words_of_the_authors(std::move(failure));
}

int run(const std::vector<std::string>& words, Context& context) {
  const argparse::Arguments given = argparse::parse(kOptions, {"PATH"}, words);
  if (given.has("--help")) {
    std::printf("%s\n%s", kUsage, kHelp);
    return 0;
  }
  const Options options(given);
  if (given.has("--parameter_string") + given.has("--parameter_file") + options.loads != 1)
    throw refused("parameter_string", "exactly one of --parameter_string, --parameter_file and --load_model is wanted");
  tell_unused(given, options, context);
  Parameters parameters;
  if (options.loads) {
    check_model(options.path);
  } else {
    parameters =
        gru4rec::translate(given.has("--parameter_file") ? read_parameter_file(given.text("--parameter_file"))
                                                         : read_parameter_string(given.text("--parameter_string")));
    check_data(options, "path", options.path);
  }
  for (const std::string& test : options.tests) check_data(options, "test", test);
  const Experiment e = translate(options, parameters.ours);

  if (options.loads) {
    line("Loading trained model from file: " + options.path + " (to device \"cpu\")");
  } else {
    if (given.has("--parameter_file"))
      line("Loaded parameters from file: " + std::filesystem::absolute(given.text("--parameter_file")).string());
    line("Creating GRU4Rec model on device \"cpu\"");
    for (const std::string& text : parameters.lines) line(text);
    line("Loading training data...");
    line("Loading data from TAB separated file: " + options.path);
  }
  Log log(options, parameters.batch_size);
  try {
    run_experiment(e, log, context);
  } catch (const Failure& failure) {
    throw in_words_of_run_py(failure, options.loads);
  }
  return 0;
}

}  // namespace
}  // namespace rec::cli::gru4rec

namespace rec::cli {

void add_gru4rec(Commands& commands) {
  commands.add_foreign("gru4rec", "The GRU4Rec authors' run.py: its flags, its files, its lines.",
                       "gru4rec train.txt -t test.txt -ps loss=cross-entropy,layers=100 -s m.rec",
                       [](const std::vector<std::string>& words, Context& context) {
                         return argparse::exit_code_of("gru4rec", gru4rec::kUsage, context,
                                                       [&] { return gru4rec::run(words, context); });
                       });
}

}  // namespace rec::cli
