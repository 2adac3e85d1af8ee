#pragma once

#include <memory>
#include <vector>

#include "core/kernels/kernels.h"
#include "core/serving/model.h"

namespace rec {

// Who asks: a user row (-1 = unknown), or a history of item rows, or both. A given history wins; an empty one stands for
// what the model knows of the user, or for nothing.
struct Queries {
  int64_t n = 0;
  const int32_t* users = nullptr;            // [n], nullable
  const int64_t* history_offsets = nullptr;  // [n + 1], nullable
  const int32_t* history_items = nullptr;
  const int64_t* history_times = nullptr;  // beside history_items, nullable
  bool histories_are_whole = false;        // an empty one is none
  const int64_t* times = nullptr;          // [n] when each query asks, nullable: right after its history

  std::span<const int32_t> given_history(int64_t q) const {
    if (history_offsets == nullptr) return {};
    return {history_items + history_offsets[q], static_cast<size_t>(history_offsets[q + 1] - history_offsets[q])};
  }
};

// Ranks items by a model's scores: the one code behind top-k serving and evaluation. Readers may share it.
class Ranker {
 public:
  // Memory of one caller; grows to what its calls need and stays.
  struct Scratch {
    std::vector<float> vectors, scores;
    std::vector<int32_t> histories, candidates;
    std::vector<int64_t> asked;      // queries that the plugin encodes
    Batch batch;                     // what the plugin gets
    std::vector<int64_t> selection;  // 8-byte aligned bytes for the kernels
    std::vector<rec_status_t> status;
  };

  explicit Ranker(std::shared_ptr<const Model> model);

  const Model& model() const { return *model_; }
  // Whether the plugin looks at histories, or at their times.
  bool wants_query_column(int32_t column) const;

  // Top k of each query, padded. A query that cannot be answered gets an empty row and NOT_FOUND in status [n].
  void top_k(const Queries& queries, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
             rec_status_t* status, Scratch& scratch) const;

  // Scores of all items, [n, n_items]; NaN for a query that cannot be answered.
  void all_scores(const Queries& queries, float* scores, rec_status_t* status, Scratch& scratch) const;

  // Scores of candidates, item rows [offsets[n]] with -1 = unknown; -INFINITY for those and for unanswerable queries.
  void candidate_scores(const Queries& queries, const int64_t* offsets, const int32_t* items, float* scores,
                        rec_status_t* status, Scratch& scratch) const;

  // Most similar items by cosine of vectors, or by weight; the item itself is left out.
  void similar(const int32_t* items, int64_t n, int64_t k, int64_t* rows, float* scores, Scratch& scratch) const;

  // Queries that one pass over the items answers together.
  static constexpr int64_t kBlock = 64;

 private:
  // Query vectors [n, d] of a model that is served by an item table.
  void encode(const Queries& queries, rec_status_t* status, Scratch& scratch) const;
  void score_by_weights(std::span<const int32_t> history, float* scores) const;
  void encode_by_plugin(const Queries& queries, Scratch& scratch) const;
  void score_by_plugin(const Queries& queries, int64_t q, std::span<const int32_t> items, float* scores,
                       Scratch& scratch) const;
  struct History {
    std::span<const int32_t> items;
    const int64_t* times;  // nullable
  };
  History history_of(const Queries& queries, int64_t q) const;
  std::span<const int32_t> distinct_history(const Queries& queries, int64_t q, Scratch& scratch) const;
  void fill_query_columns(const Queries& queries, std::span<const int64_t> asked, Batch& batch) const;
  bool answerable(const Queries& queries, int64_t q) const;
  bool needs_history() const;
  bool by_vectors() const { return !model_->item_table.shape.empty(); }

  std::shared_ptr<const Model> model_;
  const PluginModel* plugin_;    // of the model, when it needs one
  Buffer<float> tiles_;          // of the item table
  Buffer<float> inverse_norms_;  // [n_items] 1 / length of each item vector, 0 for the zero vector
};

}  // namespace rec
