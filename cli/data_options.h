// --data and how it is read; a data set that is not split is split as train does it.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"

namespace rec::cli {

struct DataOptions {
  std::string path, format = "auto";
  std::optional<std::string> user_column, item_column, time_column, weight_column, label_column, impression_key,
      separator;
  std::optional<std::string> time_format, missing, valid, test;
  std::optional<double> min_weight;
  std::string user_id_type = "auto", item_id_type = "auto", bad_rows = "error", header = "auto", quotes = "auto",
              time_unit = "auto";
  int64_t max_bad_rows = 0;
  std::optional<int32_t> part;  // REC_PART_ of all rows
  bool all_train = false;       // every row is for training
  std::string split = "user", ratio = "8:1:1";  // of data without parts
  uint64_t memory_limit = 0;
};

// All but the path, which is an option of some commands and an argument of others.
void add_data_options(CLI::App& app, DataOptions& options);
void add_memory_limit(CLI::App& app, uint64_t& limit);

Dataset load_dataset(const DataOptions& options, Context& context);
Json describe(const Dataset& dataset);

struct Split {
  std::string by, ratio;  // as given
  int32_t kind;
  double ratios[3];
  int64_t seed;
};
// by: user, leave-one-out, time, session or interaction; ratio: TRAIN:VALID:TEST. argument: names `by` in errors.
Split read_split(const std::string& argument, const std::string& by, const std::string& ratio, int64_t seed);
// --split and --ratio, of commands that split data without parts.
void add_split_options(CLI::App& app, DataOptions& options);
Dataset split_dataset(const Dataset& dataset, const Split& split, Context& context);

// Loads, and splits as the options say, by the seed, unless the files are already split.
struct SplitData {
  Dataset dataset;
  Json description;
  std::optional<Split> split;  // empty: the files' own split
};
SplitData load_split(const DataOptions& options, int64_t seed, Context& context);
Json split_json(const std::optional<Split>& split);

}  // namespace rec::cli
