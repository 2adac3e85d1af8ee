#include <algorithm>
#include <ctime>

#include "cli/data_options.h"

namespace rec::cli {

namespace {

std::string date(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts;
  char text[64];
  if (gmtime_r(&time, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) == 0)
    return std::to_string(seconds);
  return text;
}

void print_description(const Json& about, Output& output) {
  Table table({plain(value_text(about["source"])), ""});
  for (const char* key : {"n_users", "n_items", "n_interactions", "n_train", "n_valid", "n_test", "n_duplicates",
                          "n_users_with_one", "n_titles", "n_skipped", "n_missing"})
    table.add({std::string("  ") + key, grouped(about[key])});
  table.add({"  density", fixed(about["density"].get<double>() * 100, 3) + " %"});
  if (!about["time"].is_null())
    table.add({"  time", date(about["time"]["first"]) + " to " + date(about["time"]["last"]) + " UTC"});
  if (!about["weight"].is_null())
    table.add({"  weight", value_text(about["weight"]["min"]) + " to " + value_text(about["weight"]["max"])});
  if (!about["label"].is_null()) {
    table.add({"  labels", grouped(about["label"]["n_positive"]) + " clicked, " +
                               grouped(about["label"]["n_negative"]) + " shown only"});
    table.add({"  impression lists", grouped(about["n_impressions"])});
  }
  for (const char* key : {"user_features", "item_features", "relations"}) {
    std::string names;
    for (const Json& name : about[key]) names += (names.empty() ? "" : ", ") + value_text(name);
    if (!names.empty()) table.add({std::string("  ") + key, names});
  }
  for (const char* key : {"user_id_type", "item_id_type", "format"})
    table.add({std::string("  ") + key, value_text(about[key])});
  std::string read_as;
  for (const auto& [what, how] : about["read_as"].items())
    read_as += (read_as.empty() ? "" : ", ") + what + ": " + plain(value_text(how));
  if (!read_as.empty()) table.add({"  read as", read_as});
  output.line(table.text());
  Table quantiles({"interactions", "min", "p10", "p25", "p50", "p75", "p90", "p99", "max", "mean"});
  for (size_t column = 1; column < 10; ++column) quantiles.right(column);
  for (const char* of : {"user", "item"}) {
    std::vector<std::string> row = {std::string("  per ") + of};
    for (const auto& [key, value] : about[std::string("interactions_per_") + of].items())
      row.push_back(key == "mean" ? fixed(value, 1) : grouped(value));
    quantiles.add(std::move(row));
  }
  output.line(quantiles.text());
}

int describe_path(const DataOptions& options, Context& context) {
  const Dataset dataset = load_dataset(options, context);
  const Stop::Abandonable abandonable(context.stop);
  const Json about = describe(dataset);
  Json event = {{"event", "dataset"}};
  event.update(about);
  context.output.event(event);
  context.output.event({{"event", "done"}, {"command", "data describe"}});
  if (!context.output.json()) print_description(about, context.output);
  return 0;
}

struct SplitOptions {
  DataOptions data;
  std::string by = "user", ratio = "8:1:1", out;
};

int split_path(const SplitOptions& options, Context& context) {
  const Split split = read_split("by", options.by, options.ratio, context.common.seed.value_or(1));
  const Dataset dataset = load_dataset(options.data, context);
  const Dataset parts = split_dataset(dataset, split, context);
  const rec_run_options_t run = context.stop.run();
  call(rec_dataset_save, parts.get(), options.out.c_str(), &run);
  const Json about = describe(parts);
  context.output.event({{"event", "dataset"},
                        {"out", options.out},
                        {"by", options.by},
                        {"ratio", options.ratio},
                        {"seed", split.seed},
                        {"n_users", about["n_users"]},
                        {"n_items", about["n_items"]},
                        {"n_train", about["n_train"]},
                        {"n_valid", about["n_valid"]},
                        {"n_test", about["n_test"]}});
  context.output.event({{"event", "done"}, {"command", "data split"}, {"out", options.out}});
  Table table({"part", "interactions"});
  table.right(1);
  for (const char* part : {"train", "valid", "test"}) table.add({part, grouped(about[std::string("n_") + part])});
  context.output.line(table.text());
  context.output.line("wrote " + options.out);
  return 0;
}

}  // namespace

void add_data(Commands& commands) {
  CLI::App& group = commands.add_group("data", "Describe a data set, or split it.");
  auto described = std::make_shared<DataOptions>();
  CLI::App& about = commands.add(
      "describe", "Counts of a data set.", "data describe orchard.inter.gz",
      [described](Context& context) { return describe_path(*described, context); }, &group);
  about.add_option("path", described->path, "File or folder")->type_name("PATH")->required();
  add_memory_limit(about, described->memory_limit);
  add_data_options(about, *described);

  auto options = std::make_shared<SplitOptions>();
  CLI::App& app = commands.add(
      "split", "Write a data set as train, valid and test files.",
      "data split orchard.inter.gz --by user --ratio 8:1:1 --seed 1 --out parts",
      [options](Context& context) { return split_path(*options, context); }, &group);
  app.add_option("path", options->data.path, "File or folder")->type_name("PATH")->required();
  app.add_option("--out", options->out, "Folder to write")->type_name("DIR")->required();
  app.add_option("--by", options->by, "user, time, session, interaction or leave-one-out")->capture_default_str();
  app.add_option("--ratio", options->ratio, "Of train, valid and test; leave-one-out has no use for it")
      ->capture_default_str();
  add_memory_limit(app, options->data.memory_limit);
  add_data_options(app, options->data);
}

}  // namespace rec::cli
