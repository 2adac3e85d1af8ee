// `recore compare`: models measured on the same rows, and whether they differ.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cli/charts.h"
#include "cli/data_rows.h"
#include "cli/evaluation.h"
#include "cli/output_file.h"
#include "cli/page.h"
#include "cli/statistics.h"

namespace rec::cli {

namespace {

constexpr Choice kParts[] = {{"valid", REC_PART_VALID}, {"test", REC_PART_TEST}};
enum By { kNothing, kActivity, kPopularity };
constexpr Choice kBy[] = {{"nothing", kNothing}, {"activity", kActivity}, {"popularity", kPopularity}};
constexpr int64_t kBuckets = 4;

struct CompareOptions {
  std::vector<std::string> models;
  std::string part = "test", isolation = "in_process", metrics = "recall@20,ndcg@20", by = "nothing", report;
  ProtocolOptions protocol;
  DataOptions data;
  bool all = false;
};

struct Measured {
  std::string name;  // the file's, and where two are alike the path
  std::string model;
  Evaluation evaluation;
};

// Rows whose user, or target, has between `low` and `high` training interactions.
struct Bucket {
  int64_t low = 0, high = 0;
  std::vector<int64_t> rows;
  std::string text() const { return low == high ? grouped(low) : grouped(low) + " to " + grouped(high); }
};

// A model against the first.
struct Comparison {
  size_t model, metric;
  Difference difference;
  double holm = 0;
};

Measured measure(const std::string& path, const CompareOptions& options, const rec_protocol_t& protocol,
                 const SplitData& data, Context& context) {
  auto load = initialized<rec_load_options_t>(rec_load_options_init);
  load.memory_limit_bytes = static_cast<int64_t>(options.data.memory_limit);
  const rec_run_options_t stoppable = context.stop.run();
  const auto model = make<Model>(rec_model_load, path.c_str(), &load, &stoppable);
  const Json card = describe(model);
  if (data.split && card["seed"] != data.split->seed)
    throw usage_error("models", plain(path) + " was trained with seed " + value_text(card["seed"]) +
                                    " and the first with " + std::to_string(data.split->seed) +
                                    ", so they are of different splits; give data that are split, or --seed");
  if (const int64_t n_train = card.value("n_train", int64_t{-1});
      !options.all && n_train >= 0 && data.description["n_train"] != n_train)
    context.output.note("warning: " + path + " was trained on " + grouped(n_train) +
                        " interactions, and the train part of these data has " + grouped(data.description["n_train"]));
  context.output.progress("evaluating " + path, 0, 0, "");
  Measured measured{std::filesystem::path(path).filename().string(), value_text(card["model"]),
                    evaluate(model, data.dataset, options.metrics, protocol, options.isolation, context)};
  context.output.clear_progress();
  return measured;
}

void check_same_rows(const Measured& first, const Measured& other) {
  const EvaluationRows &a = *first.evaluation.rows, &b = *other.evaluation.rows;
  bool same = a.n() == b.n();
  for (int64_t row = 0; same && row < a.n(); ++row) same = a.interaction(row) == b.interaction(row);
  if (!same)
    throw Failure{REC_INVALID_DATA,
                  "models: " + other.name + " is measured on other rows of the data than " + first.name,
                  "models",
                  {},
                  -1};
}

std::vector<Bucket> buckets_of(const CompareOptions& options, int32_t rows_kind, const DataRows& data,
                               const EvaluationRows& rows) {
  const int32_t by = pick("by", options.by, kBy);
  if (by == kNothing) return {};
  if (by == kPopularity && rows_kind != REC_ROWS_EVENT && rows_kind != REC_ROWS_LABEL)
    throw usage_error("by", "popularity is that of a row's item; give --rows event (or label)");
  const std::vector<int64_t>& of_row = by == kActivity ? data.of_user : data.of_item;
  std::vector<int64_t> order(rows.n());
  for (int64_t row = 0; row < rows.n(); ++row) order[row] = row;
  const auto count = [&](int64_t row) { return of_row[rows.interaction(row)]; };
  std::ranges::stable_sort(order, {}, count);
  std::vector<Bucket> buckets;
  for (int64_t at = 0; at < rows.n();) {  // equal counts stay together
    int64_t end = std::max(at + 1, rows.n() * (std::ssize(buckets) + 1) / kBuckets);
    while (end < rows.n() && count(order[end]) == count(order[end - 1])) ++end;
    buckets.push_back({count(order[at]), count(order[end - 1]), {order.begin() + at, order.begin() + end}});
    at = end;
  }
  return buckets;
}

double mean_of(const EvaluationRows& rows, size_t metric, const std::vector<int64_t>& in) {
  double sum = 0;
  int64_t n = 0;
  for (const int64_t row : in)
    if (const double value = rows.value(metric, row); !std::isnan(value)) sum += value, ++n;
  return n > 0 ? sum / static_cast<double>(n) : std::nan("");
}

std::vector<Comparison> compare(const std::vector<Measured>& models, const DataRows& data, uint64_t seed) {
  const EvaluationRows& first = *models[0].evaluation.rows;
  std::vector<int64_t> users(first.n());
  for (int64_t row = 0; row < first.n(); ++row) users[row] = data.user[first.interaction(row)];
  const auto values = [&](const EvaluationRows& rows, size_t metric) {
    std::vector<double> of_rows(rows.n());
    for (int64_t row = 0; row < rows.n(); ++row) of_rows[row] = rows.value(metric, row);
    return of_rows;
  };
  std::vector<Comparison> comparisons;
  for (size_t metric = 0; metric < first.metrics().size(); ++metric)
    for (size_t model = 1; model < models.size(); ++model)
      comparisons.push_back(
          {model, metric,
           compare_rows(values(first, metric), values(*models[model].evaluation.rows, metric), users, seed)});
  std::vector<double> p;
  for (const Comparison& comparison : comparisons) p.push_back(comparison.difference.t_test);
  p = holm(p);
  for (size_t i = 0; i < p.size(); ++i) comparisons[i].holm = p[i];
  return comparisons;
}

// A model gives no value to a row that it cannot score.
void tell_uneven(const std::vector<Measured>& models, const std::vector<Comparison>& comparisons, Output& output) {
  for (const Comparison& c : comparisons) {
    int64_t n = 0;
    for (const size_t model : {size_t{0}, c.model}) {
      int64_t with_value = 0;
      const EvaluationRows& rows = *models[model].evaluation.rows;
      for (int64_t row = 0; row < rows.n(); ++row) with_value += !std::isnan(rows.value(c.metric, row));
      n = std::max(n, with_value);
    }
    if (c.difference.n_rows < n)
      output.note(models[0].evaluation.metrics[c.metric].name + ": the difference of " + models[c.model].name +
                  " is over the " + grouped(c.difference.n_rows) + " rows that both give a value, of " + grouped(n));
  }
}

std::string signed_text(double value) { return (value > 0 ? "+" : "") + fixed(value, 4); }
std::string p_text(double p) { return std::isnan(p) ? "-" : p < 0.0001 ? "< 0.0001" : fixed(p, 4); }
Json number_json(double value) { return std::isnan(value) ? Json() : Json(value); }

// The tables, as rows of cells, for the terminal and for the page.
struct Tables {
  std::vector<std::vector<std::string>> means, differences, buckets;
};

Tables tables_of(const std::vector<Measured>& models, const std::vector<Comparison>& comparisons,
                 const std::vector<Bucket>& buckets, const std::string& by) {
  Tables tables;
  tables.means.push_back({"model", "of"});
  const std::vector<NamedValue>& metrics = models[0].evaluation.metrics;
  for (const NamedValue& metric : metrics) tables.means[0].push_back(metric.name), tables.means[0].push_back("+-");
  for (const Measured& model : models) {
    std::vector<std::string> row{model.name, model.model};
    for (const NamedValue& metric : model.evaluation.metrics)
      row.push_back(fixed(metric.value, 4)), row.push_back(rounded(metric.standard_error));
    tables.means.push_back(row);
  }
  tables.differences.push_back(
      {"metric", "against " + models[0].name, "difference", "95 % interval", "p (t)", "p (Wilcoxon)", "p (t, Holm)"});
  for (const Comparison& c : comparisons)
    tables.differences.push_back({metrics[c.metric].name, models[c.model].name, signed_text(c.difference.mean),
                                  signed_text(c.difference.low) + " .. " + signed_text(c.difference.high),
                                  p_text(c.difference.t_test), p_text(c.difference.wilcoxon), p_text(c.holm)});
  if (buckets.empty()) return tables;
  tables.buckets.push_back(
      {"metric", by == "activity" ? "user's rows in training" : "item's rows in training", "rows"});
  for (const Measured& model : models) tables.buckets[0].push_back(model.name);
  for (size_t metric = 0; metric < metrics.size(); ++metric)
    for (const Bucket& bucket : buckets) {
      std::vector<std::string> row{metrics[metric].name, bucket.text(), grouped(std::ssize(bucket.rows))};
      for (const Measured& model : models)
        row.push_back(fixed(mean_of(*model.evaluation.rows, metric, bucket.rows), 4));
      tables.buckets.push_back(row);
    }
  return tables;
}

std::string terminal_table(const std::vector<std::vector<std::string>>& cells, size_t first_right) {
  Table table(cells[0]);
  for (size_t column = first_right; column < cells[0].size(); ++column) table.right(column);
  for (size_t row = 1; row < cells.size(); ++row) {
    std::vector<std::string> shown;
    for (const std::string& text : cells[row]) shown.push_back(plain(text));
    table.add(shown);
  }
  return table.text();
}

void tell(const std::vector<Measured>& models, const std::vector<Comparison>& comparisons,
          const std::vector<Bucket>& buckets, const Tables& tables, Output& output) {
  for (const Measured& model : models)
    output.event({{"event", "metrics"},
                  {"file", model.name},
                  {"model", model.model},
                  {"n_rows", model.evaluation.n_rows},
                  {"metrics", metrics_json(model.evaluation.metrics)},
                  {"standard_errors", standard_errors_json(model.evaluation.metrics)}});
  const std::vector<NamedValue>& metrics = models[0].evaluation.metrics;
  for (const Comparison& c : comparisons)
    output.event({{"event", "comparison"},
                  {"metric", metrics[c.metric].name},
                  {"file", models[c.model].name},
                  {"against", models[0].name},
                  {"n_rows", c.difference.n_rows},
                  {"difference", number_json(c.difference.mean)},
                  {"interval", {number_json(c.difference.low), number_json(c.difference.high)}},
                  {"p_t", number_json(c.difference.t_test)},
                  {"p_wilcoxon", number_json(c.difference.wilcoxon)},
                  {"p_holm", number_json(c.holm)}});
  for (size_t metric = 0; metric < metrics.size() && !buckets.empty(); ++metric)
    for (const Bucket& bucket : buckets)
      for (const Measured& model : models)
        output.event({{"event", "bucket"},
                      {"metric", metrics[metric].name},
                      {"low", bucket.low},
                      {"high", bucket.high},
                      {"n_rows", bucket.rows.size()},
                      {"file", model.name},
                      {"value", number_json(mean_of(*model.evaluation.rows, metric, bucket.rows))}});
  output.line(terminal_table(tables.means, 2));
  output.line("");
  output.line(terminal_table(tables.differences, 2));
  if (buckets.empty()) return;
  output.line("");
  output.line(terminal_table(tables.buckets, 2));
}

void write_comparison(const std::string& path, const std::vector<Measured>& models,
                      const std::vector<Comparison>& comparisons, const Tables& tables, const std::string& data,
                      const std::string& rows) {
  std::string title = "Comparison of ";
  for (size_t i = 0; i < models.size(); ++i) title += (i > 0 ? ", " : "") + models[i].name;
  std::string html = "<h1>" + escape(title) + "</h1><p class=soft>On " + escape(data) + ", " + escape(rows) + ".</p>";
  html += "<h2>Metrics</h2>" + table_html(tables.means, 2);
  html += "<h2>Differences from " + escape(models[0].name) + "</h2>" + table_html(tables.differences, 2);
  std::string drawings;
  for (size_t metric = 0; metric < models[0].evaluation.metrics.size(); ++metric) {
    std::vector<Interval> intervals;
    for (const Comparison& c : comparisons)
      if (c.metric == metric)
        intervals.push_back({models[c.model].name, c.difference.mean, c.difference.low, c.difference.high});
    const std::string& name = models[0].evaluation.metrics[metric].name;
    drawings += figure(name, "", draw_intervals(name, "difference, with its 95 % interval", intervals), "");
  }
  html += "<div class=grid style=\"margin-top:12px\">" + drawings + "</div>";
  if (!tables.buckets.empty()) html += "<h2>By group of rows</h2>" + table_html(tables.buckets, 2);
  write_page("report", path, title, html);
}

int run(const CompareOptions& options, Context& context) {
  if (options.models.size() < 2)
    throw usage_error("models", "at least two models are compared, got " + std::to_string(options.models.size()));
  pick("by", options.by, kBy);
  std::vector<std::string> inputs = options.models;
  inputs.insert(inputs.end(), {options.data.path, options.data.valid.value_or(""), options.data.test.value_or("")});
  check_is_no_input("report", options.report, inputs);
  rec_protocol_t protocol = options.protocol.read();
  protocol.part = pick("part", options.part, kParts);
  const rec_run_options_t stoppable = context.stop.run();
  const Json first = describe(make<Model>(rec_model_load, options.models[0].c_str(), nullptr, &stoppable));
  const int64_t seed = context.common.seed.value_or(first.value("seed", int64_t{1}));
  protocol.seed = seed;
  DataOptions read = options.data;
  if (options.all) read.part = protocol.part;
  const SplitData data = load_split(read, seed, context);
  std::vector<Measured> models;
  for (const std::string& path : options.models) {
    models.push_back(measure(path, options, protocol, data, context));
    check_same_rows(models[0], models.back());
  }
  for (size_t i = 0; i < models.size(); ++i)
    for (size_t j = 0; j < models.size(); ++j)
      if (i != j &&
          std::filesystem::path(options.models[i]).filename() == std::filesystem::path(options.models[j]).filename())
        models[i].name = options.models[i];
  const DataRows rows_of_data = data_rows(data.dataset);
  const std::vector<Bucket> buckets = buckets_of(options, protocol.rows, rows_of_data, *models[0].evaluation.rows);
  const std::vector<Comparison> comparisons = compare(models, rows_of_data, static_cast<uint64_t>(seed));
  tell_uneven(models, comparisons, context.output);
  const Tables tables = tables_of(models, comparisons, buckets, options.by);
  tell(models, comparisons, buckets, tables, context.output);
  const std::string rows = grouped(models[0].evaluation.n_rows) + row_noun(protocol.rows) + " of " + options.part;
  if (!options.report.empty()) {
    write_comparison(options.report, models, comparisons, tables, options.data.path, rows);
    context.output.note("wrote " + options.report);
  }
  context.output.event({{"event", "done"}, {"command", "compare"}, {"n", models.size()}});
  context.output.note(rows + "; differences are tested over users");
  return 0;
}

}  // namespace

void add_compare(Commands& commands) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App& app = commands.add("compare", "Models measured on the same rows, and whether they differ from the first.",
                               "compare bprmf.rec itemknn.rec --data orchard.inter.gz --metrics recall@10,ndcg@10",
                               [options](Context& context) { return run(*options, context); });
  app.add_option("models", options->models, "Model files; the others are compared with the first")
      ->required()
      ->type_name("FILE");
  app.add_option("--data", options->data.path, "As of evaluate")->type_name("PATH")->required();
  app.add_option("--metrics", options->metrics, "Comma-separated names")->type_name("LIST")->capture_default_str();
  app.add_option("--part", options->part, "valid or test")->capture_default_str();
  app.add_option("--by", options->by,
                 "Metrics in four groups of rows: by activity, the user's interactions in training, or by popularity, "
                 "the item's (--rows event)")
      ->type_name("WHAT");
  app.add_option("--report", options->report, "Write a page with the tables and intervals")->type_name("FILE");
  app.add_flag("--all", options->all, "Measure every row of the data, without a split");
  add_split_options(app, options->data);
  add_protocol_options(app, options->protocol);
  add_isolation(app, options->isolation);
  add_memory_limit(app, options->data.memory_limit);
  add_data_options(app, options->data);
}

}  // namespace rec::cli
