#pragma once

#include "core/evaluation/histories.h"

namespace rec {

// A Csr under construction, row by row.
class CsrBuilder {
 public:
  void add(int32_t column) { columns_.push_back(column); }
  void close() { offsets_.push_back(std::ssize(columns_)); }
  void close_sorted();
  void close_sorted_distinct();
  void drop() { columns_.resize(offsets_.back()); }  // the open row
  int64_t n_rows() const { return std::ssize(offsets_) - 1; }
  std::span<const int32_t> open_row() const { return std::span(columns_).subspan(offsets_.back()); }
  Csr take() const {
    return {Buffer<int64_t>(std::span<const int64_t>(offsets_)), Buffer<int32_t>(std::span<const int32_t>(columns_))};
  }

 private:
  std::vector<int64_t> offsets_{0};
  std::vector<int32_t> columns_;
};

// Rows that rank items; those of a user are adjacent.
struct RankingRows {
  std::vector<int32_t> users;         // [n_rows] the model's user row, -1 = unknown
  std::vector<int64_t> interactions;  // [n_rows] that a row is, or begins with
  std::vector<int64_t> mask_of;       // [n_rows] into masks
  Csr positives;                      // [n_rows] ascending
  Csr masks;                          // ascending; positives of the row among them are not masked

  void add(int32_t user, int64_t interaction, int64_t mask) {
    users.push_back(user);
    interactions.push_back(interaction);
    mask_of.push_back(mask);
  }
};

// The candidates of each row, ascending: its positives and the given or drawn items. Drawn by the seed, from the items
// that the user has in no part. Items unknown to the model are left out.
Csr make_candidates(const EvaluationInput& input, const RankingRows& rows);

// What user and event rows share: the candidates are scored, the masked ones left out, and the ranking gives the
// metrics.
class RankingEvaluation : public Evaluation {
 protected:
  RankingEvaluation(const EvaluationInput& input, RankingRows rows);

  // Whether the items of this part are left out.
  static bool is_masked(const Protocol& protocol, Part part);

 private:
  Report run_rows(const Scorer& scorer, ThreadPool& pool, const CancelToken* cancel) const override;
  // What becomes of the rows.
  struct Results {
    std::vector<double> values;     // [n_rows, n_metrics]
    std::vector<double> weights;    // [n_rows] for gauc
    std::vector<RankedList> lists;  // [n_rows] with Protocol::keep_lists, else empty
  };
  void rank_top(const Scorer& scorer, QueryBlock& block, int64_t begin, Results& results) const;
  void rank_all(const Scorer& scorer, QueryBlock& block, int64_t begin, Results& results) const;
  void rank_candidates(const Scorer& scorer, QueryBlock& block, int64_t begin, Results& results) const;
  void rank_scores(int64_t row, const std::span<const int32_t>* items, std::span<float> scores, Results& results) const;

  Protocol protocol_;
  std::vector<MetricSpec> metrics_;
  ListMetrics lists_;
  int64_t n_items_;
  std::vector<uint8_t> untrained_;
  int64_t max_k_;      // of a metric or a list that is kept
  bool needs_scores_;  // a metric or the tie rule needs more than the top of the list
  RankingRows rows_;
  Histories histories_;
  Csr candidates_;  // [n_rows]; no offsets = all items
};

}  // namespace rec
