#include "core/serving/ranker.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// A batch of queries as the plugin's columns: user, history (padded with -1), its length, items.
struct QueryBatch {
  int32_t user = -1, length = 0;
  std::vector<rec_column_t> columns;
  rec_batch_t batch{};

  void add(int32_t id, int32_t* data, std::vector<int64_t> shape) {
    rec_column_t column{};
    column.column_id = id;
    column.view = {data, REC_DTYPE_I32, static_cast<int32_t>(shape.size()), REC_DEVICE_CPU, 0, {}, {}};
    int64_t stride = 1;
    for (size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
      column.view.shape[i] = shape[i];
      column.view.strides[i] = stride;
    }
    columns.push_back(column);
  }
  const rec_batch_t& finish() {
    batch.struct_size = sizeof batch;
    batch.n_columns = static_cast<int32_t>(columns.size());
    batch.columns = columns.data();
    batch.n_rows = 1;
    return batch;
  }
};

void add_query_columns(QueryBatch& query, const PluginModel& plugin, std::vector<int32_t>& history) {
  const rec_plan_t& plan = plugin.plan();
  if (plan.history_max > 0 && static_cast<int64_t>(history.size()) > plan.history_max)
    history.erase(history.begin(), history.end() - plan.history_max);
  query.length = static_cast<int32_t>(history.size());
  if (history.empty()) history.push_back(-1);
  for (int32_t i = 0; i < plan.n_query_columns; ++i) {
    switch (plan.query_columns[i]) {
      case REC_COLUMN_USER: query.add(REC_COLUMN_USER, &query.user, {1}); break;
      case REC_COLUMN_HISTORY:
        query.add(REC_COLUMN_HISTORY, history.data(), {1, static_cast<int64_t>(history.size())});
        break;
      case REC_COLUMN_HISTORY_LENGTH: query.add(REC_COLUMN_HISTORY_LENGTH, &query.length, {1}); break;
      default: break;
    }
  }
}

}  // namespace

Ranker::Ranker(std::shared_ptr<const Model> model) : model_(std::move(model)) {
  if (!by_vectors()) return;
  const MatrixView items = model_->items();
  const int64_t tiles = kernels::tile_count(items.rows);
  tiles_ = Buffer<float>::uninitialized(kernels::tiled_size(items.rows, items.d));
  kernels::tile_items(items.data, items.rows, items.d, tiles_.data(), 0, tiles);
  inverse_norms_ = Buffer<float>::uninitialized(items.rows);
  for (int64_t i = 0; i < items.rows; ++i) {
    double square = 0;
    for (int64_t k = 0; k < items.d; ++k) square += static_cast<double>(items.row(i)[k]) * items.row(i)[k];
    inverse_norms_[i] = square > 0 ? static_cast<float>(1 / std::sqrt(square)) : 0;
  }
}

bool Ranker::answerable(const Queries& queries, int64_t q) const {
  const bool everybody = model_->user_table.shape.size() == 2 && model_->user_table.shape[0] == 1;
  if (everybody || !queries.given_history(q).empty()) return true;
  const int32_t user = queries.users != nullptr ? queries.users[q] : -1;
  if (user < 0) return false;
  const bool needs_history =
      model_->has_item_weights() || (model_->plugin != nullptr && model_->user_table.shape.empty());
  return !needs_history || model_->catalog->has_user_data;
}

// The given history, else the one the model knows. `distinct`: ascending and without repetition.
std::span<const int32_t> Ranker::history_of(const Queries& queries, int64_t q, bool distinct, Scratch& scratch) const {
  const std::span<const int32_t> given = queries.given_history(q);
  if (given.empty()) {
    const int32_t user = queries.users != nullptr ? queries.users[q] : -1;
    if (user < 0 || !model_->catalog->has_user_data) return {};
    return distinct ? model_->catalog->seen.row(user) : model_->catalog->history.row(user);
  }
  if (!distinct) return given;
  scratch.histories.assign(given.begin(), given.end());
  std::sort(scratch.histories.begin(), scratch.histories.end());
  scratch.histories.erase(std::unique(scratch.histories.begin(), scratch.histories.end()), scratch.histories.end());
  return scratch.histories;
}

