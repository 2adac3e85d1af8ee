#include "core/data/rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/text.h"

namespace rec {

namespace {

const std::vector<std::string> kUserNames{"userid", "user", "uid", "sessionid"};
const std::vector<std::string> kItemNames{"itemid", "item", "movieid", "iid"};
const std::vector<std::string> kTimeNames{"timestamp", "time", "ts"};
const std::vector<std::string> kWeightNames{"rating", "weight", "score", "stars"};
const std::vector<std::string> kLabelNames{"label"};
const std::vector<std::string> kImpressionNames{"impressionid"};

std::string plain(std::string_view name) {
  std::string out = to_lower(trim(name));
  std::erase_if(out, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return out;
}

int named_column(const std::vector<std::string>& header, const std::string& name, const char* option) {
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end())
    throw argument_error(REC_INVALID_DATA, option, "there is no column '", printable(name), "'",
                         suggestion(name, header));
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
  if (!key) return plan.time >= 0 ? plan.time : find_column(header, kImpressionNames);
  if (key->empty()) return -1;
  if (plan.label < 0)
    throw argument_error(REC_INVALID_DATA, "impression_key",
                         "there is no label column, and only labelled rows form lists");
  if (*key == "time" && plan.time >= 0) return plan.time;
  return named_column(header, *key, "impression_key");
}

Error bad_cell(std::string_view column, std::string_view cell, const char* what) {
  const std::string name = printable(column);
  Error error(REC_INVALID_DATA, cat(name, ": '", printable(cell), "' ", what));
  error.argument = name;
  return error;
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

std::optional<ColumnPlan> plan_headerless(const std::vector<std::string_view>& first_row,
                                          const DatasetOptions& options) {
  const auto number = [](std::string_view cell) { return parse_double(cell).has_value() || looks_like_integer(cell); };
  if (first_row.size() < 2 || first_row.size() > 4 || !std::all_of(first_row.begin(), first_row.end(), number))
    return std::nullopt;
  ColumnPlan plan;
  plan.n_columns = first_row.size();
  plan.user = 0;
  plan.item = 1;
  const auto wanted = [](const std::optional<std::string>& name) { return !name || !name->empty(); };
  if (plan.n_columns > 2 && wanted(options.weight_column)) plan.weight = 2;
  if (plan.n_columns > 3 && wanted(options.time_column)) plan.time = 3;
  return plan;
}

float parse_weight(std::string_view cell, std::string_view column) {
  const auto value = parse_double(cell);
  if (!value) throw bad_cell(column, cell, "is not a number");
  const auto weight = static_cast<float>(*value);
  if (!std::isfinite(weight)) throw bad_cell(column, cell, "is not a finite float");
  return weight;
}

int64_t parse_time(std::string_view cell, std::string_view column) {
  int64_t time;
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), time);
  if (code == std::errc() && end == cell.data() + cell.size()) return time;
  const auto value = parse_double(cell);
  if (!value || *value != std::trunc(*value)) throw bad_cell(column, cell, "is not a whole number of seconds");
  if (!(std::abs(*value) < 0x1p63)) throw bad_cell(column, cell, "does not fit an int64");
  return static_cast<int64_t>(*value);
}

float parse_label(std::string_view cell, std::string_view column) {
  const auto value = parse_double(cell);
  if (!value || (*value != 0 && *value != 1)) throw bad_cell(column, cell, "is neither 0 nor 1");
  return static_cast<float>(*value);
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
  if (row.user.empty()) throw bad_cell("user_id", row.user, "is empty");
  if (row.item.empty()) throw bad_cell("item_id", row.item, "is empty");
  if (plan.time >= 0) row.time = parse_time(cell(plan.time), "time");
  if (plan.weight >= 0 && cell(plan.weight).empty() && plan.weight_may_be_empty)
    row.weight = std::numeric_limits<float>::quiet_NaN();
  else if (plan.weight >= 0)
    row.weight = parse_weight(cell(plan.weight), "weight");
  if (plan.label >= 0) row.shown.label = parse_label(cell(plan.label), "label");
  if (plan.impression >= 0)
    row.shown.impression_key = plan.impression == plan.time ? row.time : builder_.impression_key(cell(plan.impression));
  return row;
}

bool RowSink::add(const Row& row, Part part) {
  // Not "<": a missing weight (NaN) passes no bound.
  if (options_.min_weight && !(static_cast<double>(row.weight) >= *options_.min_weight)) return false;
  builder_.add(row.user, row.item, row.time, row.weight, part, row.shown);
  return true;
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
