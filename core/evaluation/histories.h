#pragma once

#include "core/evaluation/evaluation_input.h"

namespace rec {

// What a model may know about the user of each row: positive interactions with items of the catalog. With
// REC_HISTORY_TRAINING those of the training part; with REC_HISTORY_BEFORE
//   for a user row, those of the parts before,
//   for an event row, those that come before it in this part and the parts before,
//   for a list or a labelled row, the same but at earlier times only, as the items of a list share their time.
class Histories {
 public:
  explicit Histories(const EvaluationInput& input);

  // The history for the row that this interaction is, or begins.
  History of(int64_t interaction) const;
  bool training_only() const { return training_only_; }
  bool has_times() const { return !time_.empty(); }
  int64_t time(int64_t interaction) const { return time_[interaction]; }

 private:
  bool training_only_;
  Buffer<int64_t> begin_, end_;  // [n] into items_
  Buffer<int64_t> time_;         // [n], or empty
  std::vector<int32_t> items_;   // of each user, oldest first
  std::vector<int64_t> times_;   // beside items_, or empty
};

// The queries for a block of rows, and the scratch to answer them.
struct QueryBlock {
  // users: the model's user row of each row. interactions: of each row, as Histories::of takes them.
  QueryBlock(const Scorer& scorer, const Histories& histories, std::span<const int32_t> users,
             std::span<const int64_t> interactions);
  QueryBlock(const QueryBlock&) = delete;
  QueryBlock& operator=(const QueryBlock&) = delete;

  Queries queries;
  std::vector<rec_status_t> status;  // [n]
  Scorer::Scratch scratch;

 private:
  std::vector<int64_t> offsets_{0}, item_times_, times_;
  std::vector<int32_t> items_;
};

}  // namespace rec
