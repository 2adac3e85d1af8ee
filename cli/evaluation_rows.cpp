#include "cli/evaluation_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "cli/output_file.h"

namespace rec::cli {

namespace {

template <class Number>
std::string shortest_of(Number value) {
  if (std::isnan(value)) return "";
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// The lists of a row as columns.
struct Columns {
  std::vector<std::string> items, scores, relevant;

  explicit Columns(const std::vector<RankedItem>& list) {
    for (const RankedItem& item : list) {
      items.push_back(item.id);
      scores.push_back(shortest(item.score));
      relevant.push_back(item.relevant ? "1" : "0");
    }
  }
};

void write_json(std::ostream& out, const EvaluationRows& rows) {
  for (int64_t row = 0; row < rows.n(); ++row) {
    out << "{\"row\":" << rows.interaction(row) << ",\"user\":" << rows.user_json(row);
    for (size_t m = 0; m < rows.metrics().size(); ++m) {
      const std::string value = shortest(rows.value(m, row));
      out << ',' << Json(rows.metrics()[m]).dump() << ':' << (value.empty() ? "null" : value);
    }
    if (rows.has_lists()) {
      const Columns columns(rows.list(row));
      out << ",\"items\":" << bracketed(columns.items) << ",\"scores\":" << bracketed(columns.scores)
          << ",\"relevant\":" << bracketed(columns.relevant);
    }
    out << "}\n";
  }
}

void write_table(std::ostream& out, const EvaluationRows& rows, char separator) {
  out << "row" << separator << "user";
  for (const std::string& metric : rows.metrics()) out << separator << cell(metric, separator);
  if (rows.has_lists()) out << separator << "items" << separator << "scores" << separator << "relevant";
  out << '\n';
  for (int64_t row = 0; row < rows.n(); ++row) {
    out << rows.interaction(row) << separator << cell(rows.user(row), separator);
    for (size_t m = 0; m < rows.metrics().size(); ++m) out << separator << shortest(rows.value(m, row));
    if (rows.has_lists()) {
      const Columns columns(rows.list(row));
      for (const auto* column : {&columns.items, &columns.scores, &columns.relevant})
        out << separator << cell(bracketed(*column), separator);
    }
    out << '\n';
  }
}

}  // namespace

EvaluationRows::EvaluationRows(const Model& model, Report report)
    : report_(std::move(report)), user_ids_(rec_model_user_ids, model), item_ids_(rec_model_item_ids, model) {
  int64_t n_metrics = 0;
  call(rec_report_counts, report_.get(), &n_metrics, &n_);
  call(rec_report_get_users, report_.get(), &users_);
  call(rec_report_get_interactions, report_.get(), &interactions_);
  call(rec_report_get_values, report_.get(), &values_);
  for (int64_t i = 0; i < n_metrics; ++i) {
    const char* name = nullptr;
    call(rec_report_get_metric, report_.get(), i, &name, nullptr);
    names_.emplace_back(name);
  }
  rec_error_t* error = nullptr;
  rec_report_get_lists(report_.get(), &offsets_, &items_, &scores_, &relevant_, &error);  // where they were kept
  rec_error_destroy(error);
  order_.resize(n_);
  std::iota(order_.begin(), order_.end(), int64_t{0});
  std::ranges::stable_sort(order_, {}, [&](int64_t row) { return interactions_[row]; });
}

std::string EvaluationRows::user(int64_t row) const {
  const int64_t user = user_row(row);
  return user < 0 ? "" : user_ids_.text(user);
}

std::string EvaluationRows::user_json(int64_t row) const {
  const int64_t user = user_row(row);
  return user < 0 ? "null" : user_ids_.json(user);
}

std::vector<RankedItem> EvaluationRows::list(int64_t row) const {
  std::vector<RankedItem> list;
  for (int64_t i = offsets_[order_[row]]; i < offsets_[order_[row] + 1]; ++i)
    list.push_back({item_ids_.json(items_[i]), item_ids_.text(items_[i]), scores_[i], relevant_[i] != 0});
  return list;
}

std::string shortest(double value) { return shortest_of(value); }
std::string shortest(float value) { return shortest_of(value); }

std::string bracketed(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return "[" + text + "]";
}

std::string cell(const std::string& text, char separator) {
  if (text.find_first_of(std::string("\"\r\n") + separator) == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

void check_rows_path(const std::string& argument, const std::string& path) {
  for (const char* end : {".csv", ".tsv", ".jsonl"})
    if (path.ends_with(end)) return;
  throw usage_error(argument, "the file's name must end in .csv, .tsv or .jsonl, got '" + plain(path) + "'");
}

void write_rows(const std::string& argument, const std::string& path, const EvaluationRows& rows) {
  OutputFile file(argument, path);
  if (path.ends_with(".jsonl"))
    write_json(file.stream(), rows);
  else
    write_table(file.stream(), rows, path.ends_with(".tsv") ? '\t' : ',');
  file.close();
}

}  // namespace rec::cli
