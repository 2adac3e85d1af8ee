#include <numeric>

#include "core/serving/block_scorer.h"

namespace rec {

namespace {

// Serves by the plugin's score, one query and one block of items at a time.
class PluginScorer final : public BlockScorer {
 public:
  explicit PluginScorer(std::shared_ptr<const Model> model) : BlockScorer(std::move(model)) {}

 protected:
  void open(const Queries& queries, int64_t q, Scratch& scratch) const override {
    fill_query_columns(queries, {&q, 1}, scratch);
  }

  void score_range(int64_t begin, int64_t end, float* scores, Scratch& scratch) const override {
    int32_t* items = scratch.batch.column(REC_COLUMN_ITEM).reshape<int32_t>(1, end - begin);
    std::iota(items, items + (end - begin), static_cast<int32_t>(begin));
    plugin()->score(scratch.batch.view(1), scores);
  }

  void score_items(int64_t, std::span<const int32_t> items, float* scores, Scratch& scratch) const override {
    for (size_t begin = 0; begin < items.size(); begin += kItems) {
      const auto block = items.subspan(begin, std::min<size_t>(kItems, items.size() - begin));
      std::copy(block.begin(), block.end(),
                scratch.batch.column(REC_COLUMN_ITEM).reshape<int32_t>(1, std::ssize(block)));
      plugin()->score(scratch.batch.view(1), scores + begin);
    }
  }
};

}  // namespace

std::unique_ptr<const Scorer> make_plugin_scorer(std::shared_ptr<const Model> model) {
  return std::make_unique<PluginScorer>(std::move(model));
}

}  // namespace rec