void Ranker::encode(const Queries& queries, rec_status_t* status, Scratch& scratch) const {
  const MatrixView items = model_->items(), users = model_->users();
  const int64_t d = items.d;
  scratch.vectors.resize(static_cast<size_t>(queries.n * d));
  for (int64_t q = 0; q < queries.n; ++q) {
    float* vector = scratch.vectors.data() + q * d;
    std::fill_n(vector, d, 0.f);
    status[q] = answerable(queries, q) ? REC_OK : REC_NOT_FOUND;
    if (status[q] != REC_OK) continue;
    const std::span<const int32_t> given = queries.given_history(q);
    if (users.rows == 1 && model_->user_table.shape[0] == 1 && model_->plugin == nullptr) {
      std::copy_n(users.data, d, vector);
    } else if (model_->plugin != nullptr) {
      const std::span<const int32_t> known = history_of(queries, q, false, scratch);
      std::vector<int32_t> history(known.begin(), known.end());
      QueryBatch query;
      query.user = queries.users != nullptr ? queries.users[q] : -1;
      add_query_columns(query, *model_->plugin, history);
      model_->plugin->encode(query.finish(), vector);
    } else if (!given.empty()) {
      // Somebody known by a history only: the mean of its items' vectors.
      for (int32_t item : given)
        for (int64_t k = 0; k < d; ++k) vector[k] += items.row(item)[k];
      for (int64_t k = 0; k < d; ++k) vector[k] /= static_cast<float>(given.size());
    } else {
      std::copy_n(users.row(queries.users[q]), d, vector);
    }
  }
}

void Ranker::score_by_weights(std::span<const int32_t> history, float* scores) const {
  const int64_t n_items = model_->n_items();
  const auto offsets = model_->weight_offsets.as<const int64_t>();
  const int32_t* columns = model_->weight_columns.as<const int32_t>().data();
  const float* values = model_->weight_values.as<const float>().data();
  std::fill_n(scores, n_items, 0.f);
  for (int32_t item : history) {
    const int64_t begin = offsets[static_cast<size_t>(item)], end = offsets[static_cast<size_t>(item) + 1];
    if (end - begin == n_items) {  // a full row needs no columns
      for (int64_t i = 0; i < n_items; ++i) scores[i] += values[begin + i];
    } else {
      for (int64_t e = begin; e < end; ++e) scores[columns[e]] += values[e];
    }
  }
}

void Ranker::score_by_plugin(const Queries& queries, int64_t q, std::span<const int32_t> items, float* scores,
                             Scratch& scratch) const {
  const std::span<const int32_t> known = history_of(queries, q, false, scratch);
  std::vector<int32_t> history(known.begin(), known.end());
  std::vector<int32_t> candidates(items.begin(), items.end());
  QueryBatch query;
  query.user = queries.users != nullptr ? queries.users[q] : -1;
  add_query_columns(query, *model_->plugin, history);
  query.add(REC_COLUMN_ITEM, candidates.data(), {1, static_cast<int64_t>(candidates.size())});
  model_->plugin->score(query.finish(), scores);
}

void Ranker::all_scores(const Queries& queries, float* scores, rec_status_t* status, Scratch& scratch) const {
  const int64_t n_items = model_->n_items();
  if (by_vectors()) {
    encode(queries, status, scratch);
    const int64_t tiles = kernels::tile_count(n_items), stride = tiles * kernels::kTileItems;
    scratch.scores.resize(static_cast<size_t>(queries.n * stride));
    kernels::TileScores job{scratch.vectors.data(), queries.n, tiles_.data(), model_->items().d,
                            scratch.scores.data(),  stride};
    kernels::best().score_tiles(job, 0, tiles);
    for (int64_t q = 0; q < queries.n; ++q)
      std::copy_n(scratch.scores.data() + q * stride, n_items, scores + q * n_items);
  } else {
    if (!model_->has_item_weights() && scratch.candidates.size() != static_cast<size_t>(n_items)) {
      scratch.candidates.resize(static_cast<size_t>(n_items));
      for (int64_t i = 0; i < n_items; ++i) scratch.candidates[static_cast<size_t>(i)] = static_cast<int32_t>(i);
    }
    for (int64_t q = 0; q < queries.n; ++q) {
      status[q] = answerable(queries, q) ? REC_OK : REC_NOT_FOUND;
      if (status[q] != REC_OK) continue;
      if (model_->has_item_weights())
        score_by_weights(history_of(queries, q, true, scratch), scores + q * n_items);
      else
        score_by_plugin(queries, q, scratch.candidates, scores + q * n_items, scratch);
    }
  }
  for (int64_t q = 0; q < queries.n; ++q)
    if (status[q] != REC_OK) std::fill_n(scores + q * n_items, n_items, std::numeric_limits<float>::quiet_NaN());
}

