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
  uint64_t memory_limit = 0;
};

// All but the path, which is an option of some commands and an argument of others.
void add_data_options(CLI::App& app, DataOptions& options);
void add_memory_limit(CLI::App& app, uint64_t& limit);

Dataset load_dataset(const DataOptions& options, Context& context);
Json describe(const Dataset& dataset);

struct Split {
  int32_t kind = REC_SPLIT_RATIO;
  double ratios[3] = {0.8, 0.1, 0.1};
  int64_t seed = 1;
};
Dataset split_dataset(const Dataset& dataset, const Split& split, Context& context);

// Loads, and splits 8:1:1 by user with the seed unless the files are already split.
struct SplitData {
  Dataset dataset;
  Json description;
  std::optional<Split> split;  // empty: the files' own split
};
SplitData load_split(const DataOptions& options, int64_t seed, Context& context);
Json split_json(const std::optional<Split>& split);

}  // namespace rec::cli
