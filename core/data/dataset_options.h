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
  int32_t header = REC_HEADER_AUTO;      // without one, a column is named by its position from 1
  int32_t quotes = REC_QUOTES_AUTO;
  int32_t time_unit = REC_TIME_AUTO;
  std::optional<std::string> time_format;  // of a date; ISO 8601 if not given
  std::optional<std::string> missing;      // words for a missing id, by comma; the usual ones if not given
  std::optional<int32_t> part;             // of all rows of the file, REC_PART_
  std::string valid_path, test_path;       // files with the rows of these parts, or ""
  std::optional<double> min_weight;
  int64_t threads = 0;             // that parse; 0 = one for each core
  int64_t max_bad_rows = 0;        // 0 = 1000
  int64_t memory_limit_bytes = 0;  // 0 = none
};

// INVALID_ARGUMENT for a type, policy, separator or number that is not allowed.
void check_options(const DatasetOptions& options);

}  // namespace rec
