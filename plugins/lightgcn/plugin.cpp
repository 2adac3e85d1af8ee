#include "plugins/common/plugin.h"

#include "plugins/lightgcn/lightgcn.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of user and item vectors"},
    {"n_layers", REC_PARAM_INT, 0, "3", 1, 8, nullptr, "propagation layers"},
    {"layer_weights", REC_PARAM_LIST, 0, "[]", 0, 0, nullptr, "weights of layers 0 to n_layers; [] = their mean"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, on every row"},
    {"reg_weight", REC_PARAM_FLOAT, 0, "0.0001", 0, 100, nullptr,
     "weight of the regulariser of the batch's layer-0 rows"},
    {"reg_norm", REC_PARAM_CHOICE, 0, "squared", 0, 0, "squared|plain",
     "squared: half the squares over B; plain: block norms over B"},
    {"loss", REC_PARAM_CHOICE, 0, "bpr", 0, 0, "bpr|bpr_log|bpr_multi|bce|softmax",
     "bpr: softplus of the difference; bpr_log: -ln(1e-10 + sigmoid); bpr_multi: softmax-weighted negatives"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|sgd|adagrad", "every row has a gradient in every step"},
    {"init", REC_PARAM_CHOICE, 0, "xavier_uniform", 0, 0, "xavier_uniform|normal", "start of both tables"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.1", 0, 10, nullptr, "deviation of init=normal"},
    {"edge_dropout", REC_PARAM_FLOAT, 0, "0", 0, 0.99, nullptr,
     "share of the graph's entries that a training step leaves out; the others are divided by what is kept"},
    {"adj_eps", REC_PARAM_FLOAT, 0, "0", 0, 1, nullptr, "added to degrees before the square root"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC |
                                  REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::lightgcn::LightGcn>::make(
    "lightgcn", "1.0.0", "linear propagation of id embeddings over the interaction graph",
    "He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation, SIGIR 2020", 1,
    kCapabilities, kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(lightgcn, "1.0.0", "") {
  (void)host;
  return &kTable;
}
