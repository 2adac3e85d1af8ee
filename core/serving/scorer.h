#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/kernels/kernels.h"
#include "core/plugin/history_columns.h"
#include "core/serving/model.h"
#include "core/serving/queries.h"

namespace rec {

class Vectors;
enum class Entity { kUser, kItem };

// Scores items for queries: the one code behind top-k serving and evaluation. One class for each way a model is served:
// by tables, by item weights, by its plugin. Threads: any number may share a scorer, each with its own scratch.
class Scorer {
 public:
  static constexpr int64_t kQueries = 64;              // at most, of one call
  static constexpr int64_t kItems = int64_t{1} << 16;  // scored at a time for one query

  // Memory of one caller. Grows to what the calls need and is kept: kQueries query vectors and histories, the scores of
  // kItems items, and a selection of k; nothing grows with the number of items beyond that.
  struct Scratch {
    std::vector<float> vectors, encoded;  // of the queries
    std::vector<float> scores;            // of a block of items
    std::vector<float> item_scores, found_scores, merged_scores;
    std::vector<int32_t> history, items;
    std::vector<int64_t> asked, found_rows, merged_rows;
    std::vector<History> histories;
    std::vector<int64_t> selection;  // 8-byte aligned bytes for the kernels
    Batch batch;                     // what the plugin gets
  };

  virtual ~Scorer();

  // Room for the scores of a block of items; the kernels write whole tiles.
  static int64_t block_floats(int64_t n_items) {
    return kernels::tile_count(std::min(n_items, kItems)) * kernels::kTileItems;
  }

  const Model& model() const { return *model_; }
  const std::shared_ptr<const Model>& shared_model() const { return model_; }
  // Whether the plugin reads this REC_COLUMN_ of a query.
  bool wants_query_column(int32_t column) const;

  // Whether a history changes this model's scores: it is served by item weights or by its plugin.
  bool wants_histories() const { return plugin_ != nullptr || model_->has_item_weights(); }
  // Whether a user that the model does not know is answered by the history that comes with them.
  bool answers_unknown_users() const { return plugin_ == nullptr || plugin_->has(REC_CAP_COLD_USER); }
  // The history that the model file holds for a user; empty for an unknown one.
  virtual History known_history(int32_t user) const;
  // The part of a history that a model file keeps.
  History as_kept(const History& history) const;

  // In top_k, all_scores and candidate_scores: at most kQueries queries; status [n] is REC_OK or, for a query that cannot
  // be answered, REC_NOT_FOUND.

  // The k best items of each query, [n, k], padded; an unanswerable query gets padding only.
  virtual void top_k(const Queries& queries, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
                     rec_status_t* status, Scratch& scratch) const = 0;

  // Scores of all items, [n, stride]; NaN for an unanswerable query. stride: at least all_stride(); what lies beyond the
  // items is undefined.
  virtual void all_scores(const Queries& queries, float* scores, int64_t stride, rec_status_t* status,
                          Scratch& scratch) const = 0;
  int64_t all_stride() const { return kernels::tile_count(model_->n_items()) * kernels::kTileItems; }

  // Scores of each query's candidates: item rows from offsets[q] to offsets[q + 1], -1 = unknown to the model. scores:
  // beside items; -INFINITY for an unknown item and for all items of an unanswerable query.
  void candidate_scores(const Queries& queries, const int64_t* offsets, const int32_t* items, float* scores,
                        rec_status_t* status, Scratch& scratch) const;

  // The k items most similar to an item, or users to a user, by cosine of their vectors or by weight, of those that allow
  // and deny leave, padded; the row itself is left out, and an unknown one (-1) has none. UNSUPPORTED for a model without
  // such vectors and weights.
  virtual void similar(Entity entity, int32_t row, const kernels::ItemFilter& filter, int64_t k, int64_t* rows,
                       float* scores, Scratch& scratch) const;

 protected:
  explicit Scorer(std::shared_ptr<const Model> model);

  // top_k and all_scores: find_answerable, then prepare (TableScorer) or, for each query, open and score_range
  // (BlockScorer). candidate_scores: find_answerable, prepare, then open and score_items for each query.

  // Called once, before the first score of a call.
  virtual void prepare(const Queries&, const rec_status_t*, Scratch&) const {}
  // Called before the scores of one query, which is answerable.
  virtual void open(const Queries&, int64_t, Scratch&) const {}
  // Scores of these items for the open query.
  virtual void score_items(int64_t q, std::span<const int32_t> items, float* scores, Scratch& scratch) const = 0;

  // What `similar` compares; nullptr when the model has no such vectors.
  virtual const Vectors* vectors(Entity entity) const;
  // Those of a table that only `similar` needs: prepared at its first use, when `table` is asked for it.
  const Vectors* prepared(Entity entity, const std::function<MatrixView()>& table) const;

  const PluginModel* plugin() const { return plugin_; }  // nullptr when the model is served without it
  void find_answerable(const Queries& queries, rec_status_t* status) const;
  // The given history, else the one that the model knows.
  History history_of(const Queries& queries, int64_t q) const;
  // Fills scratch.batch with the columns that the plan names, except ITEM, for the queries `asked`.
  void fill_query_columns(const Queries& queries, std::span<const int64_t> asked, Scratch& scratch) const;
  static void pad(int64_t k, int64_t* rows, float* scores);

 private:
  bool answerable(const Queries& queries, int64_t q) const;
  bool needs_history() const;

  std::shared_ptr<const Model> model_;
  const PluginModel* plugin_;

  struct Prepared {
    std::once_flag once;
    std::unique_ptr<const Vectors> vectors;
  };
  mutable Prepared users_, items_;
};

// The scorer for this model; a plugin with a runtime such as LibTorch is loaded here.
std::unique_ptr<const Scorer> make_scorer(std::shared_ptr<const Model> model);

std::unique_ptr<const Scorer> make_table_scorer(std::shared_ptr<const Model> model);
std::unique_ptr<const Scorer> make_weights_scorer(std::shared_ptr<const Model> model);
std::unique_ptr<const Scorer> make_plugin_scorer(std::shared_ptr<const Model> model);

}  // namespace rec
