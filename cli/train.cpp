#include "cli/experiment/run.h"

namespace rec::cli {

namespace {

struct TrainOptions {
  Experiment experiment;
  std::vector<std::string> set;
  bool best = false;
};

int train(const TrainOptions& options, Context& context) {
  Experiment experiment = options.experiment;
  experiment.parameters = read_params(options.set, context.common);
  TerminalListener listener(experiment, context);
  const TrainingSummary summary = run_experiment(experiment, listener, context);
  tell_done("train", experiment, summary, context.output);
  return 0;
}

}  // namespace

void add_train(Commands& commands) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App& app =
      commands.add("train", "Train a model and save it.",
                   "train --model lightgcn --data orchard.inter.gz --set n_layers=3 --set epochs=20 --out m.rec",
                   [options](Context& context) { return train(*options, context); });
  app.add_option("--model", options->experiment.model, "Name of a model; `recore plugins` lists them")
      ->type_name("NAME")
      ->required();
  app.add_option("--data", options->experiment.data.path, "File or folder; data without parts are split with the seed")
      ->type_name("PATH")
      ->required();
  app.add_flag("--all", options->experiment.data.all_train, "Train on every row, without a split");
  app.add_option("--out", options->experiment.out, "Model file to write")->type_name("FILE")->required();
  app.add_option("--set", options->set, "A parameter; `recore plugins NAME` lists them; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--metrics", options->experiment.metrics,
                 "Evaluated on valid after each epoch [ndcg@20,recall@20, or what the task is judged by]")
      ->type_name("LIST");
  app.add_option("--main-metric", options->experiment.main_metric, "Decides the best epoch [the first of --metrics]")
      ->type_name("NAME");
  add_split_options(app, options->experiment.data);
  add_protocol_options(app, options->experiment.protocol);
  app.add_option("--warm-start", options->experiment.warm_start,
                 "Model file to start from, trained on the same data; may be given several times")
      ->type_name("FILE")
      ->allow_extra_args(false);
  CLI::Option* best = app.add_flag("--best", options->best, "Save the epoch with the best main metric; the default");
  app.add_flag("--last", options->experiment.saves_last, "Save the last epoch")->excludes(best);
  app.add_option("--report", options->experiment.report,
                 "Write a page about the run, and evaluate the test part for it")
      ->type_name("PAGE.html");
  app.add_flag("--resume", options->experiment.resume, "Go on from the checkpoint when there is one");
  app.add_option("--checkpoint", options->experiment.checkpoint,
                 "Checkpoint file [OUT.ckpt]; removed once the model is saved")
      ->type_name("FILE");
  app.add_option("--checkpoint-seconds", options->experiment.checkpoint_seconds, "Least time between two checkpoints")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--checkpoint-batches", options->experiment.checkpoint_batches,
                 "Also write a checkpoint after this number of batches; 0 = do not")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--dump-config", options->experiment.dump_config, "Write what is run as a file for `recore run`")
      ->type_name("FILE.yaml");
  add_isolation(app, options->experiment.isolation);
  add_memory_limit(app, options->experiment.data.memory_limit);
  add_data_options(app, options->experiment.data);
}

}  // namespace rec::cli
