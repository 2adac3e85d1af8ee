#include <algorithm>
#include <limits>

#include "core/serving/scorer.h"
#include "core/serving/vectors.h"

namespace rec {

namespace {

// Serves from a table of item vectors: a score is the dot product with the query's vector, which comes from the user
// table or from the plugin's encode.
class TableScorer final : public Scorer {
 public:
  explicit TableScorer(std::shared_ptr<const Model> model)
      : Scorer(std::move(model)), vectors_(this->model().items()), items_(vectors_.table()) {}

  // Many queries share each pass over the tiles.
  void top_k(const Queries& queries, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
             rec_status_t* status, Scratch& scratch) const override {
    find_answerable(queries, status);
    prepare(queries, status, scratch);
    const int64_t words = (kernels::top_k_scratch_bytes(items_.rows, k) + 7) / 8;
    if (std::ssize(scratch.selection) < words) scratch.selection.resize(words);
    kernels::fastest().top_k({.queries = scratch.vectors.data(),
                              .tiles = vectors_.tiles(),
                              .n_items = items_.rows,
                              .d = items_.d,
                              .filter = filter,
                              .k = k,
                              .rows = rows,
                              .scores = scores,
                              .scratch = scratch.selection.data()},
                             0, queries.n);
    for (int64_t q = 0; q < queries.n; ++q)
      if (status[q] != REC_OK) pad(k, rows + q * k, scores + q * k);
  }

  void all_scores(const Queries& queries, float* scores, int64_t stride, rec_status_t* status,
                  Scratch& scratch) const override {
    find_answerable(queries, status);
    prepare(queries, status, scratch);
    kernels::fastest().score_tiles({.queries = scratch.vectors.data(),
                                    .n_queries = queries.n,
                                    .tiles = vectors_.tiles(),
                                    .d = items_.d,
                                    .scores = scores,
                                    .stride = stride},
                                   0, kernels::tile_count(items_.rows));
    for (int64_t q = 0; q < queries.n; ++q)
      if (status[q] != REC_OK) std::fill_n(scores + q * stride, items_.rows, std::numeric_limits<float>::quiet_NaN());
  }

 protected:
  const Vectors* vectors(Entity entity) const override {
    return entity == Entity::kItem ? &vectors_ : Scorer::vectors(entity);
  }

  // Fills scratch.vectors: the query vectors, [n, d]; zeros for an unanswerable query.
  void prepare(const Queries& queries, const rec_status_t* status, Scratch& scratch) const override {
    const MatrixView users = model().users();
    const int64_t d = items_.d;
    scratch.vectors.assign(queries.n * d, 0.f);
    scratch.asked.clear();
    for (int64_t q = 0; q < queries.n; ++q) {
      float* vector = scratch.vectors.data() + q * d;
      if (status[q] != REC_OK) continue;
      const std::span<const int32_t> given = queries.given_history(q);
      if (plugin() != nullptr) {
        scratch.asked.push_back(q);
      } else if (model().serves_everybody()) {
        std::copy_n(users.data, d, vector);
      } else if (!given.empty()) {  // the mean of the history's item vectors
        for (int32_t item : given)
          for (int64_t k = 0; k < d; ++k) vector[k] += items_.row(item)[k];
        for (int64_t k = 0; k < d; ++k) vector[k] /= static_cast<float>(given.size());
      } else {
        std::copy_n(users.row(queries.users[q]), d, vector);
      }
    }
    if (!scratch.asked.empty()) encode(queries, scratch);
  }

  void score_items(int64_t q, std::span<const int32_t> items, float* scores, Scratch& scratch) const override {
    const int32_t row = 0;
    kernels::fastest().pair_scores({.users = &row,
                                    .items = items.data(),
                                    .user_table = scratch.vectors.data() + q * items_.d,
                                    .item_table = items_.data,
                                    .scores = scores,
                                    .n_candidates = std::ssize(items),
                                    .d = items_.d},
                                   0, 1);
  }

 private:
  // The plugin's vectors for the queries in `asked`: as many at once as their histories, padded to the longest, allow.
  void encode(const Queries& queries, Scratch& scratch) const {
    constexpr int64_t kHistoryCells = kQueries * 128;
    std::span<const int64_t> left = scratch.asked;
    while (!left.empty()) {
      int64_t n = 0, longest = 0;
      for (; n < std::ssize(left); ++n) {
        longest = std::max(longest, wants_histories() ? std::ssize(history_of(queries, left[n]).items) : 0);
        if (n > 0 && (n + 1) * longest > kHistoryCells) break;
      }
      encode(queries, left.first(n), scratch);
      left = left.subspan(n);
    }
  }

  // Each vector is written to its place.
  void encode(const Queries& queries, std::span<const int64_t> asked, Scratch& scratch) const {
    const int64_t d = items_.d;
    fill_query_columns(queries, asked, scratch);
    scratch.encoded.resize(asked.size() * d);
    plugin()->encode(scratch.batch.view(1), scratch.encoded.data());
    if (!can_be_scored(scratch.encoded))
      throw Error(REC_NUMERIC,
                  cat("plugin '", model().name, "': encode gave a vector with a number that is NaN or above 1e15"));
    for (size_t b = 0; b < asked.size(); ++b)
      std::copy_n(scratch.encoded.data() + static_cast<int64_t>(b) * d, d, scratch.vectors.data() + asked[b] * d);
  }

  const Vectors vectors_;  // of the items
  const MatrixView items_;
};

}  // namespace

std::unique_ptr<const Scorer> make_table_scorer(std::shared_ptr<const Model> model) {
  return std::make_unique<TableScorer>(std::move(model));
}

}  // namespace rec
