#include "plugins/ans/ans.h"

namespace rec::ans {

void Options::declare(plugin::Fields& field) {
  using enum plugin::Init::Rule;
  field("backbone", backbone, "lightgcn", {{"lightgcn", Backbone::kLightGcn}, {"mf", Backbone::kMf}},
        "what is trained; mf has no propagation layers");
  field("emb_size", emb_size, "64", {1, 4096}, "length of user and item vectors");
  field("n_layers", n_layers, "2", {0, 8}, "propagation layers of the lightgcn backbone; 0 is mf");
  field("num_neg", num_neg, "8", {1, 4096}, "candidates K of each positive");
  field("eps", augment.eps, "0.5", {0, 100}, "weight of the augmentation gain in the choice of the negative");
  field("gamma", augment.gamma, "0.01", {0, 100}, "weight of the three auxiliary losses");
  field("noise_scale", augment.noise_scale, "0.1", {0, 10}, "length c of the augmentation");
  field("margin_eps", augment.margin_eps, "0", {0, 1}, "floor of the margin's denominator");
  optimizer.declare_rates(field, "weight decay of the optimiser, on everything but biases");
  regularizer.declare(field, "0.00001", "plain");
  field("predict_mode", predict_mode, "hop_sum",
        {{"hop_sum", PredictMode::kHopSum}, {"ego", PredictMode::kEgo}, {"mean", PredictMode::kMean}},
        "hop_sum: the score that is trained; ego: hop 0 alone; mean: LightGCN's read-out");
  optimizer.declare_kind_of_dense(field, "adam is dense Adam");
  init.declare(field, "xavier_uniform", "0.1",
               {{"xavier_uniform", kXavierUniform}, {"xavier_normal", kXavierNormal}, {"normal", kNormal}});
  field("adj_eps", adj_eps, "0", {0, 1}, "added to degrees before the square root");
  field.loop("batch_size", batch_size);
  field.loop("seed", seed);
}

}  // namespace rec::ans

REC_PLUGIN_NOTE(ans, "1.0.0", 0, "libtorch",
                "negatives augmented in embedding space, over matrix factorisation or LightGCN");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::ans::Ans>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE |
        REC_CAP_GRADIENTS,
    1, "Zhao et al., Augmented Negative Sampling for Collaborative Filtering, RecSys 2023"))
