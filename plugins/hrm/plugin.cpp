#include "plugins/common/plugin.h"

#include "plugins/hrm/hrm.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of user and item vectors"},
    {"history_max", REC_PARAM_INT, 0, "10", 1, 10000, nullptr, "last items of a history that make the basket"},
    {"pooling_items", REC_PARAM_CHOICE, 0, "max", 0, 0, "max|mean|sum", "from the basket's items to its vector"},
    {"pooling_layers", REC_PARAM_CHOICE, 0, "max", 0, 0, "max|mean|sum", "from user and basket to the query"},
    {"share_item_table", REC_PARAM_BOOL, 0, "false", 0, 0, nullptr,
     "one item table for baskets and targets, as in the paper"},
    {"loss", REC_PARAM_CHOICE, 0, "bce", 0, 0, "bce|in_batch|neg_sampling",
     "bce over cosines; in_batch: softmax over the batch's items; neg_sampling: the paper's, over plain products"},
    {"temperature", REC_PARAM_FLOAT, 0, "0.05", 1e-4, 100, nullptr, "divisor of the cosines"},
    {"dropout", REC_PARAM_FLOAT, 0, "0.1", 0, 0.99, nullptr, "share of pooled and item values dropped in training"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate; alpha of ftrl"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser; none with ftrl"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|lazy_adam|uncorrected_adam|ftrl|sgd|adagrad",
     "adam is dense Adam, replayed for rows that skip steps; ftrl has beta 1, L1 1, L2 120"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.0001", 0, 10, nullptr, "deviation of the tables at the start"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER |
                                  REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LABELLED;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::hrm::Hrm>::make(
    "hrm", "1.0.0", "pools recent items into a basket, basket and user into a query",
    "Wang et al., Learning Hierarchical Representation Model for Next Basket Recommendation, SIGIR 2015", 1,
    kCapabilities, kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(hrm, "1.0.0", "") {
  (void)host;
  return &kTable;
}
