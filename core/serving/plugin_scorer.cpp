#include <cmath>
#include <limits>
#include <numeric>

#include "core/serving/block_scorer.h"
#include "core/serving/vectors.h"

namespace rec {

namespace {

// Serves by the plugin's score, one query and one block of items at a time.
class PluginScorer final : public BlockScorer {
 public:
  explicit PluginScorer(std::shared_ptr<const Model> model) : BlockScorer(std::move(model)) {}

 protected:
  const Vectors* vectors(Entity entity) const override {
    if (!plugin()->has(REC_CAP_VECTORS)) return nullptr;
    return prepared(entity, [&] { return table(entity); });
  }

  void open(const Queries& queries, int64_t q, Scratch& scratch) const override {
    fill_query_columns(queries, {&q, 1}, scratch);
  }

  void score_range(int64_t begin, int64_t end, float* scores, Scratch& scratch) const override {
    int32_t* items = scratch.batch.column(REC_COLUMN_ITEM).reshape<int32_t>(1, end - begin);
    std::iota(items, items + (end - begin), static_cast<int32_t>(begin));
    score({scores, static_cast<size_t>(end - begin)}, scratch);
  }

  void score_items(int64_t, std::span<const int32_t> items, float* scores, Scratch& scratch) const override {
    for (size_t begin = 0; begin < items.size(); begin += kItems) {
      const auto block = items.subspan(begin, std::min<size_t>(kItems, items.size() - begin));
      std::copy(block.begin(), block.end(),
                scratch.batch.column(REC_COLUMN_ITEM).reshape<int32_t>(1, std::ssize(block)));
      score({scores + begin, block.size()}, scratch);
    }
  }

 private:
  MatrixView table(Entity entity) const {
    const bool of_users = entity == Entity::kUser;
    const rec_tensor_view_t view = plugin()->table(of_users ? REC_TABLE_USER : REC_TABLE_ITEM);
    const MatrixView vectors{static_cast<const float*>(view.data), view.shape[0], view.shape[1]};
    if (vectors.rows != (of_users ? model().n_users() : model().n_items()) ||
        !can_be_scored({vectors.data, static_cast<size_t>(vectors.rows * vectors.d)}))
      throw Error(REC_PLUGIN_FAILED,
                  cat("plugin '", model().name, "': get_table gave no vector of finite numbers for each ",
                      of_users ? "user" : "item"));
    return vectors;
  }

  // Scores of the batch's items. A ranking would pass over what is no number, as if the item were not there.
  void score(std::span<float> scores, Scratch& scratch) const {
    plugin()->score(scratch.batch.view(1), scores.data());
    bool sound = true;
    for (const float value : scores) sound &= std::abs(value) <= std::numeric_limits<float>::max();
    if (!sound) throw Error(REC_NUMERIC, cat("plugin '", model().name, "': score gave an item NaN or infinity"));
  }
};

}  // namespace

std::unique_ptr<const Scorer> make_plugin_scorer(std::shared_ptr<const Model> model) {
  return std::make_unique<PluginScorer>(std::move(model));
}

}  // namespace rec
