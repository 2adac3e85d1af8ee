#include "core/serving/ranker.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rec {

namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

}  // namespace

Ranker::Ranker(std::shared_ptr<const Model> model)
    : model_(std::move(model)), plugin_(model_->needs_plugin ? &model_->plugin() : nullptr) {
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

bool Ranker::wants_query_column(int32_t column) const {
  if (plugin_ == nullptr) return false;
  const rec_plan_t& plan = plugin_->plan();
  return std::find(plan.query_columns, plan.query_columns + plan.n_query_columns, column) !=
         plan.query_columns + plan.n_query_columns;
}

bool Ranker::answerable(const Queries& queries, int64_t q) const {
  if (model_->serves_everybody()) return true;
  const bool has_history = !queries.given_history(q).empty();
  const int32_t user = queries.users != nullptr ? queries.users[q] : -1;
  if (user < 0) return has_history && (plugin_ == nullptr || plugin_->has(REC_CAP_COLD_USER));
  if (has_history || (!model_->has_item_weights() && !wants_query_column(REC_COLUMN_HISTORY))) return true;
  return queries.histories_are_whole ? !needs_history() : model_->catalog->has_user_data;
}

// Whether it was trained on rows with a history only.
bool Ranker::needs_history() const {
  return plugin_ == nullptr || (plugin_->plan().rows != REC_PLAN_LABELLED && plugin_->plan().min_history > 0);
}

// The given history, else the one the model knows.
Ranker::History Ranker::history_of(const Queries& queries, int64_t q) const {
  if (const auto given = queries.given_history(q); !given.empty() || queries.histories_are_whole)
    return {given, queries.history_times != nullptr ? queries.history_times + queries.history_offsets[q] : nullptr};
  const int32_t user = queries.users != nullptr ? queries.users[q] : -1;
  const Catalog& catalog = *model_->catalog;
  if (user < 0 || !catalog.has_user_data) return {};
  return {catalog.history.row(user),
          catalog.history_time.empty() ? nullptr : catalog.history_time.data() + catalog.history.offsets[user]};
}

// Ascending and without repetition.
std::span<const int32_t> Ranker::distinct_history(const Queries& queries, int64_t q, Scratch& scratch) const {
  const std::span<const int32_t> given = queries.given_history(q);
  if (given.empty() && !queries.histories_are_whole) {
    const int32_t user = queries.users != nullptr ? queries.users[q] : -1;
    if (user < 0 || !model_->catalog->has_user_data) return {};
    return model_->catalog->seen.row(user);
  }
  scratch.histories.assign(given.begin(), given.end());
  std::sort(scratch.histories.begin(), scratch.histories.end());
  scratch.histories.erase(std::unique(scratch.histories.begin(), scratch.histories.end()), scratch.histories.end());
  return scratch.histories;
}

// The asked queries as the columns that the plugin's plan names.
void Ranker::fill_query_columns(const Queries& queries, std::span<const int64_t> asked, Batch& batch) const {
  const rec_plan_t& plan = plugin_->plan();
  const auto n = static_cast<int64_t>(asked.size());
  std::vector<History> histories;
  int64_t longest = 1;
  for (int64_t q : asked) {
    History history = history_of(queries, q);
    const size_t size = history.items.size(), most = static_cast<size_t>(plan.history_max);
    if (most > 0 && size > most) {
      history.items = history.items.subspan(size - most);
      if (history.times != nullptr) history.times += size - most;
    }
    longest = std::max(longest, static_cast<int64_t>(history.items.size()));
    histories.push_back(history);
  }
  batch.n_rows = n;
  for (const int32_t id : std::span(plan.query_columns, static_cast<size_t>(plan.n_query_columns))) {
    if (id == REC_COLUMN_ITEM) continue;
    Column& column = batch.column(id);
    if (id == REC_COLUMN_USER) {
      auto* users = column.reshape<int32_t>(n);
      for (int64_t q : asked) *users++ = queries.users != nullptr ? queries.users[q] : -1;
    } else if (id == REC_COLUMN_HISTORY) {
      auto* items = column.reshape<int32_t>(n, longest);
      for (const History& history : histories) {
        std::fill(std::copy(history.items.begin(), history.items.end(), items), items + longest, -1);
        items += longest;
      }
    } else if (id == REC_COLUMN_HISTORY_LENGTH) {
      auto* lengths = column.reshape<int32_t>(n);
      for (const History& history : histories) *lengths++ = static_cast<int32_t>(history.items.size());
    } else if (id == REC_COLUMN_HISTORY_TIME) {
      auto* times = column.reshape<int64_t>(n, longest);
      std::fill_n(times, n * longest, 0);
      for (const History& history : histories) {
        if (history.times != nullptr) std::copy_n(history.times, history.items.size(), times);
        times += longest;
      }
    } else if (id == REC_COLUMN_TIME) {
      auto* times = column.reshape<int64_t>(n);
      for (int64_t b = 0; b < n; ++b) {
        const History& history = histories[static_cast<size_t>(b)];
        const bool known = history.times != nullptr && !history.items.empty();
        times[b] = queries.times != nullptr ? queries.times[asked[static_cast<size_t>(b)]]
                   : known                  ? history.times[history.items.size() - 1]
                                            : 0;
      }
    }
  }
}

void Ranker::encode_by_plugin(const Queries& queries, Scratch& scratch) const {
  const int64_t d = model_->items().d;
  Buffer<float> vectors;
  for (size_t begin = 0; begin < scratch.asked.size(); begin += kBlock) {
    const std::span<const int64_t> asked =
        std::span(scratch.asked).subspan(begin, std::min<size_t>(kBlock, scratch.asked.size() - begin));
    if (vectors.empty()) vectors = Buffer<float>::uninitialized(static_cast<int64_t>(asked.size()) * d);
    fill_query_columns(queries, asked, scratch.batch);
    plugin_->encode(scratch.batch.view(1), vectors.data());
    for (size_t b = 0; b < asked.size(); ++b)
      std::copy_n(vectors.data() + static_cast<int64_t>(b) * d, d, scratch.vectors.data() + asked[b] * d);
  }
}

void Ranker::encode(const Queries& queries, rec_status_t* status, Scratch& scratch) const {
  const MatrixView items = model_->items(), users = model_->users();
  const int64_t d = items.d;
  scratch.vectors.assign(static_cast<size_t>(queries.n * d), 0.f);
  scratch.asked.clear();
  for (int64_t q = 0; q < queries.n; ++q) {
    float* vector = scratch.vectors.data() + q * d;
    status[q] = answerable(queries, q) ? REC_OK : REC_NOT_FOUND;
    if (status[q] != REC_OK) continue;
    const std::span<const int32_t> given = queries.given_history(q);
    if (plugin_ != nullptr) {
      scratch.asked.push_back(q);
    } else if (model_->serves_everybody()) {
      std::copy_n(users.data, d, vector);
    } else if (!given.empty()) {
      // Somebody known by a history only: the mean of its items' vectors.
      for (int32_t item : given)
        for (int64_t k = 0; k < d; ++k) vector[k] += items.row(item)[k];
      for (int64_t k = 0; k < d; ++k) vector[k] /= static_cast<float>(given.size());
    } else {
      std::copy_n(users.row(queries.users[q]), d, vector);
    }
  }
  encode_by_plugin(queries, scratch);
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
  fill_query_columns(queries, std::span(&q, 1), scratch.batch);
  std::copy(items.begin(), items.end(),
            scratch.batch.column(REC_COLUMN_ITEM).reshape<int32_t>(1, static_cast<int64_t>(items.size())));
  plugin_->score(scratch.batch.view(1), scores);
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
        score_by_weights(distinct_history(queries, q, scratch), scores + q * n_items);
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
      score_by_weights(distinct_history(queries, q, scratch), all.data());
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