void Ranker::top_k(const Queries& queries, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
                   rec_status_t* status, Scratch& scratch) const {
  const int64_t n_items = model_->n_items();
  const auto selection_words = static_cast<size_t>((kernels::top_k_scratch_bytes(n_items, k) + 7) / 8);
  if (scratch.selection.size() < selection_words) scratch.selection.resize(selection_words);
  if (by_vectors()) {
    encode(queries, status, scratch);
    kernels::TopK job{scratch.vectors.data(),  tiles_.data(), n_items, model_->items().d, filter, k, rows, scores,
                      scratch.selection.data()};
    kernels::best().top_k(job, 0, queries.n);
  } else {
    std::vector<float> all(static_cast<size_t>(queries.n * n_items));
    all_scores(queries, all.data(), status, scratch);
    kernels::TopKOfScores job{all.data(), n_items, filter, k, rows, scores, scratch.selection.data()};
    kernels::best().top_k_of_scores(job, 0, queries.n);
  }
  for (int64_t q = 0; q < queries.n; ++q) {
    if (status[q] == REC_OK) continue;
    std::fill_n(rows + q * k, k, REC_NO_ROW);
    std::fill_n(scores + q * k, k, kNone);
  }
}

void Ranker::candidate_scores(const Queries& queries, const int64_t* offsets, const int32_t* items, float* scores,
                              rec_status_t* status, Scratch& scratch) const {
  if (by_vectors()) encode(queries, status, scratch);
  std::vector<float> all(model_->has_item_weights() ? static_cast<size_t>(model_->n_items()) : 0);
  for (int64_t q = 0; q < queries.n; ++q) {
    const int64_t begin = offsets[q], n = offsets[q + 1] - begin;
    if (!by_vectors()) status[q] = answerable(queries, q) ? REC_OK : REC_NOT_FOUND;
    std::fill_n(scores + begin, n, kNone);
    if (status[q] != REC_OK) continue;
    std::vector<int32_t> known;  // items of the model among the candidates
    for (int64_t i = 0; i < n; ++i)
      if (items[begin + i] >= 0) known.push_back(items[begin + i]);
    std::vector<float> values(known.size());
    if (by_vectors()) {
      const int32_t row = 0;
      const auto count = static_cast<int64_t>(known.size());
      kernels::PairScores job{
          &row,  known.data(),     scratch.vectors.data() + q * model_->items().d, model_->items().data, values.data(),
          count, model_->items().d};
      kernels::best().pair_scores(job, 0, 1);
    } else if (model_->has_item_weights()) {
      score_by_weights(history_of(queries, q, true, scratch), all.data());
      for (size_t i = 0; i < known.size(); ++i) values[i] = all[static_cast<size_t>(known[i])];
    } else if (!known.empty()) {
      score_by_plugin(queries, q, known, values.data(), scratch);
    }
    size_t next = 0;
    for (int64_t i = 0; i < n; ++i)
      if (items[begin + i] >= 0) scores[begin + i] = values[next++];
  }
}

void Ranker::similar(const int32_t* items, int64_t n, int64_t k, int64_t* rows, float* scores, Scratch& scratch) const {
  const bool impersonal = by_vectors() && model_->items().d == 1;  // one number says how much, not what like
  if (impersonal || (!by_vectors() && !model_->has_item_weights()))
    throw Error(REC_UNSUPPORTED, cat("model '", model_->name, "' has no item vectors and no item weights to compare"));
  const int64_t n_items = model_->n_items(), tiles = kernels::tile_count(n_items);
  const auto selection_words = static_cast<size_t>((kernels::top_k_scratch_bytes(n_items, k) + 7) / 8);
  if (scratch.selection.size() < selection_words) scratch.selection.resize(selection_words);
  scratch.scores.resize(static_cast<size_t>(tiles * kernels::kTileItems));
  float* all = scratch.scores.data();
  for (int64_t q = 0; q < n; ++q) {
    if (items[q] < 0) {
      std::fill_n(rows + q * k, k, REC_NO_ROW);
      std::fill_n(scores + q * k, k, kNone);
      continue;
    }
    if (by_vectors()) {
      const MatrixView table = model_->items();
      kernels::best().score_tiles({table.row(items[q]), 1, tiles_.data(), table.d, all, tiles * kernels::kTileItems}, 0,
                                  tiles);
      for (int64_t i = 0; i < n_items; ++i)
        all[i] = std::clamp(all[i] * inverse_norms_[i] * inverse_norms_[items[q]], -1.f, 1.f);
    } else {
      score_by_weights({items + q, 1}, all);
      for (int64_t i = 0; i < n_items; ++i)
        if (all[i] == 0) all[i] = kNone;  // no weight, no similarity
    }
    const int64_t exclude_offsets[] = {0, 1};
    kernels::ItemFilter filter;
    filter.exclude_offsets = exclude_offsets;
    filter.exclude_rows = items + q;
    kernels::best().top_k_of_scores({all, n_items, filter, k, rows + q * k, scores + q * k, scratch.selection.data()},
                                    0, 1);
  }
}

}  // namespace rec
