#include "plugins/common/plugin.h"

#include "plugins/slrc_plus/slrc_plus.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of user and item vectors"},
    {"history_max", REC_PARAM_INT, 0, "20", 1, 10000, nullptr, "last items of the history that may excite"},
    {"time_scalar", REC_PARAM_FLOAT, 0, "8640000", 1e-3, 1e12, nullptr, "seconds that count as one; 100 days"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, but for biases"},
    {"loss", REC_PARAM_CHOICE, 0, "bpr_multi", 0, 0, "bpr|bpr_log|bpr_multi|bce|softmax",
     "bpr: softplus of the difference; bpr_log: -ln(1e-10 + sigmoid); bpr_multi: softmax-weighted negatives"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|lazy_adam|sgd|adagrad",
     "adam is dense Adam, replayed for rows that skip steps"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.01", 0, 10, nullptr, "deviation of every table at the start"},
};

constexpr int64_t kCapabilities =
    REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::slrc_plus::SlrcPlus>::make(
    "slrc_plus", "1.0.0", "a base rate excited by repeated consumption and by related items",
    "Wang et al., Modeling Item-Specific Temporal Dynamics of Repeat Consumption for Recommender Systems, WWW 2019", 1,
    kCapabilities, kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(slrc_plus, "1.0.0", "") {
  (void)host;
  return &kTable;
}
