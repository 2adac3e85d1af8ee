#include "core/data/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/text.h"

namespace rec {

namespace {

const std::vector<std::string> kUserNames{"userid", "user", "uid", "sessionid"};
const std::vector<std::string> kItemNames{"itemid", "item", "movieid", "iid"};
const std::vector<std::string> kTimeNames{"timestamp", "time", "ts"};
const std::vector<std::string> kWeightNames{"rating", "weight", "score", "stars"};
const std::vector<std::string> kLabelNames{"label"};
const std::vector<std::string> kImpressionNames{"impressionid", "impression"};
const std::vector<std::string> kPartNames{"part", "split"};
constexpr const char* kMissing = "NA,N/A,#N/A,<NA>,NaN,nan,null,NULL,None,\\N";

std::string plain(std::string_view name) {
  std::string out = to_lower(trim(name));
  std::erase_if(out, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return out;
}

int named_column(const std::vector<std::string>& header, const std::string& name, const char* option) {
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end())
    throw argument_error(REC_INVALID_DATA, option, "there is no column '", printable(name), "'",
                         parse_int64(name) ? "; columns have positions where there is no header (header: no)"
                                           : suggestion(name, header));
  return static_cast<int>(at - header.begin());
}

int required_column(const std::vector<std::string>& header, const std::optional<std::string>& name,
                    const std::vector<std::string>& usual, const char* what, const char* option) {
  if (name) return named_column(header, *name, option);
  const int column = find_column(header, usual);
  if (column < 0)
    throw Error(REC_INVALID_DATA, cat("no ", what, " column among ", name_list(header), "; name it with ", option))
        .at_argument(option);
  return column;
}

int optional_column(const std::vector<std::string>& header, const std::optional<std::string>& name,
                    const std::vector<std::string>& usual, const char* option) {
  if (!name) return find_column(header, usual);
  return name->empty() ? -1 : named_column(header, *name, option);
}

std::string names_of(const OptionalColumns& columns) {
  return cat(columns.time ? "a time" : "no time", ", ", columns.weight ? "a weight" : "no weight", ", ",
             columns.label ? "a label" : "no label", " and ",
             columns.impression ? "an impression key" : "no impression key");
}

// The column whose value tells the lists of a user apart, when the rows are labelled.
int impression_column(const std::vector<std::string>& header, const DatasetOptions& options, const ColumnPlan& plan) {
  const auto& key = options.impression_key;
  if (!key && plan.label < 0) return -1;
  if (!key) {
    const int column = find_column(header, kImpressionNames);
    return column >= 0 ? column : plan.time;
  }
  if (key->empty()) return -1;
  if (plan.label < 0)
    throw argument_error(REC_INVALID_DATA, "impression_key",
                         "there is no label column, and only labelled rows form lists");
  if (*key == "time" && plan.time >= 0) return plan.time;
  return named_column(header, *key, "impression_key");
}

// A column by its name, or by its position where there are no names.
std::string column_name(const std::vector<std::string>& header, int column) {
  return column < 0 ? "none" : header.empty() ? cat("column ", column + 1) : printable(header[column]);
}

Error bad_cell(std::string_view column, std::string_view cell, const char* what) {
  const std::string name = printable(column);
  Error error(REC_INVALID_DATA, cat(name, ": '", printable(cell), "' ", what));
  error.argument = name;
  return error;
}

// The number in a cell, which may have a plus sign.
std::optional<double> number_in(std::string_view cell) {
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-' && cell[1] != '+') cell.remove_prefix(1);
  return parse_double(cell);
}

// The order user, item, rating, time. A date is the time wherever it stands, and if it is not the last column, only user and
// item are read beside it. If the third column is the last and its number is too large for a rating, it is the time.
ColumnPlan usual_order(const std::vector<std::string_view>& first_row, const std::optional<std::string>& time_format) {
  constexpr double kLargestRating = 1e8;  // as a time, 1973
  ColumnPlan plan;
  std::vector<int> others;
  const int n = static_cast<int>(first_row.size());
  for (int column = 0; column < n; ++column) {
    const auto moment = time_format ? parse_moment(first_row[column], *time_format) : parse_moment(first_row[column]);
    if (plan.time < 0 && moment && moment->is_date)
      plan.time = column;
    else
      others.push_back(column);
  }
  if (others.size() < 2) return plan;
  plan.user = others[0];
  plan.item = others[1];
  if (others.size() == 2 || (plan.time >= 0 && plan.time < n - 1)) return plan;
  const auto third = parse_double(first_row[others[2]]);
  if (n == 3 && third && *third > kLargestRating)
    plan.time = others[2];
  else
    plan.weight = others[2];
  if (others.size() > 3) plan.time = others[3];
  return plan;
}

}  // namespace

int find_column(const std::vector<std::string>& header, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    int found = -1;
    for (size_t i = 0; i < header.size(); ++i) {
      if (plain(header[i]) != name) continue;
      if (found >= 0)
        throw Error(REC_INVALID_DATA, cat("columns '", printable(header[found]), "' and '", printable(header[i]),
                                          "' could both be the one wanted; name one in the options"));
      found = static_cast<int>(i);
    }
    if (found >= 0) return found;
  }
  return -1;
}

