#include "plugins/popularity/popularity.h"

namespace rec::popularity {

// A row is an item, and there is one pass. An item's vector is one number; one user vector, the number 1, serves all users.
void Popularity::plan(const Options&, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_ITEMS;
  plan.max_epochs = 1;
  plan.memory_bytes = 4 * schema.n_items;
  plugin::want(plan, {REC_COLUMN_ITEM});
}

Popularity::Popularity(const Options&, const rec_schema_t& schema) : popularity_(schema.n_items) {}

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
  for (const auto& [item, count] : counted_) popularity_[item] = count;
}

void Popularity::append_state(std::vector<plugin::TensorRef>& out) {
  const auto n = std::ssize(popularity_);
  out.push_back({"popularity", REC_DTYPE_F32, REC_TENSOR_PARAMETER, {n, 1}, popularity_.data()});
}

rec_tensor_view_t Popularity::table(int32_t which) const {
  static constexpr float kOne = 1;
  if (which == REC_TABLE_USER) return plugin::host_view(&kOne, 1, 1);
  return plugin::host_view(popularity_.data(), std::ssize(popularity_), 1);
}

}  // namespace rec::popularity
