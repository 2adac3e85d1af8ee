#include "plugins/neumf/neumf.h"

namespace rec::neumf {

void Options::declare(plugin::Fields& field) {
  field("paths", paths, "both", {{"both", Paths::kBoth}, {"gmf", Paths::kGmf}, {"mlp", Paths::kMlp}},
        "product path, MLP path, or both");
  field("emb_size", emb_size, "64", {1, 4096}, "length of the product path's vectors");
  field("mlp_emb_size", mlp_emb_size, "0", {0, 4096}, "length of the MLP path's vectors; 0 = emb_size");
  field("layers", layer_sizes, "[64]", "sizes of the MLP's layers");
  field("dropout", dropout, "0", {0, 0.99}, "share of values that each layer drops in training");
  field("dropout_at", dropout_on_input, "output", {{"output", false}, {"input", true}},
        "dropout after the activation, or on the input of each layer");
  field("predict_bias", predict_bias, "false", "a bias in the last layer");
  optimizer.declare_rates(field, "weight decay of the optimiser, but for biases");
  objective.declare(field, "bpr_multi",
                    "bce is the pointwise loss of the paper; bpr_multi: softmax-weighted negatives");
  optimizer.declare_kind_by_rows(field);
  field("linear_init", normal_start, "normal", {{"normal", true}, {"uniform", false}},
        "weights and biases: normal(init_std), or uniform up to 1 / sqrt(inputs)");
  field("init_std", init_std, "0.01", {0, 10}, "deviation of the tables and of linear_init=normal");
  field.loop("seed", seed);
}

}  // namespace rec::neumf

REC_PLUGIN_NOTE(neumf, "1.0.0", 0, "", "a product path and an MLP path over user and item vectors");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::neumf::NeuMf>(rec_plugin_note,
                                                       REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_DETERMINISTIC |
                                                           REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LISTS |
                                                           REC_CAP_LABELLED | REC_CAP_VECTORS,
                                                       1, "He et al., Neural Collaborative Filtering, WWW 2017"))