ColumnPlan plan_columns(const std::vector<std::string>& header, const DatasetOptions& options) {
  std::vector<std::string_view> names(header.begin(), header.end());
  std::sort(names.begin(), names.end());
  names.erase(names.begin(), std::upper_bound(names.begin(), names.end(), ""));  // spreadsheets have columns without a name
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    const std::string name = printable(*twice);
    throw Error(REC_INVALID_DATA, cat("column '", name, "' occurs twice in the header")).at_argument(name);
  }
  ColumnPlan plan;
  plan.n_columns = header.size();
  plan.user = required_column(header, options.user_column, kUserNames, "user", "user_column");
  plan.item = required_column(header, options.item_column, kItemNames, "item", "item_column");
  plan.time = optional_column(header, options.time_column, kTimeNames, "time_column");
  plan.weight = optional_column(header, options.weight_column, kWeightNames, "weight_column");
  plan.label = optional_column(header, options.label_column, kLabelNames, "label_column");
  // A column requested as the weight is not the label too, unless that is requested as well.
  if (plan.label == plan.weight && !options.label_column) plan.label = -1;
  plan.impression = impression_column(header, options, plan);
  if (plan.user == plan.item)
    throw Error(REC_INVALID_DATA, "user and item are the same column").at_argument("item_column");
  return plan;
}

ColumnPlan plan_columns(const std::vector<std::string>& header, const DatasetOptions& options, const std::string& path,
                        int64_t line) {
  return with_place(path, line, [&] { return plan_columns(header, options); });
}

namespace {

void note_unread(const std::vector<std::string>& header, const ColumnPlan& plan, RowSink& sink) {
  const DatasetOptions& options = sink.options();
  const auto is_one_of = [](const std::string& name, const std::vector<std::string>& names) {
    return std::ranges::find(names, plain(name)) != names.end();
  };
  const auto note_others = [&](const char* role, int chosen, const std::vector<std::string>& names) {
    for (int column = 0; column < std::ssize(header); ++column)
      if (column != chosen && is_one_of(header[column], names))
        sink.note(cat("the ", role, " is column '", printable(header[chosen]), "'; column '", printable(header[column]),
                      "' could be the one that is wanted"));
  };
  if (!options.user_column) note_others("user", plan.user, kUserNames);
  if (!options.item_column) note_others("item", plan.item, kItemNames);
  int n_times = 0;
  for (const std::string& name : header) {
    const std::string word = plain(name);
    const bool is_time = word.find("time") != std::string::npos || word.find("date") != std::string::npos || word == "tdat";
    if (is_time && plan.time < 0 && !options.time_column && ++n_times <= 3)
      sink.note(cat("no column is read as the time; '", printable(name), "' could be it"));
    if (is_one_of(name, kPartNames) && !options.part)
      sink.note(cat("column '", printable(name), "' is not read: which rows are for validation and test is told by files of "
                    "their own, or by a split"));
  }
}

}  // namespace

