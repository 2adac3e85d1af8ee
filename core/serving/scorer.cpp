#include "core/serving/scorer.h"

#include <limits>

#include "core/serving/vectors.h"

namespace rec {

Scorer::Scorer(std::shared_ptr<const Model> model)
    : model_(std::move(model)), plugin_(model_->needs_plugin ? &model_->plugin() : nullptr) {}

Scorer::~Scorer() = default;

std::unique_ptr<const Scorer> make_scorer(std::shared_ptr<const Model> model) {
  if (!model->item_table.shape.empty()) return make_table_scorer(std::move(model));
  if (model->has_item_weights()) return make_weights_scorer(std::move(model));
  return make_plugin_scorer(std::move(model));
}

bool Scorer::wants_query_column(int32_t column) const {
  if (plugin_ == nullptr) return false;
  const rec_plan_t& plan = plugin_->plan();
  return std::find(plan.query_columns, plan.query_columns + plan.n_query_columns, column) !=
         plan.query_columns + plan.n_query_columns;
}

void Scorer::find_answerable(const Queries& queries, rec_status_t* status) const {
  for (int64_t q = 0; q < queries.n; ++q) status[q] = answerable(queries, q) ? REC_OK : REC_NOT_FOUND;
}

bool Scorer::answerable(const Queries& queries, int64_t q) const {
  if (model_->serves_everybody()) return true;
  const bool has_history = !queries.given_history(q).empty();
  if (queries.user(q) < 0) return has_history && answers_unknown_users();
  if (has_history || (!model_->has_item_weights() && !wants_query_column(REC_COLUMN_HISTORY))) return true;
  if (queries.histories_are_complete) return !needs_history();
  return model_->catalog->has_user_data && (!needs_history() || !known_history(queries.user(q)).items.empty());
}

// Whether the model is served by item weights, or was trained only on rows with a history.
bool Scorer::needs_history() const {
  return plugin_ == nullptr || (plugin_->plan().rows != REC_PLAN_LABELLED && plugin_->plan().min_history > 0);
}

History Scorer::history_of(const Queries& queries, int64_t q) const {
  if (const auto given = queries.given_history(q); !given.empty() || queries.histories_are_complete)
    return {given, queries.history_times != nullptr ? queries.history_times + queries.history_offsets[q] : nullptr};
  return known_history(queries.user(q));
}

History Scorer::known_history(int32_t user) const {
  const Catalog& catalog = *model_->catalog;
  if (user < 0 || !catalog.has_user_data) return {};
  return {catalog.history.row(user),
          catalog.history_time.empty() ? nullptr : catalog.history_time.data() + catalog.history.offsets[user]};
}

History Scorer::as_kept(const History& history) const {
  return plugin_ != nullptr ? history.last(std::max(kHistoryKept, plugin_->plan().history_max)) : history;
}

void Scorer::fill_query_columns(const Queries& queries, std::span<const int64_t> asked, Scratch& scratch) const {
  const rec_plan_t& plan = plugin_->plan();
  const auto n = std::ssize(asked);
  scratch.histories.clear();
  for (int64_t q : asked) {
    const History whole = history_of(queries, q);
    scratch.histories.push_back(plan.history_max > 0 ? whole.last(plan.history_max) : whole);
  }
  scratch.batch.n_rows = n;
  for (const int32_t id : std::span(plan.query_columns, plan.n_query_columns)) {
    if (id == REC_COLUMN_ITEM) continue;
    Column& column = scratch.batch.column(id);
    if (fill_history_column(scratch.histories, column)) continue;
    if (id == REC_COLUMN_USER) {
      auto* users = column.reshape<int32_t>(n);
      for (int64_t q : asked) *users++ = queries.user(q);
    } else if (id == REC_COLUMN_TIME) {
      auto* times = column.reshape<int64_t>(n);
      for (int64_t b = 0; b < n; ++b) {
        const History& history = scratch.histories[b];
        const bool known = history.times != nullptr && !history.items.empty();
        times[b] = queries.times != nullptr ? queries.times[asked[b]]
                   : known                  ? history.times[history.items.size() - 1]
                                            : 0;
      }
    }
  }
}

void Scorer::pad(int64_t k, int64_t* rows, float* scores) {
  std::fill_n(rows, k, REC_NO_ROW);
  std::fill_n(scores, k, -std::numeric_limits<float>::infinity());
}

void Scorer::candidate_scores(const Queries& queries, const int64_t* offsets, const int32_t* items, float* scores,
                              rec_status_t* status, Scratch& scratch) const {
  find_answerable(queries, status);
  prepare(queries, status, scratch);
  for (int64_t q = 0; q < queries.n; ++q) {
    std::fill(scores + offsets[q], scores + offsets[q + 1], -std::numeric_limits<float>::infinity());
    if (status[q] != REC_OK) continue;
    scratch.items.clear();
    for (int64_t e = offsets[q]; e < offsets[q + 1]; ++e)
      if (items[e] >= 0) scratch.items.push_back(items[e]);
    if (scratch.items.empty()) continue;
    open(queries, q, scratch);
    scratch.item_scores.resize(scratch.items.size());
    score_items(q, scratch.items, scratch.item_scores.data(), scratch);
    size_t next = 0;
    for (int64_t e = offsets[q]; e < offsets[q + 1]; ++e)
      if (items[e] >= 0) scores[e] = scratch.item_scores[next++];
  }
}

const Vectors* Scorer::prepared(Entity entity, const std::function<MatrixView()>& table) const {
  Prepared& of = entity == Entity::kUser ? users_ : items_;
  std::call_once(of.once, [&] { of.vectors = std::make_unique<Vectors>(table()); });
  return of.vectors.get();
}

const Vectors* Scorer::vectors(Entity entity) const {
  const bool has_users = entity == Entity::kUser && !model_->user_table.shape.empty() && !model_->serves_everybody();
  return has_users ? prepared(entity, [&] { return model_->users(); }) : nullptr;
}

void Scorer::similar(Entity entity, int32_t row, const kernels::ItemFilter& filter, int64_t k, int64_t* rows,
                     float* scores, Scratch& scratch) const {
  const Vectors* vectors = this->vectors(entity);
  const auto unsupported = [&](const auto&... what) {
    return Error(REC_UNSUPPORTED, cat("model '", model_->name, "' has ", what...));
  };
  if (vectors == nullptr)
    throw entity == Entity::kUser ? unsupported("no user vectors to compare")
                                  : unsupported("no item vectors and no item weights to compare");
  if (vectors->table().d == 1)  // a single number says how popular an item is, not what it resembles
    throw unsupported("one number for each ", entity == Entity::kUser ? "user" : "item",
                      ", which is no vector to compare");
  if (row < 0) return pad(k, rows, scores);
  vectors->most_similar(row, filter, k, rows, scores, scratch);
}

}  // namespace rec
