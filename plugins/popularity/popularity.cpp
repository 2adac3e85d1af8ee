#include "plugins/popularity/popularity.h"

#include <algorithm>

namespace rec::popularity {

// A row is an item; one pass; an item vector of one number, and one user vector (the number 1) for everybody.
void Popularity::plan(const Context&, const rec_params_t&, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_ITEMS;
  plan.max_epochs = 1;
  plan.capabilities =
      REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC;
  plan.memory_bytes = 4 * schema.n_items;
  plan.columns[plan.n_columns++] = REC_COLUMN_ITEM;
}

Popularity::Popularity(const Context&, const rec_params_t&, const rec_schema_t& schema)
    : popularity_(static_cast<size_t>(schema.n_items)) {}

void Popularity::initialize(const Context&, int64_t) { std::fill(popularity_.begin(), popularity_.end(), 0.f); }

void Popularity::bind(const Context&, const rec_dataset_view_t& view) { by_item_ = view.by_item; }

double Popularity::compute(const Context&, const Batch& batch) {
  counted_.clear();
  for (int64_t b = 0; b < batch.n_rows(); ++b) {
    const int32_t item = batch.items()[b];
    counted_.emplace_back(item, static_cast<float>(by_item_.offsets[item + 1] - by_item_.offsets[item]));
  }
  return 0;
}

void Popularity::apply(const Context&) {
  for (const auto& [item, count] : counted_) popularity_[static_cast<size_t>(item)] = count;
}

std::vector<plugin::TensorRef> Popularity::tensors() {
  return {plugin::parameter("popularity", popularity_, {static_cast<int64_t>(popularity_.size()), 1})};
}

void Popularity::freeze(const Context&) {}

rec_tensor_view_t Popularity::table(int32_t which) const {
  static constexpr float kOne = 1;
  if (which == REC_TABLE_USER) return plugin::host_view(&kOne, REC_DTYPE_F32, 1, 1);
  return plugin::host_view(popularity_.data(), REC_DTYPE_F32, static_cast<int64_t>(popularity_.size()), 1);
}

}  // namespace rec::popularity
