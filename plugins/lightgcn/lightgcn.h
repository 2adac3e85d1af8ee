#pragma once

#include "plugins/common/pairwise.h"
#include "plugins/lightgcn/edge_dropout.h"

namespace rec::lightgcn {

using plugin::Batch;
using plugin::Context;

struct Options {
  int64_t emb_size;
  int64_t n_layers;
  std::vector<double> layer_weights;  // [n_layers + 1]
  plugin::Objective objective;
  plugin::Init init;
  double adj_eps;
  double edge_dropout;
  int64_t seed;
  plugin::OptimizerOptions optimizer;
  plugin::Regularizer regularizer;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
};

// Values for every node of the bipartite graph: [n_users, d] and [n_items, d].
struct NodeTable {
  plugin::Floats users, items;
};

// Rows of both sides, or all of them where there is no list.
struct NodeRows {
  const std::vector<int32_t>*users = nullptr, *items = nullptr;
};

// Linear propagation of id embeddings over the interaction graph.
class LightGcn : public plugin::Model {
 public:
  using Options = lightgcn::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan);
  LightGcn(const Options& options, const rec_schema_t& schema);

  std::vector<plugin::Parameter*> parameters() override { return {&users_, &items_}; }
  void initialize(const Context& context, int64_t seed) override;
  void bind(const Context& context, const rec_dataset_view_t& view) override;
  double compute(const Context& context, const Batch& batch) override;
  void apply(const Context& context) override;
  void restored() override;
  void freeze(const Context& context) override { propagate_all(context); }
  void score_live(const Context& context, const Batch& batch, float* out_scores) override;
  rec_tensor_view_t table(int32_t which) const override;

 private:
  void forward(const Context& context, const GraphView& graph, bool of_batch);
  void backward(const Context& context, const GraphView& graph, const GraphView& transpose);
  void multiply(const Context& context, const GraphView& graph, int64_t l, const float* from_users,
                const float* from_items, const float* users, const float* items, const NodeRows& rows,
                NodeTable& to) const;
  void spread(const Context& context, const GraphView& graph, const GraphView& transpose, NodeTable& to);
  void look_around(const GraphView& graph);
  void propagate_all(const Context& context);

  Options options_;
  plugin::Parameter users_, items_;  // E_0
  plugin::PairwiseLoss loss_;
  GraphView graph_;
  DroppedGraph dropped_;
  std::vector<float> user_scale_, item_scale_;            // D^-1/2, 0 for isolated nodes
  std::vector<float> user_scale_last_, item_scale_last_;  // the same times the last layer's weight
  NodeTable result_;                                      // F after a forward pass, dL/dE_0 after a backward one
  NodeTable work_;                                        // every other product
  bool few_edges_ = false;                                // at the batch's rows
  std::vector<int32_t> near_users_, near_items_;
  bool propagated_ = false;  // result_ holds every row for the current parameters
};

}  // namespace rec::lightgcn
