#include "core/data/rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/text.h"

namespace rec {

namespace {

const std::vector<std::string> kUserNames{"userid", "user", "uid", "sessionid"};
const std::vector<std::string> kItemNames{"itemid", "item", "movieid", "iid"};
const std::vector<std::string> kTimeNames{"timestamp", "time", "ts"};
const std::vector<std::string> kWeightNames{"rating", "weight", "score", "stars", "label"};

std::string plain(std::string_view name) {
  std::string out = to_lower(trim(name));
  std::erase_if(out, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + printable(name);
  return all;
}

int named_column(const std::vector<std::string>& header, const std::string& name, const char* option) {
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end())
    throw Error(REC_INVALID_DATA, cat(option, ": there is no column '", printable(name), "'", suggestion(name, header)))
        .at_argument(option);
  return static_cast<int>(at - header.begin());
}

int required_column(const std::vector<std::string>& header, const std::optional<std::string>& name,
                    const std::vector<std::string>& usual, const char* what, const char* option) {
  if (name) return named_column(header, *name, option);
  const int column = find_column(header, usual);
  if (column < 0)
    throw Error(REC_INVALID_DATA, cat("no ", what, " column among ", joined(header), "; name it with ", option))
        .at_argument(option);
  return column;
}

int optional_column(const std::vector<std::string>& header, const std::optional<std::string>& name,
                    const std::vector<std::string>& usual, const char* option) {
  if (!name) return find_column(header, usual);
  return name->empty() ? -1 : named_column(header, *name, option);
}

std::string part_columns(bool time, bool weight) {
  return cat(time ? "a time" : "no time", " and ", weight ? "a weight" : "no weight", " column");
}

Error bad_cell(std::string_view column, std::string_view cell, const char* what) {
  Error error(REC_INVALID_DATA, cat(column, ": '", printable(cell), "' ", what));
  error.argument = std::string(column);
  return error;
}

}  // namespace

int find_column(const std::vector<std::string>& header, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    int found = -1;
    for (size_t i = 0; i < header.size(); ++i) {
      if (plain(header[i]) != name) continue;
      if (found >= 0)
        throw Error(REC_INVALID_DATA, cat("columns '", header[static_cast<size_t>(found)], "' and '", header[i],
                                          "' could both be the one wanted; name one in the options"));
      found = static_cast<int>(i);
    }
    if (found >= 0) return found;
  }
  return -1;
}

ColumnPlan plan_columns(const std::vector<std::string>& header, const DatasetOptions& options) {
  for (auto name = header.begin(); name != header.end(); ++name)
    if (std::find(header.begin(), name, *name) != name)
      throw Error(REC_INVALID_DATA, cat("column '", printable(*name), "' stands twice in the header"))
          .at_argument(*name);
  ColumnPlan plan;
  plan.n_columns = header.size();
  plan.user = required_column(header, options.user_column, kUserNames, "user", "user_column");
  plan.item = required_column(header, options.item_column, kItemNames, "item", "item_column");
  plan.time = optional_column(header, options.time_column, kTimeNames, "time_column");
  plan.weight = optional_column(header, options.weight_column, kWeightNames, "weight_column");
  if (plan.user == plan.item)
    throw Error(REC_INVALID_DATA, "user and item are the same column").at_argument("item_column");
  return plan;
}

ColumnPlan plan_columns(const std::vector<std::string>& header, const DatasetOptions& options, const std::string& path,
                        int64_t line) {
  try {
    return plan_columns(header, options);
  } catch (Error& error) {
    throw located(std::move(error), path, line);
  }
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

void RowSink::begin_file(const std::string& path, bool has_time, bool has_weight) {
  path_ = path;
  if (first_path_.empty()) {
    first_path_ = path;
    builder_.declare(has_time, has_weight);
  } else if (builder_.has_time() != has_time || builder_.has_weight() != has_weight) {
    throw located(
        Error(REC_INVALID_DATA, cat("the file has ", part_columns(has_time, has_weight), ", but ", first_path_, " has ",
                                    part_columns(builder_.has_time(), builder_.has_weight()))),
        path, 1);
  }
  if (options_.min_weight && !has_weight)
    throw located(Error(REC_INVALID_DATA, "min_weight: the file has no weight column").at_argument("min_weight"), path,
                  1);
}

Row RowSink::parse(const std::vector<std::string_view>& cells, const ColumnPlan& plan) const {
  if (cells.size() != plan.n_columns)
    throw Error(REC_INVALID_DATA, cat("the row has ", cells.size(), " columns, expected ", plan.n_columns));
  const auto cell = [&](int column) { return cells[static_cast<size_t>(column)]; };
  Row row;
  row.user = cell(plan.user);
  row.item = cell(plan.item);
  if (row.user.empty()) throw bad_cell("user_id", row.user, "is empty");
  if (row.item.empty()) throw bad_cell("item_id", row.item, "is empty");
  if (plan.time >= 0) row.time = parse_time(cell(plan.time), "time");
  if (plan.weight >= 0) row.weight = parse_weight(cell(plan.weight), "weight");
  return row;
}

bool RowSink::add(const Row& row, Part part) {
  if (options_.min_weight && static_cast<double>(row.weight) < *options_.min_weight) return false;
  builder_.add(row.user, row.item, row.time, row.weight, part);
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
