#include <algorithm>
#include <chrono>

#include "cli/data_options.h"
#include "cli/evaluation.h"

namespace rec::cli {

namespace {

constexpr Choice kParts[] = {{"valid", REC_PART_VALID}, {"test", REC_PART_TEST}};
constexpr Choice kRows[] = {
    {"user", REC_ROWS_USER}, {"event", REC_ROWS_EVENT}, {"list", REC_ROWS_LIST}, {"label", REC_ROWS_LABEL}};
// Beside kRows: what is measured unless told, and what its rows are called.
constexpr const char* kMetrics[] = {"recall@20,ndcg@20,map@20,precision@20", "recall@20,ndcg@20,map@20,precision@20",
                                    "rechorus.ndcg@5,rechorus.hr@5,rechorus.map@5",
                                    "rechorus.auc,rechorus.acc,rechorus.f1_score,rechorus.log_loss"};
constexpr const char* kRowNames[] = {" users", " events", " lists", " labelled rows"};
constexpr Choice kTies[] = {{"lower-row", REC_TIES_LOWER_ROW}, {"against-target", REC_TIES_AGAINST_TARGET}};

struct EvaluateOptions {
  std::string model, protocol = "full";
  std::optional<std::string> metrics;
  std::string part = "test", rows, ties = "lower-row";
  int64_t max_pos = 0, max_neg = 0;
  DataOptions data;
};

// full, given, uniN and popN, as the names of metrics carry them.
void read_protocol(const std::string& text, rec_protocol_t& protocol) {
  constexpr Choice kSampled[] = {{"uni", REC_CANDIDATES_UNIFORM}, {"pop", REC_CANDIDATES_POPULAR}};
  for (const Choice& choice : kSampled) {
    if (!text.starts_with(choice.name) || text.size() == choice.name.size()) continue;
    const auto n = to_int64(std::string_view(text).substr(choice.name.size()));
    if (!n || *n < 1) break;
    protocol.candidates = choice.value;
    protocol.n_candidates = *n;
    return;
  }
  constexpr Choice kWhole[] = {
      {"full", REC_CANDIDATES_FULL}, {"given", REC_CANDIDATES_GIVEN}, {"uni99", 0}, {"pop99", 0}};
  protocol.candidates = pick("protocol", text, kWhole);
}

int run(const EvaluateOptions& options, Context& context) {
  auto protocol = initialized<rec_protocol_t>(rec_protocol_init);
  read_protocol(options.protocol, protocol);
  protocol.part = pick("part", options.part, kParts);
  const std::string rows = !options.rows.empty() ? options.rows : options.protocol == "given" ? "event" : "user";
  protocol.rows = pick("rows", rows, kRows);
  protocol.ties = pick("ties", options.ties, kTies);
  protocol.max_pos = options.max_pos;
  protocol.max_neg = options.max_neg;
  const std::string metrics = options.metrics.value_or(kMetrics[protocol.rows]);

  Model model;
  Json card;
  {
    const Stop::Abandonable abandonable(context.stop);
    auto load = initialized<rec_load_options_t>(rec_load_options_init);
    load.memory_limit_bytes = static_cast<int64_t>(options.data.memory_limit);
    model = make<Model>(rec_model_load, options.model.c_str(), &load);
    card = describe(model);
  }
  const int64_t seed = context.common.seed.value_or(card.value("seed", int64_t{1}));
  protocol.seed = seed;
  const SplitData data = load_split(options.data, seed, context);
  const int64_t n_train = card.value("n_train", int64_t{-1});
  if (data.split && (seed != card.value("seed", seed) || (n_train >= 0 && data.description["n_train"] != n_train)))
    context.output.note("warning: the model was trained on another split (seed " + value_text(card["seed"]) + ", " +
                        grouped(n_train) + " interactions in train), so this part holds what it has seen");

  const auto start = std::chrono::steady_clock::now();
  context.output.progress("evaluating", 0, 0, "");
  const Evaluation result = evaluate(model, data.dataset, metrics, protocol, context.common.threads, context.stop);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  context.output.clear_progress();

  context.output.event({{"event", "metrics"},
                        {"model", card["model"]},
                        {"part", options.part},
                        {"protocol", options.protocol},
                        {"rows", rows},
                        {"ties", options.ties},
                        {"seed", seed},
                        {"split", split_json(data.split)},
                        {"n_rows", result.n_rows},
                        {"metrics", metrics_json(result.metrics)}});
  context.output.event({{"event", "done"}, {"command", "evaluate"}, {"seconds", seconds}});
  Table table({"metric", options.part});
  table.right(1);
  for (const NamedValue& metric : result.metrics) table.add({metric.name, fixed(metric.value, 4)});
  context.output.line(table.text());
  context.output.note(grouped(result.n_rows) + kRowNames[protocol.rows] + " in " + seconds_text(seconds));
  return 0;
}

}  // namespace

Evaluation evaluate(const Model& model, const Dataset& dataset, const std::string& metrics,
                    const rec_protocol_t& protocol, int64_t threads, Stop& stop) {
  auto options = initialized<rec_run_options_t>(rec_run_options_init);
  options.threads = static_cast<int32_t>(threads);
  options.cancel = stop.token();
  const auto report =
      make<Report>(rec_model_evaluate, model.get(), dataset.get(), metrics.c_str(), &protocol, &options);
  Evaluation result;
  int64_t n_metrics = 0;
  call(rec_report_counts, report.get(), &n_metrics, &result.n_rows);
  for (int64_t i = 0; i < n_metrics; ++i) {
    const char* name = nullptr;
    double mean = 0;
    call(rec_report_get_metric, report.get(), i, &name, &mean);
    result.metrics.push_back({name, mean});
  }
  return result;
}

Json metrics_json(const std::vector<NamedValue>& metrics) {
  Json json = Json::object();
  for (const NamedValue& metric : metrics) json[metric.name] = metric.value;
  return json;
}

Json describe(const Model& model) { return Json::parse(text_of(make<Text>(rec_model_describe, model.get()))); }

void add_evaluate(Commands& commands) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App& app =
      commands.add("evaluate", "Metrics of a saved model on a data set.",
                   "evaluate --model m.rec --data orchard.inter.gz --metrics recall@20,ndcg@20 --protocol full",
                   [options](Context& context) { return run(*options, context); });
  app.add_option("--model", options->model, "Model file")->type_name("FILE")->required();
  app.add_option("--data", options->data.path,
                 "File or folder; without parts of its own it is split as train splits it, with the model's seed")
      ->type_name("PATH")
      ->required();
  app.add_option("--metrics", options->metrics,
                 "Comma-separated names [recall, ndcg, map and precision @20; those of ReChorus for lists and labels]")
      ->type_name("LIST");
  app.add_option("--protocol", options->protocol,
                 "Candidates: full, uniN or popN (N drawn for each positive), or given by the data")
      ->capture_default_str();
  app.add_option("--part", options->part, "valid or test")->capture_default_str();
  app.add_option(
         "--rows", options->rows,
         "What a row is: user, event, list (an impression list), label (a labelled row) [event with given, else user]")
      ->type_name("KIND");
  app.add_option("--max-pos", options->max_pos, "Clicked items of a list that count; 0 = 20")->type_name("N");
  app.add_option("--max-neg", options->max_neg, "Shown items of a list that count; 0 = 20")->type_name("N");
  app.add_option("--ties", options->ties, "lower-row or against-target")->capture_default_str();
  add_memory_limit(app, options->data.memory_limit);
  add_data_options(app, options->data);
}

}  // namespace rec::cli
