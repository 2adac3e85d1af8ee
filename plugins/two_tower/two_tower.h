#pragma once

#include <memory>
#include <string>

#include "plugins/common/pairwise.h"
#include "plugins/two_tower/frequency.h"
#include "plugins/two_tower/inputs.h"
#include "plugins/two_tower/tower.h"

namespace rec::two_tower {

using plugin::Batch;
using plugin::Context;

struct Options {
  TowerShape query, item;
  InputShape user_input, item_input;
  int64_t graph = -1;  // number of the relation that gcn walks
  double temperature = 0.05;
  int64_t num_hard_negatives = 0;
  bool correction = true;
  bool sum = false;
  bool rewarded = false;  // by the weights of the interactions
  FrequencyOptions frequency;
  plugin::OptimizerOptions optimizer;
};

// A query tower and an item tower, trained by a softmax over the items of the batch that is corrected for how often each
// is drawn.
class TwoTower : public plugin::Model {
 public:
  static void plan(const Context& context, const rec_params_t& params, const rec_schema_t& schema, rec_plan_t& plan);
  TwoTower(const Context& context, const rec_params_t& params, const rec_schema_t& schema);

  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  std::vector<plugin::TensorRef> tensors() override;
  void settle(const Context& context) override;
  void restored() override;
  void freeze(const Context& context) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  TwoTower(const Options& options, const rec_schema_t& schema);
  struct ItemGraph;
  const ItemGraph& item_graph() const;

  Options options_;
  plugin::DenseParameters dense_;
  Tower query_, item_;
  Inputs user_input_, item_input_;
  std::shared_ptr<const ItemGraph> graph_;  // of gcn, once bound
  FrequencyEstimator frequency_;
  plugin::TouchedRows users_, items_;
  plugin::Floats user_gradients_, item_gradients_;  // of the id embeddings: touched rows, of items all with a graph
  plugin::Floats served_users_, served_items_;
};

}  // namespace rec::two_tower
