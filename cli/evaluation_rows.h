// The rows of an evaluation: whom each is of, its value of every metric, and what it ranked.
#pragma once

#include <string>
#include <vector>

#include "cli/model_ids.h"

namespace rec::cli {

struct RankedItem {
  std::string id;    // as it stands in JSON: 7 or "a b"
  std::string text;  // the id itself
  float score;
  bool relevant;
};

class EvaluationRows {
 public:
  // In the order of the data set.
  EvaluationRows(const Model& model, Report report);

  int64_t n() const { return n_; }
  const std::vector<std::string>& metrics() const { return names_; }
  bool has_lists() const { return offsets_ != nullptr; }  // Protocol::keep_lists

  int64_t interaction(int64_t row) const { return interactions_[order_[row]]; }  // of the data set, from 0
  int64_t user_row(int64_t row) const { return users_[order_[row]]; }            // of the model; -1 = unknown to it
  std::string user(int64_t row) const;                                           // its id; "" if unknown
  std::string user_json(int64_t row) const;                                      // "null" if unknown
  double value(size_t metric, int64_t row) const { return values_[metric * n_ + order_[row]]; }
  std::vector<RankedItem> list(int64_t row) const;

 private:
  Report report_;
  std::vector<std::string> names_;
  ModelIds user_ids_, item_ids_;
  std::vector<int64_t> order_;
  int64_t n_ = 0;
  const int64_t *users_ = nullptr, *interactions_ = nullptr, *offsets_ = nullptr, *items_ = nullptr;
  const double* values_ = nullptr;
  const float* scores_ = nullptr;
  const uint8_t* relevant_ = nullptr;
};

// A number in its shortest form that reads back as the same; "" for NaN.
std::string shortest(double value);
std::string shortest(float value);
// "[5, 3]".
std::string bracketed(const std::vector<std::string>& values);
// A cell of a table whose columns a separator parts, in quotes where it has to be.
std::string cell(const std::string& text, char separator);

// A line for each row: CSV for .csv, TSV for .tsv, JSON lines for .jsonl. Columns: row (of the data set, from 0), user,
// each metric; with lists, items, scores and relevant.
void check_rows_path(const std::string& argument, const std::string& path);
void write_rows(const std::string& argument, const std::string& path, const EvaluationRows& rows);

}  // namespace rec::cli
