#include "cli/experiment/run.h"

namespace rec::cli {

namespace {

struct RunOptions {
  std::string config, dump_config;
  std::vector<std::string> set;
  bool resume = false;
};

int run(const RunOptions& options, Context& context) {
  Experiment experiment = read_experiment(options.config, options.set);
  experiment.resume = options.resume;
  const auto set = [&](const char* name, const std::optional<std::string>& value) {
    if (value) experiment.parameters[name] = *value;
  };
  if (context.common.seed) set("seed", std::to_string(*context.common.seed));
  if (context.common.threads > 0) set("threads", std::to_string(context.common.threads));
  if (!options.dump_config.empty()) write_experiment(options.dump_config, experiment);
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
  app.add_option("config", options->config, "YAML file; docs/experiments.md has its keys")
      ->type_name("FILE")
      ->required();
  app.add_option("--set", options->set, "A key of the file with another value; may be given several times")
      ->type_name("SECTION.KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--resume", options->resume, "Go on from the checkpoint when there is one");
  app.add_option("--dump-config", options->dump_config, "Write what is run, with all settings")->type_name("FILE.yaml");
}

}  // namespace rec::cli