void tell_columns(const std::vector<std::string>& header, const ColumnPlan& plan, RowSink& sink) {
  const std::pair<const char*, int> roles[] = {
      {"user", plan.user}, {"item", plan.item}, {"time", plan.time}, {"weight", plan.weight}, {"label", plan.label},
      {"impression_key", plan.impression}};
  for (const auto& [role, column] : roles)
    if (column >= 0 || (std::string_view(role) != "label" && std::string_view(role) != "impression_key"))
      sink.decided(role, column_name(header, column));
  if (sink.begins_first_file()) note_unread(header, plan, sink);
}

bool may_be_read(const std::string& column, const DatasetOptions& options) {
  for (const auto* name : {&options.user_column, &options.item_column, &options.time_column, &options.weight_column,
                           &options.label_column, &options.impression_key})
    if (*name && **name == column) return true;
  const std::string name = plain(column);
  for (const auto* usual : {&kUserNames, &kItemNames, &kTimeNames, &kWeightNames, &kLabelNames, &kImpressionNames})
    if (std::ranges::find(*usual, name) != usual->end()) return true;
  return false;
}

bool names_users(const std::vector<std::string>& header) {
  return std::ranges::any_of(
      header, [](const std::string& name) { return std::ranges::find(kUserNames, plain(name)) != kUserNames.end(); });
}

bool names_items(const std::vector<std::string>& header) {
  return std::ranges::any_of(
      header, [](const std::string& name) { return std::ranges::find(kItemNames, plain(name)) != kItemNames.end(); });
}

std::vector<std::string> names_in_comment(std::string_view comment, char separator, size_t n_columns) {
  std::vector<std::string> names;
  for (std::string_view name : split(comment, separator))
    if (separator != ' ' || !name.empty()) names.emplace_back(trim(name));
  return names.size() == n_columns && names_users(names) && names_items(names) ? names : std::vector<std::string>();
}

std::vector<std::string> read_header(DelimitedReader& reader, const std::string& path) {
  std::vector<std::string_view> cells;
  try {
    reader.next(cells);
  } catch (Error& error) {
    throw located(std::move(error), path, reader.line());
  }
  std::vector<std::string> header;
  for (std::string_view cell : cells) header.emplace_back(trim(cell));
  return header;
}

bool is_header(const std::vector<std::string_view>& first_row, const DatasetOptions& options) {
  if (options.header != REC_HEADER_AUTO) return options.header == REC_HEADER_YES;
  const std::vector<std::string> cells(first_row.begin(), first_row.end());
  for (const auto* name : {&options.user_column, &options.item_column, &options.time_column, &options.weight_column,
                           &options.label_column, &options.impression_key})
    if (*name && !parse_int64(**name) && std::ranges::find(cells, **name) != cells.end()) return true;
  const auto usual = [&](const std::vector<std::string>& names) {
    return std::ranges::any_of(cells,
                               [&](const auto& cell) { return std::ranges::find(names, plain(cell)) != names.end(); });
  };
  if (usual(kUserNames) && usual(kItemNames)) return true;
  return std::ranges::none_of(cells, [](const auto& cell) { return looks_like_integer(cell) || parse_moment(cell); });
}

