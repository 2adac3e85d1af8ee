#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rec_c_api.h"

namespace rec {

// How a file, folder or stream is read: rec_dataset_options_t.
struct DatasetOptions {
  int32_t user_id_type = REC_ID_AUTO;
  int32_t item_id_type = REC_ID_AUTO;
  int32_t bad_rows = REC_BAD_ROW_ERROR;
  std::string format = "auto";
  // A column without a given name is found by its usual names; an empty time or weight name ignores that column.
  std::optional<std::string> user_column, item_column, time_column, weight_column, label_column;
  // What tells a user's lists apart in labelled data: "time" or a column; "" = no lists. Default: the time, or the
  // column impression_id where there is no time.
  std::optional<std::string> impression_key;
  std::optional<std::string> separator;  // one byte; detected if not given
  std::optional<double> min_weight;
  int64_t max_bad_rows = 0;        // 0 = 1000
  int64_t memory_limit_bytes = 0;  // 0 = none
};

// INVALID_ARGUMENT for a type, policy, separator or number that is not allowed.
void check_options(const DatasetOptions& options);

}  // namespace rec
