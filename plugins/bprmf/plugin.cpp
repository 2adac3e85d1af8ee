#include "plugins/common/plugin.h"

#include "plugins/bprmf/bprmf.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of user and item vectors"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, on every row"},
    {"reg_weight", REC_PARAM_FLOAT, 0, "0", 0, 100, nullptr,
     "weight of half the squared rows of the batch, divided by the batch size"},
    {"loss", REC_PARAM_CHOICE, 0, "bpr", 0, 0, "bpr|bpr_log|bpr_multi|bce|softmax",
     "bpr: softplus of the difference; bpr_log: -ln(1e-10 + sigmoid); bpr_multi: softmax-weighted negatives"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|lazy_adam|sgd|adagrad",
     "adam is dense Adam, replayed for rows that skip steps"},
    {"init", REC_PARAM_CHOICE, 0, "normal", 0, 0, "normal|xavier_normal|xavier_uniform", "start of both tables"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.01", 0, 10, nullptr, "deviation of init=normal"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC |
                                  REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::bprmf::BprMf>::make(
    "bprmf", "1.0.0", "matrix factorisation trained on pairwise order; the strong, cheap baseline",
    "Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009", 1, kCapabilities, kParams,
    sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(bprmf, "1.0.0", "") {
  (void)host;
  return &kTable;
}
