// `recore recbole`: run_recbole.py's command line as an experiment.
#include <cstdio>
#include <filesystem>

#include "cli/exit_codes.h"
#include "cli/experiment/run.h"
#include "cli/recbole/config.h"

namespace rec::cli {

namespace {

constexpr const char* kUsage =
    "usage: recore recbole --model=NAME --dataset=NAME [--config_files=\"A.yaml B.yaml\"] [--key=value ...]\n"
    "       recore recbole ... --dump_config=FILE.yaml writes the experiment; --dry_run=True does not run it";

// The lines of RecBole's log that scripts look for, on stderr as there.
class Log : public Listener {
 public:
  bool can_resume() const override { return false; }
  void on_epoch(const EpochResult& epoch) override {
    const std::string number = std::to_string(epoch.epoch - 1);
    line("epoch " + number + " training [time: " + fixed(epoch.train_seconds, 2) +
         "s, train loss: " + fixed(epoch.loss, 4) + "]");
    if (epoch.metrics.empty()) return;
    line("epoch " + number + " evaluating [time: " + fixed(epoch.eval_seconds, 2) +
         "s, valid_score: " + fixed(epoch.metrics.front().value, 6) + "]");
    line("valid result: \n" + values(epoch.metrics, "    ", " : ", ""));
  }
  void on_measured(Moment, const std::string& part, const Evaluation& evaluation, const rec_protocol_t&) override {
    const std::string pairs = "OrderedDict([" + values(evaluation.metrics, ", ", "', ", "('") + "])";
    line(part == "test" ? "test result: " + pairs : "best valid : " + pairs);
  }

 private:
  static void line(const std::string& text) { std::fprintf(stderr, "INFO  %s\n", text.c_str()); }
  // "recall@10 : 0.2157    ..." or "('recall@10', 0.2157), ...".
  static std::string values(const std::vector<NamedValue>& metrics, const std::string& between,
                            const std::string& middle, const std::string& begin) {
    std::string text;
    for (const NamedValue& metric : metrics)
      text += (text.empty() ? "" : between) + begin + metric.name.substr(0, metric.name.find('[')) + middle +
              fixed(metric.value, 4) + (begin.empty() ? "" : ")");
    return text;
  }
};

int run(std::vector<std::string> words, Context& context) {
  std::string dump;
  bool dry = false;
  std::erase_if(words, [&](const std::string& word) {
    if (word.starts_with("--dump_config=")) return dump = word.substr(14), true;
    if (word == "--dry_run=True") return dry = true;
    return false;
  });
  const recbole::Imported imported = recbole::import_config(words);
  Experiment e = imported.experiment;
  e.dump_config = dump;
  for (const std::string& key : imported.left_out) context.output.note("left out: " + key);
  if (dry) {
    std::fputs(experiment_text(e).c_str(), stdout);
    return 0;
  }
  std::error_code none;
  std::filesystem::create_directories(std::filesystem::path(e.out).parent_path(), none);
  Log log;
  run_experiment(e, log, context);
  return 0;
}

}  // namespace

void add_recbole(Commands& commands) {
  commands.add_foreign("recbole", "RecBole's run_recbole.py: its configuration files and --key=value.",
                       "recbole --model=BPR --dataset=ml-100k --config_files=x.yaml",
                       [](const std::vector<std::string>& words, Context& context) {
                         if (words.empty() || words[0] == "-h" || words[0] == "--help") {
                           std::printf("%s\n", kUsage);
                           return 0;
                         }
                         try {
                           return run(words, context);
                         } catch (const Failure& failure) {
                           context.output.failure(failure);
                           return failure.status == REC_CANCELLED ? kExitCancelled : 1;
                         }
                       });
}

}  // namespace rec::cli
