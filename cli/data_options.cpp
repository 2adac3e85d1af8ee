#include "cli/data_options.h"

#include <cmath>

namespace rec::cli {

namespace {

constexpr Choice kIdTypes[] = {{"auto", REC_ID_AUTO}, {"int64", REC_ID_INT64}, {"bytes", REC_ID_BYTES}};
constexpr Choice kBadRows[] = {{"error", REC_BAD_ROW_ERROR}, {"skip", REC_BAD_ROW_SKIP}};

constexpr Choice kHeaders[] = {{"auto", REC_HEADER_AUTO}, {"yes", REC_HEADER_YES}, {"no", REC_HEADER_NO}};
constexpr Choice kQuotes[] = {{"auto", REC_QUOTES_AUTO}, {"csv", REC_QUOTES_CSV}, {"none", REC_QUOTES_NONE}};
constexpr Choice kTimeUnits[] = {{"auto", REC_TIME_AUTO},
                                 {"s", REC_TIME_SECONDS},
                                 {"ms", REC_TIME_MILLISECONDS},
                                 {"us", REC_TIME_MICROSECONDS},
                                 {"ns", REC_TIME_NANOSECONDS}};

constexpr Choice kSplits[] = {{"user", REC_SPLIT_RATIO},
                              {"leave-one-out", REC_SPLIT_LEAVE_ONE_OUT},
                              {"time", REC_SPLIT_TEMPORAL},
                              {"session", REC_SPLIT_SESSION},
                              {"interaction", REC_SPLIT_RATIO_GLOBAL}};

void read_ratio(const std::string& text, double (&ratios)[3]) {
  const std::vector<std::string> parts = split(text, ':');
  double sum = 0;
  bool sound = parts.size() == 3;
  for (size_t i = 0; sound && i < 3; ++i) {
    char* end = nullptr;
    ratios[i] = std::strtod(parts[i].c_str(), &end);
    sound = end != parts[i].c_str() && *end == '\0' && std::isfinite(ratios[i]) && ratios[i] >= 0;
    sum += ratios[i];
  }
  if (!sound || sum <= 0) throw usage_error("ratio", "must be TRAIN:VALID:TEST such as 8:1:1, got '" + text + "'");
  for (double& ratio : ratios) ratio /= sum;
}

const char* text_or_null(const std::optional<std::string>& text) { return text ? text->c_str() : nullptr; }

}  // namespace

Split read_split(const std::string& argument, const std::string& by, const std::string& ratio, int64_t seed) {
  Split split{by, ratio, pick(argument, by, kSplits), {}, seed};
  read_ratio(ratio, split.ratios);
  return split;
}

void add_split_options(CLI::App& app, DataOptions& options) {
  app.add_option("--split", options.split,
                 "How data without parts are split: user, interaction, time, leave-one-out or session")
      ->type_name("BY")
      ->capture_default_str();
  app.add_option("--ratio", options.ratio, "Its shares of train, valid and test")
      ->type_name("A:B:C")
      ->capture_default_str();
}

void add_memory_limit(CLI::App& app, uint64_t& limit) {
  app.add_option("--memory-limit", limit, "Fail rather than use more, such as 2G; 0 = none")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false));
}

void add_data_options(CLI::App& app, DataOptions& options) {
  const char* group = "Data";
  app.add_option("--format", options.format,
                 "auto, csv, tsv, parquet, lightgcn, recbole, rechorus, movielens, gru4rec or two_tower")
      ->group(group)
      ->capture_default_str();
  app.add_option("--valid", options.valid, "A file of the same format whose rows are for validation")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--test", options.test, "The same for the test")->type_name("FILE")->group(group);
  app.add_option("--user-column", options.user_column,
                 "Found by its usual names unless given; 1, 2, ... without a header")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--item-column", options.item_column, "The same")->type_name("NAME")->group(group);
  app.add_option("--time-column", options.time_column, "The same; '' ignores times")->type_name("NAME")->group(group);
  app.add_option("--weight-column", options.weight_column, "The same; '' ignores ratings")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--label-column", options.label_column,
                 "1 = clicked, 0 = shown only; found by its name; '' ignores it")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--impression-key", options.impression_key,
                 "What tells the lists of a user apart in labelled data: time, or a column")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--separator", options.separator, "One byte, or tab; detected unless given")
      ->type_name("BYTE")
      ->group(group);
  app.add_option("--header", options.header, "Whether the first line names the columns: auto, yes or no")
      ->group(group)
      ->capture_default_str();
  app.add_option("--quotes", options.quotes, "auto, csv or none: a quote is a character")
      ->group(group)
      ->capture_default_str();
  app.add_option("--time-unit", options.time_unit, "Of times that are numbers: auto, s, ms, us or ns")
      ->group(group)
      ->capture_default_str();
  app.add_option("--time-format", options.time_format, "Of dates, such as '%d/%m/%Y %H:%M:%S' [ISO 8601]")
      ->type_name("FORMAT")
      ->group(group);
  app.add_option("--missing", options.missing,
                 "Words that stand for a missing id, separated by commas [NA,N/A,#N/A,<NA>,NaN,nan,null,NULL,None,\\N]")
      ->type_name("WORDS")
      ->group(group);
  app.add_option("--min-weight", options.min_weight, "Leave out rows below")->type_name("X")->group(group);
  app.add_option("--user-id-type", options.user_id_type, "auto, int64 or bytes")->group(group)->capture_default_str();
  app.add_option("--item-id-type", options.item_id_type, "auto, int64 or bytes")->group(group)->capture_default_str();
  app.add_option("--bad-rows", options.bad_rows, "error or skip")->group(group)->capture_default_str();
  app.add_option("--max-bad-rows", options.max_bad_rows, "How many --bad-rows skip may leave out [1000]")
      ->type_name("N")
      ->group(group);
}

