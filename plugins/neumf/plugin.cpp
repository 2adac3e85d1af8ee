#include "plugins/common/plugin.h"

#include "plugins/neumf/neumf.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"paths", REC_PARAM_CHOICE, 0, "both", 0, 0, "both|gmf|mlp", "product path, MLP path, or both"},
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of the product path's vectors"},
    {"mlp_emb_size", REC_PARAM_INT, 0, "0", 0, 4096, nullptr, "length of the MLP path's vectors; 0 = emb_size"},
    {"layers", REC_PARAM_LIST, 0, "[64]", 0, 0, nullptr, "sizes of the MLP's layers"},
    {"dropout", REC_PARAM_FLOAT, 0, "0", 0, 0.99, nullptr, "share of values that each layer drops in training"},
    {"dropout_at", REC_PARAM_CHOICE, 0, "output", 0, 0, "output|input",
     "dropout after the activation, or on the input of each layer"},
    {"predict_bias", REC_PARAM_BOOL, 0, "false", 0, 0, nullptr, "a bias in the last layer"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, but for biases"},
    {"loss", REC_PARAM_CHOICE, 0, "bpr_multi", 0, 0, "bpr|bpr_log|bpr_multi|bce|softmax",
     "bce is the pointwise loss of the paper; bpr_multi: softmax-weighted negatives"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|lazy_adam|sgd|adagrad",
     "adam is dense Adam, replayed for rows that skip steps"},
    {"linear_init", REC_PARAM_CHOICE, 0, "normal", 0, 0, "normal|uniform",
     "weights and biases: normal(init_std), or uniform up to 1 / sqrt(inputs)"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.01", 0, 10, nullptr, "deviation of the tables and of linear_init=normal"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE |
                                  REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::neumf::NeuMf>::make(
    "neumf", "1.0.0", "a product path and an MLP path over user and item vectors",
    "He et al., Neural Collaborative Filtering, WWW 2017", 1, kCapabilities, kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(neumf, "1.0.0", "") {
  (void)host;
  return &kTable;
}
