#include "plugins/common/plugin.h"

#include "plugins/fpmc/fpmc.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of each of the four vectors"},
    {"basket_size", REC_PARAM_INT, 0, "1", 1, 100, nullptr, "last items of the history whose vectors are averaged"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, on every row"},
    {"loss", REC_PARAM_CHOICE, 0, "bpr_multi", 0, 0, "bpr|bpr_log|bpr_multi|bce|softmax",
     "bpr: softplus of the difference; bpr_log: -ln(1e-10 + sigmoid); bpr_multi: softmax-weighted negatives"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|lazy_adam|sgd|adagrad",
     "adam is dense Adam, replayed for rows that skip steps"},
    {"init", REC_PARAM_CHOICE, 0, "normal", 0, 0, "normal|xavier_normal|xavier_uniform", "start of the tables"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.01", 0, 10, nullptr, "deviation of init=normal"},
    {"frozen_row", REC_PARAM_INT, 0, "-1", -1, 2147483647, nullptr,
     "row of li_emb without a gradient, for files whose row 0 is padding; -1 = none"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER |
                                  REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LABELLED;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::fpmc::Fpmc>::make(
    "fpmc", "1.0.0", "user taste plus a first-order Markov chain over the last item",
    "Rendle et al., Factorizing Personalized Markov Chains for Next-Basket Recommendation, WWW 2010", 1, kCapabilities,
    kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(fpmc, "1.0.0", "") {
  (void)host;
  return &kTable;
}
