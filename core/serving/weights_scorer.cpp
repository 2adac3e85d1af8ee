#include <algorithm>
#include <functional>
#include <limits>
#include <mutex>

#include "core/serving/block_scorer.h"

namespace rec {

namespace {

// Serves from an item-by-item matrix: an item's score is the sum of its weights in the rows of the history's items.
class WeightsScorer final : public BlockScorer {
 public:
  explicit WeightsScorer(std::shared_ptr<const Model> model)
      : BlockScorer(std::move(model)),
        n_items_(this->model().n_items()),
        offsets_(this->model().weight_offsets.as<const int64_t>().data()),
        columns_(this->model().weight_columns.as<const int32_t>().data()),
        values_(this->model().weight_values.as<const float>().data()) {}

  // All items that the user had, not only the last ones.
  History known_history(int32_t user) const override {
    const Catalog& catalog = *model().catalog;
    if (user < 0 || !catalog.has_user_data) return {};
    return {catalog.seen.row(user)};
  }

  void similar(Entity entity, int32_t item, const kernels::ItemFilter& filter, int64_t k, int64_t* rows, float* scores,
               Scratch& scratch) const override {
    if (entity == Entity::kUser) return Scorer::similar(entity, item, filter, k, rows, scores, scratch);
    if (item < 0) return pad(k, rows, scores);
    std::call_once(columns_made_, [this] { make_columns(); });
    const std::span giving(giving_.data() + giving_offsets_[item], giving_.data() + giving_offsets_[item + 1]);
    BlockSelection({&item, 1}, filter.allow, filter.deny, k, rows, scores, scratch)
        .run(n_items_, [&](int64_t begin, int64_t end, float* block) {
          std::fill_n(block, end - begin, -std::numeric_limits<float>::infinity());
          auto at = std::ranges::lower_bound(giving, begin, {}, &Giving::item);
          for (; at != giving.end() && at->item < end; ++at)
            if (at->weight != 0) block[at->item - begin] = at->weight;
        });
  }

 protected:
  // The distinct items of the history, ascending.
  void open(const Queries& queries, int64_t q, Scratch& scratch) const override {
    const std::span<const int32_t> items = history_of(queries, q).items;
    scratch.history.assign(items.begin(), items.end());
    if (std::ranges::adjacent_find(scratch.history, std::greater_equal()) == scratch.history.end())
      return;  // of a file
    std::sort(scratch.history.begin(), scratch.history.end());
    scratch.history.erase(std::unique(scratch.history.begin(), scratch.history.end()), scratch.history.end());
  }

  void score_range(int64_t begin, int64_t end, float* scores, Scratch& scratch) const override {
    std::fill_n(scores, end - begin, 0.f);
    for (int32_t item : scratch.history) {
      const int64_t first = offsets_[item], last = offsets_[item + 1];
      if (last - first == n_items_) {  // a full row needs no columns
        const float* values = values_ + first + begin;
        for (int64_t i = 0; i < end - begin; ++i) scores[i] += values[i];
        continue;
      }
      const bool whole = begin == 0 && end == n_items_;
      const auto entry = [&](int64_t row) {
        return std::lower_bound(columns_ + first, columns_ + last, row) - columns_;
      };
      const int64_t from = whole ? first : entry(begin), to = whole ? last : entry(end);
      for (int64_t e = from; e < to; ++e) scores[columns_[e] - begin] += values_[e];
    }
  }

  // Sums whole blocks, but only those that contain an item of the list.
  void score_items(int64_t, std::span<const int32_t> items, float* scores, Scratch& scratch) const override {
    scratch.scores.resize(block_floats(n_items_));
    for (int64_t begin = 0; begin < n_items_; begin += kItems) {
      const int64_t end = std::min(begin + kItems, n_items_);
      const auto inside = [&](int32_t item) { return item >= begin && item < end; };
      if (std::none_of(items.begin(), items.end(), inside)) continue;
      score_range(begin, end, scratch.scores.data(), scratch);
      for (size_t i = 0; i < items.size(); ++i)
        if (inside(items[i])) scores[i] = scratch.scores[items[i] - begin];
    }
  }

 private:
  // An item that gives weight to another: of a neighbourhood model, one of the other's neighbours.
  struct Giving {
    int32_t item;
    float weight;
  };

  // The matrix by columns, for similar: row h has the items that h gives weight to, and not those that h is close to.
  void make_columns() const {
    const int64_t nnz = offsets_[n_items_];
    Buffer<int64_t> offsets(n_items_ + 1);
    for (int64_t e = 0; e < nnz; ++e) ++offsets[columns_[e] + 1];
    for (int64_t i = 0; i < n_items_; ++i) offsets[i + 1] += offsets[i];
    auto giving = Buffer<Giving>::uninitialized(nnz);
    Buffer<int64_t> next = offsets.copy();
    for (int64_t h = 0; h < n_items_; ++h)
      for (int64_t e = offsets_[h]; e < offsets_[h + 1]; ++e)
        giving[next[columns_[e]]++] = {static_cast<int32_t>(h), values_[e]};
    giving_offsets_ = std::move(offsets);
    giving_ = std::move(giving);
  }

  mutable std::once_flag columns_made_;
  mutable Buffer<int64_t> giving_offsets_;  // [n_items + 1]
  mutable Buffer<Giving> giving_;           // ascending within a column

  int64_t n_items_;
  const int64_t* offsets_;  // [n_items + 1]
  const int32_t* columns_;  // ascending within a row
  const float* values_;
};

}  // namespace

std::unique_ptr<const Scorer> make_weights_scorer(std::shared_ptr<const Model> model) {
  return std::make_unique<WeightsScorer>(std::move(model));
}

}  // namespace rec
