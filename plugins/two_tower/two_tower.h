#pragma once

#include "plugins/two_tower/frequency.h"
#include "plugins/two_tower/inputs.h"
#include "plugins/two_tower/tower.h"

namespace rec::two_tower {

using plugin::Batch;
using plugin::Context;

enum class UseFeatures { kAuto, kTrue, kDense, kFalse };

struct Options {
  TowerShape query, item;
  InputShape user_input, item_input;
  UseFeatures user_features, item_features;
  int64_t graph = -1;  // index of the relation that gcn walks
  double temperature;
  int64_t num_hard_negatives;
  bool correction;
  bool sum;
  bool rewarded;  // the rewards are the interactions' weights
  FrequencyOptions frequency;
  int64_t n_hash;
  int64_t batch_size;
  plugin::OptimizerOptions optimizer;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
};

// A query tower and an item tower, trained by a softmax over the items of the batch that is corrected for how often each
// is drawn.
class TwoTower : public plugin::Model {
 public:
  using Options = two_tower::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  TwoTower(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override { return weights_.all(); }
  void append_state(std::vector<plugin::TensorRef>& out) override;
  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void freeze(const Context& context) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  struct ItemGraph;
  const ItemGraph& item_graph() const;

  Options options_;
  Weights weights_;  // ids of both sides, then the towers, then the categories
  Inputs user_input_, item_input_;
  size_t n_ids_;
  Tower query_, item_;
  std::shared_ptr<const ItemGraph> graph_;  // of gcn, once bound
  FrequencyEstimator frequency_;
  plugin::TouchedRows users_, items_;
  plugin::Floats served_users_, served_items_;
};

}  // namespace rec::two_tower
