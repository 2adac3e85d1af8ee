#include "plugins/two_tower/two_tower.h"

namespace rec::two_tower {

void Options::declare(plugin::Fields& field) {
  static constexpr plugin::Word<UseFeatures> kUses[] = {{"auto", UseFeatures::kAuto},
                                                        {"true", UseFeatures::kTrue},
                                                        {"dense", UseFeatures::kDense},
                                                        {"false", UseFeatures::kFalse}};
  field("query_tower", query.kind, "mlp", {{"mlp", TowerKind::kMlp}, {"dcn", TowerKind::kDcn}},
        "mlp: two hidden layers; dcn: cross layers beside them");
  field("item_tower", item.kind, "mlp", {{"mlp", TowerKind::kMlp}, {"dcn", TowerKind::kDcn}, {"gcn", TowerKind::kGcn}},
        "the same for items, or gcn: two graph convolutions over the relation item_adj");
  field(
      "user_features", user_features, "auto", kUses,
      "features of users enter the query tower; auto: when the data set has them; dense: without the categorical ones");
  field("item_features", item_features, "auto", kUses, "the same for items");
  field("user_id", user_input.ids, "true", "an embedding of the user itself enters the query tower");
  field("item_id", item_input.ids, "true", "an embedding of the item itself enters the item tower");
  field("id_dim", user_input.id_dim, "32", {1, 4096}, "length of the id embeddings that enter the towers");
  field("cat_dim", user_input.cat_dim, "8", {1, 4096}, "length of the embedding of a categorical feature");
  item_input.id_dim = user_input.id_dim, item_input.cat_dim = user_input.cat_dim;
  field("h1", query.h1, "256", {1, 65536}, "units of the first hidden layer, or of the first graph convolution");
  field("h2", query.h2, "128", {1, 65536}, "units of the second hidden layer");
  field("out_dim", query.out, "64", {1, 4096}, "length of user and item vectors");
  field("cross_layers", query.cross_layers, "3", {1, 16}, "cross layers of dcn");
  field("cross_type", query.cross, "vector", {{"vector", CrossType::kVector}, {"matrix", CrossType::kMatrix}},
        "weight of a cross layer");
  field("temperature", temperature, "0.05", {0.001, 100}, "divides the cosines of the softmax");
  field("correction", correction, "true", "subtract the logarithm of an item's estimated frequency");
  field("alpha", frequency.alpha, "0.01", {1e-6, 1}, "rate of the frequency estimate");
  field("b_init", frequency.b_init, "0", {0, 1e12}, "gap between two appearances that the estimate starts from");
  field("dedup", frequency.dedup, "true", "an item counts once a step in the frequency estimate");
  field("n_slots", frequency.n_slots, "0", {0, 1 << 30}, "slots that items are hashed to; 0 = one for each item");
  field("n_hash", n_hash, "1", {1, 16}, "hash functions, when items are hashed");
  field("num_hard_negatives", num_hard_negatives, "0", {0, 1 << 24},
        "largest negatives of a row that the softmax keeps; 0 = all");
  field("reward", rewarded, "one", {{"one", false}, {"weight", true}},
        "what a row's loss is multiplied by: nothing, or the weight of its interaction");
  field("reduction", sum, "mean", {{"mean", false}, {"sum", true}}, "of the rows' losses");
  field("batch_size", batch_size, "256", {1, 1 << 24}, "rows of one optimiser step, each other's negatives");
  optimizer.declare_rates(field, "weight decay of the optimiser, on everything but biases");
  optimizer.declare_kind_by_rows(field);
}

}  // namespace rec::two_tower

REC_PLUGIN_NOTE(two_tower, "1.0.0", 0, "libtorch",
                "query tower and item tower, softmax over the batch corrected for sampling bias");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::two_tower::TwoTower>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC | REC_CAP_GRADIENTS, 1,
    "Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations, RecSys 2019"))
