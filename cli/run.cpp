#include "cli/experiment/run.h"

#include "cli/output_file.h"

namespace rec::cli {

namespace {

struct RunOptions {
  std::string config, dump_config;
  std::vector<std::string> set;
  bool resume = false, keys = false;
};

// Prints every key that a file may have.
struct KeyPrinter {
  Output& output;
  Table table{{"key", "meaning"}};
  std::string where;
  void section(const std::string& name) { where = name + "."; }
  template <class T>
  void field(const char* name, T&, const char* doc) {
    output.event({{"event", "key"}, {"key", where + name}, {"doc", doc}});
    table.add({where + name, doc});
  }
};

int tell_keys(Output& output) {
  Experiment usual;
  KeyPrinter printer{output};
  visit(usual, printer);
  output.line(printer.table.text());
  return 0;
}

int run(const RunOptions& options, Context& context) {
  if (options.keys) return tell_keys(context.output);
  if (options.config.empty()) throw usage_error("config", "is not given: the YAML file of an experiment");
  Experiment experiment = read_experiment(options.config, options.set);
  experiment.resume = options.resume;
  const auto set = [&](const char* name, const std::optional<std::string>& value) {
    if (value) experiment.parameters[name] = *value;
  };
  if (context.common.seed) set("seed", std::to_string(*context.common.seed));
  if (context.common.threads > 0) set("threads", std::to_string(context.common.threads));
  experiment.dump_config = options.dump_config;
  for (const auto& [argument, path] : {std::pair("out", &experiment.out),
                                       {"report", &experiment.report},
                                       {"rows", &experiment.rows},
                                       {"checkpoint", &experiment.checkpoint},
                                       {"dump-config", &experiment.dump_config}})
    check_is_no_input(argument, *path, {options.config});
  context.output.event({{"event", "experiment"}, {"config", experiment_text(experiment)}});
  if (!context.common.quiet) context.output.line(experiment_text(experiment));
  TerminalListener listener(experiment, context);
  tell_done("run", experiment, run_experiment(experiment, listener, context), context.output);
  return 0;
}

}  // namespace

void add_run(Commands& commands) {
  auto options = std::make_shared<RunOptions>();
  CLI::App& app =
      commands.add("run", "Run an experiment that a file describes.", "run first.yaml --set parameters.lr=0.01",
                   [options](Context& context) { return run(*options, context); });
  app.add_option("config", options->config, "YAML file; --keys lists what it may say")->type_name("FILE");
  app.add_option("--set", options->set, "A key of the file with another value; may be given several times")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--keys", options->keys, "List the keys of such a file");
  app.add_flag("--resume", options->resume, "Go on from the checkpoint when there is one");
  app.add_option("--dump-config", options->dump_config, "Write what is run, with all settings")->type_name("FILE.yaml");
}

}  // namespace rec::cli
