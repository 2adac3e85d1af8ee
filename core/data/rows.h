#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/dataset_builder.h"
#include "core/data/dataset_options.h"
#include "core/data/delimited.h"

namespace rec {

class RowSink;

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
// Whether the first row of a file names the columns: as the options say, else unless it has a number or a date in it.
bool is_header(const std::vector<std::string_view>& first_row, const DatasetOptions& options);
// Columns without a header, by their positions "1", "2", ...: those that the options give, else user, item[, rating[, time]],
// with the time where the first row has a date.
ColumnPlan plan_positions(const std::vector<std::string_view>& first_row, const DatasetOptions& options);
// Whether a column is named as users are, or items.
bool names_users(const std::vector<std::string>& header);
// The columns' names where the comment above the rows has them, as NumPy's savetxt writes it; else none.
std::vector<std::string> names_in_comment(std::string_view comment, char separator, size_t n_columns);
bool names_items(const std::vector<std::string>& header);
// Keeps which column has which role, and notes those that could have one; the header is empty where columns have positions only.
void tell_columns(const std::vector<std::string>& header, const ColumnPlan& plan, RowSink& sink);
// Whether a column of this name may be one that is read: the options name it, or it has a usual name.
bool may_be_read(const std::string& column, const DatasetOptions& options);
// The names in the first row, without blanks around them; an error in it has its file and line.
std::vector<std::string> read_header(DelimitedReader& reader, const std::string& path);
// The column whose name is one of `names` (lower case, without _ and -), earlier names first; -1 for none.
int find_column(const std::vector<std::string>& header, const std::vector<std::string>& names);

// A finite number that float holds.
float parse_weight(std::string_view cell, std::string_view column);
// 0 or 1.
float parse_label(std::string_view cell, std::string_view column);

// Whether an id is a word for a missing one, unless the options say other words.
bool is_missing_word(std::string_view id);

struct Row {
  std::string_view user, item;
  Moment time;
  float weight = 0;
  Shown shown;
};

// What every reader does with its rows: add, filter, count the bad ones.
class RowSink {
 public:
  RowSink(const DatasetOptions& options, DatasetBuilder& builder);

  // Which columns a file has; a later file must have the same.
  void begin_file(const std::string& path, const OptionalColumns& columns);
  // Bad rows from here on belong to a file of titles.
  void begin_titles(const std::string& path) { path_ = path; }
  // A row with these cells is the header again, of a file that was put together from several.
  void set_header(const std::vector<std::string>& header, const ColumnPlan& plan) {
    header_user_ = header[plan.user];
    header_item_ = header[plan.item];
  }
  // Without an impression column, any number of threads may parse at once.
  Row parse(const std::vector<std::string_view>& cells, const ColumnPlan& plan);
  // What becomes of a parsed row.
  enum class Fate { kKept, kMissing, kLight };
  Fate fate_of(const Row& row) const {
    if (is_missing(row.user) || is_missing(row.item)) return Fate::kMissing;
    return is_light(row.weight) ? Fate::kLight : Fate::kKept;
  }
  // Not "<": a missing weight (NaN) passes no bound. Weights are float, so that the bound 0.7 keeps a weight of 0.7.
  bool is_light(float weight) const {
    return options_.min_weight && !(weight >= static_cast<float>(*options_.min_weight));
  }
  // False when the row is left out: for want of an id, or by min_weight.
  bool add(const Row& row, Part part);
  // The same for a row of a format that has no parts.
  bool add(const Row& row) { return add(row, part_); }
  // Adds the rows of a block, and counts those that it left out.
  void add(const RowBlock& block, int64_t n_missing, int64_t n_light) {
    builder_.add(block, part_);
    n_missing_ += n_missing;
    n_light_ += n_light;
  }
  // Counts a valid row that the format says to leave out.
  void skip() { ++n_skipped_; }
  // Reports progress, if the current file is the only one.
  void set_done(double share) const {
    if (is_single_file_) rec::set_done(builder_.cancel(), share);
  }
  void set_single_file() { is_single_file_ = true; }
  // The part of the rows of files that have none.
  void set_part(Part part) { part_ = part; }
  Part part() const { return part_; }
  // The rows have parts of their own.
  void set_has_parts() { has_parts_ = true; }
  bool has_parts() const { return has_parts_; }

  // Ids are what they say, whatever the words for a missing one.
  void keep_every_id() { missing_.clear(), longest_missing_ = 0; }
  bool is_missing(std::string_view id) const {
    return id.size() <= longest_missing_ && std::ranges::find(missing_, id) != missing_.end();
  }
  void count_missing() { ++n_missing_; }
  void count_light() { ++n_light_; }
  bool begins_first_file() const { return path_ == first_path_ && builder_.n() == 0; }

  // Keeps what was found rather than given, for the description; only of the first file.
  void decided(const char* what, std::string how);
  void note(std::string sentence) { notes_.push_back(std::move(sentence)); }
  // Puts what was found, and counted, into the data set.
  void tell(Dataset& dataset);
  // The error when no row is left: why.
  Error no_rows() const;
  // Counts a bad row or throws its error with its place, as the options say.
  void reject(Error error, int64_t line, bool fatal);

  const DatasetOptions& options() const { return options_; }
  DatasetBuilder& builder() { return builder_; }
  const std::string& path() const { return path_; }
  // Item rows of each user's events so far, in files whose rows repeat the events before.
  std::vector<std::vector<int32_t>>& sessions() { return sessions_; }

 private:
  const DatasetOptions& options_;
  DatasetBuilder& builder_;
  std::vector<std::string> missing_;  // words
  size_t longest_missing_ = 0;
  std::string path_, first_path_, header_user_, header_item_;
  int64_t n_skipped_ = 0, n_missing_ = 0, n_light_ = 0;
  std::vector<std::vector<int32_t>> sessions_;
  bool is_single_file_ = false, has_parts_ = false;
  Part part_ = Part::kTrain;
  std::vector<std::pair<std::string, std::string>> read_as_;
  std::vector<std::string> notes_;
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