ColumnPlan plan_positions(const std::vector<std::string_view>& first_row, const DatasetOptions& options) {
  const int n = static_cast<int>(first_row.size());
  const bool is_given = options.user_column && options.item_column;
  if (n < 2 || (n > 4 && !is_given))
    throw Error(REC_INVALID_DATA, cat("there is no header, and ", n,
                                      " columns could be anything; give user_column and item_column by position: "
                                      "\"1\", \"2\", ..., or say that there is a header"))
        .at_argument("user_column");
  const ColumnPlan usual = is_given ? ColumnPlan() : usual_order(first_row, options.time_format);
  std::vector<int> given;
  const auto choose = [&](const std::optional<std::string>& name, const char* option, int by_default) {
    if (!name) return std::ranges::find(given, by_default) == given.end() ? by_default : -1;
    if (name->empty()) return -1;
    const auto position = parse_int64(*name);
    if (!position || *position < 1 || *position > n)
      throw argument_error(REC_INVALID_DATA, option, "there is no column '", printable(*name),
                           "': the first row is no header, so that columns are named \"1\" to \"", n, "\"");
    return static_cast<int>(*position) - 1;
  };
  const auto plan_all = [&] {
    ColumnPlan plan;
    plan.n_columns = first_row.size();
    plan.user = choose(options.user_column, "user_column", usual.user);
    plan.item = choose(options.item_column, "item_column", usual.item);
    plan.time = choose(options.time_column, "time_column", usual.time);
    plan.weight = choose(options.weight_column, "weight_column", usual.weight);
    plan.label = choose(options.label_column, "label_column", -1);
    return plan;
  };
  // First those that are given, since no other role may have their columns.
  const ColumnPlan named = [&] {
    given.resize(first_row.size());
    std::iota(given.begin(), given.end(), 0);
    return plan_all();
  }();
  given = {named.user, named.item, named.time, named.weight, named.label};
  std::erase(given, -1);
  ColumnPlan plan = plan_all();
  if (plan.user < 0 || plan.item < 0)
    throw Error(REC_INVALID_DATA, "there is no header, and the columns of users and of items are not told; give both by position")
        .at_argument(plan.user < 0 ? "user_column" : "item_column");
  if (plan.user == plan.item)
    throw Error(REC_INVALID_DATA, "user and item are the same column").at_argument("item_column");
  std::vector<std::string> positions;
  for (int i = 1; i <= n; ++i) positions.push_back(cat(i));
  plan.impression = impression_column(positions, options, plan);
  return plan;
}

float parse_weight(std::string_view cell, std::string_view column) {
  const auto value = number_in(cell);
  if (!value)
    throw bad_cell(column, cell,
                   cell.find(',') == std::string_view::npos ? "is not a number"
                                                            : "is not a number; decimals are written with a point");
  const auto weight = static_cast<float>(*value);
  if (!std::isfinite(weight)) throw bad_cell(column, cell, "is not a finite float");
  return weight;
}

float parse_label(std::string_view cell, std::string_view column) {
  const auto value = number_in(cell);
  if (!value || (*value != 0 && *value != 1)) throw bad_cell(column, cell, "is neither 0 nor 1");
  return static_cast<float>(*value);
}

bool is_missing_word(std::string_view id) {
  const std::vector<std::string_view> words = split(kMissing, ',');
  return std::ranges::find(words, id) != words.end();
}

RowSink::RowSink(const DatasetOptions& options, DatasetBuilder& builder) : options_(options), builder_(builder) {
  const std::string words = options.missing.value_or(kMissing);
  for (std::string_view word : split(words, ',')) {
    missing_.emplace_back(word);
    longest_missing_ = std::max(longest_missing_, word.size());
  }
}

void RowSink::begin_file(const std::string& path, const OptionalColumns& columns) {
  path_ = path;
  if (first_path_.empty()) {
    first_path_ = path;
    builder_.declare(columns);
  } else if (builder_.columns() != columns) {
    throw located(Error(REC_INVALID_DATA, cat("the file has ", names_of(columns), ", but ", first_path_, " has ",
                                              names_of(builder_.columns()))),
                  path, 1);
  }
  if (options_.min_weight && !columns.weight)
    throw located(argument_error(REC_INVALID_DATA, "min_weight", "the file has no weight column"), path, 1);
}

