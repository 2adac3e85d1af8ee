#include "plugins/common/plugin.h"

#include "plugins/ans/ans.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"backbone", REC_PARAM_CHOICE, 0, "lightgcn", 0, 0, "lightgcn|mf", "what is trained; mf has no propagation layers"},
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of user and item vectors"},
    {"n_layers", REC_PARAM_INT, 0, "2", 0, 8, nullptr, "propagation layers of the lightgcn backbone; 0 is mf"},
    {"num_neg", REC_PARAM_INT, 0, "8", 1, 4096, nullptr, "candidates K of each positive"},
    {"eps", REC_PARAM_FLOAT, 0, "0.5", 0, 100, nullptr,
     "weight of the augmentation gain in the choice of the negative"},
    {"gamma", REC_PARAM_FLOAT, 0, "0.01", 0, 100, nullptr, "weight of the three auxiliary losses"},
    {"noise_scale", REC_PARAM_FLOAT, 0, "0.1", 0, 10, nullptr, "length c of the augmentation"},
    {"margin_eps", REC_PARAM_FLOAT, 0, "0", 0, 1, nullptr, "floor of the margin's denominator"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, on everything but biases"},
    {"reg_weight", REC_PARAM_FLOAT, 0, "0.00001", 0, 100, nullptr,
     "weight of the regulariser of the batch's layer-0 rows"},
    {"reg_norm", REC_PARAM_CHOICE, 0, "plain", 0, 0, "squared|plain",
     "squared: half the squares over B; plain: block norms over B"},
    {"predict_mode", REC_PARAM_CHOICE, 0, "hop_sum", 0, 0, "hop_sum|ego|mean",
     "hop_sum: the score that is trained; ego: hop 0 alone; mean: LightGCN's read-out"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|sgd|adagrad", "adam is dense Adam"},
    {"init", REC_PARAM_CHOICE, 0, "xavier_uniform", 0, 0, "xavier_uniform|xavier_normal|normal",
     "start of both tables"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.1", 0, 10, nullptr, "deviation of init=normal"},
    {"adj_eps", REC_PARAM_FLOAT, 0, "0", 0, 1, nullptr, "added to degrees before the square root"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC |
                                  REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::ans::Ans>::make(
    "ans", "1.0.0", "negatives augmented in embedding space, over matrix factorisation or LightGCN",
    "Zhao et al., Augmented Negative Sampling for Collaborative Filtering, RecSys 2023", 1, kCapabilities, kParams,
    sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(ans, "1.0.0", "libtorch") {
  (void)host;
  return &kTable;
}
