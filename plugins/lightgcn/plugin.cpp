#include "plugins/lightgcn/lightgcn.h"

namespace rec::lightgcn {

void Options::declare(plugin::Fields& field) {
  using enum plugin::Init::Rule;
  field("emb_size", emb_size, "64", {1, 4096}, "length of user and item vectors");
  field("n_layers", n_layers, "3", {1, 8}, "propagation layers");
  field("layer_weights", layer_weights, "[]", "weights of layers 0 to n_layers; [] = their mean");
  optimizer.declare_rates(field);
  regularizer.declare(field, "0.0001", "squared");
  objective.declare(field, "bpr");
  optimizer.declare_kind_of_dense(field);
  init.declare(field, "xavier_uniform", "0.1", {{"xavier_uniform", kXavierUniform}, {"normal", kNormal}});
  field("edge_dropout", edge_dropout, "0", {0, 0.99},
        "share of the graph's entries that a training step leaves out; the others are divided by what is kept");
  field("adj_eps", adj_eps, "0", {0, 1}, "added to degrees before the square root");
  field.loop("seed", seed);
}

}  // namespace rec::lightgcn

REC_PLUGIN_NOTE(lightgcn, "1.0.0", 0, "", "linear propagation of id embeddings over the interaction graph");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::lightgcn::LightGcn>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE |
        REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED,
    1, "He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation, SIGIR 2020"))