Dataset load_dataset(const DataOptions& options, Context& context) {
  auto given = initialized<rec_dataset_options_t>(rec_dataset_options_init);
  given.user_id_type = pick("user-id-type", options.user_id_type, kIdTypes);
  given.item_id_type = pick("item-id-type", options.item_id_type, kIdTypes);
  given.bad_rows = pick("bad-rows", options.bad_rows, kBadRows);
  given.format = options.format.c_str();
  given.user_column = text_or_null(options.user_column);
  given.item_column = text_or_null(options.item_column);
  given.time_column = text_or_null(options.time_column);
  given.weight_column = text_or_null(options.weight_column);
  given.label_column = text_or_null(options.label_column);
  given.impression_key = text_or_null(options.impression_key);
  const bool is_tab = options.separator == "tab" || options.separator == "\\t";
  given.separator = is_tab ? "\t" : text_or_null(options.separator);
  given.header = pick("header", options.header, kHeaders);
  given.quotes = pick("quotes", options.quotes, kQuotes);
  given.time_unit = pick("time-unit", options.time_unit, kTimeUnits);
  given.time_format = text_or_null(options.time_format);
  given.missing = text_or_null(options.missing);
  given.max_bad_rows = options.max_bad_rows;
  given.has_part = options.part.has_value() || options.all_train;
  given.part = options.part.value_or(REC_PART_TRAIN);
  given.valid_path = text_or_null(options.valid);
  given.test_path = text_or_null(options.test);
  given.has_min_weight = options.min_weight.has_value();
  given.min_weight = options.min_weight.value_or(0);
  given.memory_limit_bytes = static_cast<int64_t>(options.memory_limit);
  context.output.progress("reading", 0, 0, options.path);
  rec_run_options_t run = context.stop.run();
  run.threads = static_cast<int32_t>(context.common.threads);
  auto dataset = make<Dataset>(rec_dataset_load, options.path.c_str(), &given, &run);
  context.output.clear_progress();
  return dataset;
}

Json describe(const Dataset& dataset) { return json_of(rec_dataset_describe, dataset.get()); }

Dataset split_dataset(const Dataset& dataset, const Split& split, Context& context) {
  auto given = initialized<rec_split_options_t>(rec_split_options_init);
  given.kind = split.kind;
  given.train_ratio = split.ratios[0];
  given.valid_ratio = split.ratios[1];
  given.test_ratio = split.ratios[2];
  given.seed = split.seed;
  const rec_run_options_t run = context.stop.run();
  return make<Dataset>(rec_dataset_split, dataset.get(), &given, &run);
}

SplitData load_split(const DataOptions& options, int64_t seed, Context& context) {
  SplitData data;
  const Split split = read_split("split", options.split, options.ratio, seed);
  data.dataset = load_dataset(options, context);
  {
    const Stop::Abandonable abandonable(context.stop);
    data.description = describe(data.dataset);
  }
  if (!data.description["has_parts"]) {
    data.split = split;
    data.dataset = split_dataset(data.dataset, *data.split, context);
    const Stop::Abandonable abandonable(context.stop);
    data.description = describe(data.dataset);
    const bool has_ratio = options.split != "leave-one-out";
    context.output.note("the data are not split yet: split " + (has_ratio ? options.ratio + " " : std::string()) +
                        "by " + options.split + " with seed " + std::to_string(seed) + "; --all takes them whole");
  } else if (options.split != DataOptions().split || options.ratio != DataOptions().ratio) {
    context.output.note("split: the data have parts of their own, which stay");
  }
  if (data.description["n_skipped"] > 0)
    context.output.note(value_text(data.description["n_skipped"]) + " bad rows were skipped");
  return data;
}

Json split_json(const std::optional<Split>& split) {
  if (!split) return nullptr;
  return {{"by", split->by}, {"ratio", split->ratio}, {"seed", split->seed}};
}

}  // namespace rec::cli
