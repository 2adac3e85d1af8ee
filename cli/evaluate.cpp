#include <algorithm>
#include <chrono>

#include "cli/evaluation.h"
#include "cli/output_file.h"

namespace rec::cli {

namespace {

constexpr Choice kParts[] = {{"valid", REC_PART_VALID}, {"test", REC_PART_TEST}};
// For each REC_ROWS_: the default metrics.
constexpr const char* kMetrics[] = {"recall@20,ndcg@20,map@20,precision@20", "recall@20,ndcg@20,map@20,precision@20",
                                    "rechorus.ndcg@5,rechorus.hr@5,rechorus.map@5",
                                    "rechorus.auc,rechorus.acc,rechorus.f1_score,rechorus.log_loss"};

struct EvaluateOptions {
  std::string model, part = "test", isolation = "in_process";
  std::optional<std::string> metrics;
  std::string per_row;
  ProtocolOptions protocol;
  DataOptions data;
  bool all = false;
};

int run(const EvaluateOptions& options, Context& context) {
  if (!options.per_row.empty()) check_rows_path("per-row", options.per_row);
  check_is_no_input(
      "per-row", options.per_row,
      {options.model, options.data.path, options.data.valid.value_or(""), options.data.test.value_or("")});
  if (options.protocol.keep_lists > 0 && options.per_row.empty())
    throw usage_error("keep-lists", "the lists are written to the file of --per-row, which is not given");
  rec_protocol_t protocol = options.protocol.read();
  protocol.part = pick("part", options.part, kParts);
  const std::string metrics = options.metrics.value_or(kMetrics[protocol.rows]);

  auto load = initialized<rec_load_options_t>(rec_load_options_init);
  load.memory_limit_bytes = static_cast<int64_t>(options.data.memory_limit);
  const rec_run_options_t stoppable = context.stop.run();
  const Model model = make<Model>(rec_model_load, options.model.c_str(), &load, &stoppable);
  const Json card = describe(model);
  const int64_t seed = context.common.seed.value_or(card.value("seed", int64_t{1}));
  protocol.seed = seed;
  DataOptions read = options.data;
  if (options.all) read.part = protocol.part;
  const SplitData data = load_split(read, seed, context);
  const int64_t n_train = card.value("n_train", int64_t{-1});
  if (data.split && (seed != card.value("seed", seed) || (n_train >= 0 && data.description["n_train"] != n_train)))
    context.output.note("warning: the model was trained on " + grouped(n_train) + " interactions with seed " +
                        value_text(card["seed"]) + ", and the train part of this split has " +
                        grouped(data.description["n_train"]) +
                        "; what is measured may hold rows that it was trained on, and leaves out others");

  if (options.all && data.description["n_interactions"] == n_train)
    context.output.note(
        "warning: the model was trained on " + grouped(n_train) +
        " interactions, and these are as many; if they are the same, the result tells nothing of others");

  context.output.progress("evaluating", 0, 0, "");
  const Evaluation result = evaluate(model, data.dataset, metrics, protocol, options.isolation, context);
  context.output.clear_progress();

  tell_metrics(result, card["model"], options.part, options.protocol, protocol, data.split, context.output);
  if (!options.per_row.empty()) {
    write_rows("per-row", options.per_row, *result.rows);
    context.output.note("wrote " + options.per_row);
  }
  context.output.event({{"event", "done"}, {"command", "evaluate"}, {"seconds", result.seconds}});
  context.output.note(grouped(result.n_rows) + row_noun(protocol.rows) + " in " + seconds_text(result.seconds));
  return 0;
}

}  // namespace

Evaluation evaluate(const Model& model, const Dataset& dataset, const std::string& metrics,
                    const rec_protocol_t& protocol, const std::string& isolation, Context& context) {
  rec_run_options_t options = context.stop.run();
  options.threads = static_cast<int32_t>(context.common.threads);
  options.isolation = read_isolation(isolation);
  const auto start = std::chrono::steady_clock::now();
  auto report = make<Report>(rec_model_evaluate, model.get(), dataset.get(), metrics.c_str(), &protocol, &options);
  Evaluation result;
  int64_t n_metrics = 0;
  call(rec_report_counts, report.get(), &n_metrics, &result.n_rows);
  for (int64_t i = 0; i < n_metrics; ++i) {
    const char* name = nullptr;
    double mean = 0, standard_error = 0;
    call(rec_report_get_metric, report.get(), i, &name, &mean);
    call(rec_report_get_standard_error, report.get(), i, &standard_error);
    result.metrics.push_back({name, mean, standard_error});
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.rows = std::make_shared<const EvaluationRows>(model, std::move(report));
  return result;
}

void tell_metrics(const Evaluation& evaluation, const Json& model, const std::string& part,
                  const ProtocolOptions& options, const rec_protocol_t& protocol, const std::optional<Split>& split,
                  Output& output) {
  output.event({{"event", "metrics"},
                {"model", model},
                {"part", part},
                {"protocol", options.protocol},
                {"rows", row_name(protocol.rows)},
                {"mask", options.mask},
                {"ties", options.ties},
                {"history", history_name(protocol)},
                {"seed", protocol.seed},
                {"split", split_json(split)},
                {"n_rows", evaluation.n_rows},
                {"metrics", metrics_json(evaluation.metrics)},
                {"standard_errors", standard_errors_json(evaluation.metrics)}});
  Table table({"metric", part, "standard error"});
  table.right(1).right(2);
  for (const NamedValue& metric : evaluation.metrics)
    table.add({metric.name, fixed(metric.value, 4), rounded(metric.standard_error)});
  output.line(table.text());
}

const char* row_noun(int32_t rows) {
  constexpr const char* kNouns[] = {" users", " events", " impression lists", " labelled rows"};
  return kNouns[rows];
}

void add_isolation(CLI::App& app, std::string& isolation) {
  app.add_option(
         "--isolation", isolation,
         "Where the plugin runs: in_process; process, a worker whose crash is an error; auto, a worker for LibTorch")
      ->capture_default_str();
}

int32_t read_isolation(const std::string& isolation) {
  constexpr Choice kIsolations[] = {
      {"auto", REC_ISOLATION_AUTO}, {"in_process", REC_ISOLATION_IN_PROCESS}, {"process", REC_ISOLATION_PROCESS}};
  return pick("isolation", isolation, kIsolations);
}

Json metrics_json(const std::vector<NamedValue>& metrics) {
  Json json = Json::object();
  for (const NamedValue& metric : metrics) json[metric.name] = metric.value;
  return json;
}

Json standard_errors_json(const std::vector<NamedValue>& metrics) {
  Json json = Json::object();
  for (const NamedValue& metric : metrics) json[metric.name] = metric.standard_error;
  return json;
}

Json describe(const Model& model) { return json_of(rec_model_describe, model.get()); }

void add_evaluate(Commands& commands) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App& app =
      commands.add("evaluate", "Metrics of a saved model on a data set.",
                   "evaluate --model m.rec --data orchard.inter.gz --metrics recall@20,ndcg@20 --protocol full",
                   [options](Context& context) { return run(*options, context); });
  app.add_option("--model", options->model, "Model file")->type_name("FILE")->required();
  app.add_option("--data", options->data.path,
                 "File or folder; data without parts are split as --split says, with the model's seed")
      ->type_name("PATH")
      ->required();
  app.add_option("--metrics", options->metrics,
                 "Comma-separated names [recall, ndcg, map and precision @20; those of ReChorus for lists and labels]")
      ->type_name("LIST");
  app.add_option("--part", options->part, "valid or test")->capture_default_str();
  app.add_flag("--all", options->all, "Measure every row of the data, without a split");
  add_split_options(app, options->data);
  add_protocol_options(app, options->protocol);
  app.add_option("--per-row", options->per_row,
                 "Write each row's user, row of the data and metrics: .csv, .tsv or .jsonl")
      ->type_name("FILE");
  app.add_option("--keep-lists", options->protocol.keep_lists,
                 "With --per-row: also the first so many items that each row ranked")
      ->type_name("N");
  add_isolation(app, options->isolation);
  add_memory_limit(app, options->data.memory_limit);
  add_data_options(app, options->data);
}

}  // namespace rec::cli
