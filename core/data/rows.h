#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/dataset_builder.h"
#include "core/data/dataset_options.h"
#include "core/data/delimited.h"

namespace rec {

// The positions of the wanted columns in a row; -1 = absent.
struct ColumnPlan {
  int user = -1, item = -1, time = -1, weight = -1, label = -1;
  int impression = -1;  // the time column when that is the key
  size_t n_columns = 0;
  bool weight_may_be_empty = false;  // such a row is added with NaN, for DatasetBuilder::fill_weights

  OptionalColumns optional() const { return {time >= 0, weight >= 0, label >= 0, impression >= 0}; }
};

// Columns by the options' names, else by their usual ones. INVALID_DATA names what is missing or ambiguous.
ColumnPlan plan_columns(const std::vector<std::string>& header, const DatasetOptions& options);
// The same for a header at a line of a file.
ColumnPlan plan_columns(const std::vector<std::string>& header, const DatasetOptions& options, const std::string& path,
                        int64_t line);
// A file of numbers without a header: user, item[, rating[, time]].
std::optional<ColumnPlan> plan_headerless(const std::vector<std::string_view>& first_row,
                                          const DatasetOptions& options);
// The names in the first row, without blanks around them; an error in it has its file and line.
std::vector<std::string> read_header(DelimitedReader& reader, const std::string& path);
// The column whose name is one of `names` (lower case, without _ and -), earlier names first; -1 for none.
int find_column(const std::vector<std::string>& header, const std::vector<std::string>& names);

// A finite number that float holds. An integer, or a float without fraction as RecBole writes times.
float parse_weight(std::string_view cell, std::string_view column);
int64_t parse_time(std::string_view cell, std::string_view column);
// 0 or 1.
float parse_label(std::string_view cell, std::string_view column);

struct Row {
  std::string_view user, item;
  int64_t time = 0;
  float weight = 0;
  Shown shown;
};

// What every reader does with its rows: add, filter, count the bad ones.
class RowSink {
 public:
  RowSink(const DatasetOptions& options, DatasetBuilder& builder) : options_(options), builder_(builder) {}

  // Which columns a file has; a later file must have the same.
  void begin_file(const std::string& path, const OptionalColumns& columns);
  // Bad rows from here on belong to a file of titles.
  void begin_titles(const std::string& path) { path_ = path; }
  Row parse(const std::vector<std::string_view>& cells, const ColumnPlan& plan);
  // False when min_weight leaves the row out.
  bool add(const Row& row, Part part);
  // Counts a valid row that the format says to leave out.
  void skip() { ++n_skipped_; }
  // Reports progress, if the current file is the only one.
  void set_done(double share) const {
    if (is_single_file_) rec::set_done(builder_.cancel(), share);
  }
  void set_single_file() { is_single_file_ = true; }
  // Counts a bad row or throws its error with its place, as the options say.
  void reject(Error error, int64_t line, bool fatal);

  const DatasetOptions& options() const { return options_; }
  DatasetBuilder& builder() { return builder_; }
  const std::string& path() const { return path_; }
  int64_t n_skipped() const { return n_skipped_; }

 private:
  const DatasetOptions& options_;
  DatasetBuilder& builder_;
  std::string path_, first_path_;
  int64_t n_skipped_ = 0;
  bool is_single_file_ = false;
};

// Calls use(cells) for each row; its errors go to the sink with the row's line.
template <class Use>
void for_each_row(DelimitedReader& reader, RowSink& sink, const Use& use) {
  std::vector<std::string_view> cells;
  for (int64_t n = 0;; ++n) {
    try {
      if (n % 4096 == 0) sink.set_done(reader.share());
      if (!reader.next(cells)) return;
      use(cells);
    } catch (Error& error) {
      sink.reject(std::move(error), reader.line(), reader.broken());
    }
  }
}

}  // namespace rec