Row RowSink::parse(const std::vector<std::string_view>& cells, const ColumnPlan& plan) {
  if (cells.size() != plan.n_columns)
    throw Error(REC_INVALID_DATA, cat("the row has ", cells.size(), " columns, expected ", plan.n_columns));
  const auto cell = [&](int column) { return cells[column]; };
  Row row;
  row.user = cell(plan.user);
  row.item = cell(plan.item);
  if (!header_user_.empty() && row.user == header_user_ && row.item == header_item_)
    throw Error(REC_INVALID_DATA, "the header stands here again");
  if (row.user.empty()) throw bad_cell("user_id", row.user, "is empty");
  if (row.item.empty()) throw bad_cell("item_id", row.item, "is empty");
  if (plan.time >= 0) {
    const auto& format = options_.time_format;
    const auto time = format ? parse_moment(cell(plan.time), *format) : parse_moment(cell(plan.time));
    if (!time && format) throw bad_cell("time", cell(plan.time), "is not written as the time format says");
    if (!time)
      throw bad_cell("time", cell(plan.time),
                     "is neither a number that fits an int64 nor a date of ISO 8601; other dates need a time format");
    row.time = *time;
  }
  if (plan.weight >= 0 && cell(plan.weight).empty() && plan.weight_may_be_empty)
    row.weight = std::numeric_limits<float>::quiet_NaN();
  else if (plan.weight >= 0)
    row.weight = parse_weight(cell(plan.weight), "weight");
  if (plan.label >= 0) row.shown.label = parse_label(cell(plan.label), "label");
  if (plan.impression >= 0)
    row.shown.impression_key =
        plan.impression == plan.time ? row.time.key() : builder_.impression_key(cell(plan.impression));
  return row;
}

bool RowSink::add(const Row& row, Part part) {
  const Fate fate = fate_of(row);
  n_missing_ += fate == Fate::kMissing;
  n_light_ += fate == Fate::kLight;
  if (fate != Fate::kKept) return false;
  builder_.add(row.user, row.item, row.time, row.weight, part, row.shown);
  return true;
}

void RowSink::decided(const char* what, std::string how) {
  for (const auto& [known, _] : read_as_)
    if (known == what) return;
  read_as_.emplace_back(what, std::move(how));
}

void RowSink::tell(Dataset& dataset) {
  dataset.n_skipped = n_skipped_;
  dataset.n_missing = n_missing_;
  dataset.has_parts = has_parts_;
  dataset.read_as.insert(dataset.read_as.begin(), read_as_.begin(), read_as_.end());
  if (n_missing_ > 0)
    notes_.push_back(cat(n_missing_, " rows were left out, because their user or item is a word for a missing one (",
                         options_.missing.value_or(kMissing), ")"));
  if (n_light_ > 0)
    notes_.push_back(cat(n_light_, " rows were left out, because their weight is below ", *options_.min_weight));
  dataset.notes.insert(dataset.notes.begin(), notes_.begin(), notes_.end());
}

Error RowSink::no_rows() const {
  std::string why = "there are no interactions in it";
  if (n_light_ > 0) why += cat("; ", n_light_, " rows have a weight below min_weight, ", *options_.min_weight);
  if (n_missing_ > 0) why += cat("; ", n_missing_, " rows have no user or no item");
  return Error(REC_INVALID_DATA, why);
}

void RowSink::reject(Error error, int64_t line, bool fatal) {
  if (error.status != REC_INVALID_DATA) throw std::move(error);
  Error bad = located(std::move(error), path_, line);
  if (fatal || options_.bad_rows != REC_BAD_ROW_SKIP) throw bad;
  const int64_t limit = options_.max_bad_rows > 0 ? options_.max_bad_rows : 1000;
  if (++n_skipped_ > limit) {
    bad.message = cat("more than ", limit, " bad rows (max_bad_rows); the last is ", bad.message);
    throw bad;
  }
}

}  // namespace rec
