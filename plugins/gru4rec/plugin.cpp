#include "plugins/common/plugin.h"

#include "plugins/gru4rec/gru4rec.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"variant", REC_PARAM_CHOICE, 0, "official", 0, 0, "official|rechorus|recbole|metaspore",
     "official: session-parallel with shared negatives; the others read whole histories"},
    {"layers", REC_PARAM_LIST, 0, "[100]", 0, 0, nullptr, "hidden units of each GRU layer"},
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 4096, nullptr,
     "length of item vectors; official: of the input table with input=separate"},
    {"history_max", REC_PARAM_INT, 0, "20", 0, 100000, nullptr,
     "last items of a history that are read; 0 = all, as official does"},
    {"batch_size", REC_PARAM_INT, 0, "64", 1, 1 << 24, nullptr,
     "official: sessions beside each other; else rows of a step"},
    {"loss", REC_PARAM_CHOICE, 0, "auto", 0, 0, "auto|softmax|bpr_max|bpr_multi|bpr|bpr_log|bce|top1",
     "auto: softmax, but rechorus bpr_multi and metaspore bpr"},
    {"lr", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "learning rate; 0 = 0.05 for official, else 0.001"},
    {"momentum", REC_PARAM_FLOAT, 0, "0", 0, 0.999, nullptr, "of indexed_adagrad"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, but for biases"},
    {"optimizer", REC_PARAM_CHOICE, 0, "auto", 0, 0, "auto|indexed_adagrad|adam|lazy_adam|sgd|adagrad|uncorrected_adam",
     "auto: indexed_adagrad for official, uncorrected_adam for metaspore, else adam"},
    {"dropout_embed", REC_PARAM_FLOAT, 0, "0", 0, 0.99, nullptr, "share of input values dropped in training"},
    {"dropout_hidden", REC_PARAM_FLOAT, 0, "0", 0, 0.99, nullptr, "official: share of each layer's output dropped"},
    {"input", REC_PARAM_CHOICE, 0, "constrained", 0, 0, "constrained|separate|onehot",
     "official: the output table read as input, a table of its own, or a one-hot first layer"},
    {"n_sample", REC_PARAM_INT, 0, "2048", 0, 1048576, nullptr, "official: negatives that a batch shares"},
    {"sample_alpha", REC_PARAM_FLOAT, 0, "0.5", 0, 4, nullptr, "official: power of the training count they follow"},
    {"bpreg", REC_PARAM_FLOAT, 0, "1", 0, 100, nullptr, "official: weight of bpr_max's score regulariser"},
    {"elu_param", REC_PARAM_FLOAT, 0, "0.5", 0, 100, nullptr, "official: ELU of bpr_max's scores; 0 = none"},
    {"logq", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "official: weight of the log-count correction of softmax"},
    {"temperature", REC_PARAM_FLOAT, 0, "0.05", 1e-4, 100, nullptr, "metaspore: divisor of the cosine scores"},
    {"table_optimizer", REC_PARAM_CHOICE, 0, "same", 0, 0, "same|ftrl", "metaspore: of the two item tables"},
    {"ftrl_lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "alpha of FTRL"},
    {"ftrl_beta", REC_PARAM_FLOAT, 0, "1", 0, 1000, nullptr, "beta of FTRL"},
    {"ftrl_l1", REC_PARAM_FLOAT, 0, "1", 0, 1000, nullptr, "L1 of FTRL"},
    {"ftrl_l2", REC_PARAM_FLOAT, 0, "120", 0, 10000, nullptr, "L2 of FTRL"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.01", 0, 10, nullptr, "deviation of the item tables (rechorus, metaspore)"},
    {"frozen_row", REC_PARAM_INT, 0, "-1", -1, 2147483647, nullptr,
     "not official: item row that gets no gradient as input, for files whose row 0 is padding; -1 = none"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER |
                                  REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::gru4rec::Gru4Rec>::make(
    "gru4rec", "1.0.0", "next item of a session or history by gated recurrent units",
    "Hidasi & Karatzoglou, Recurrent Neural Networks with Top-k Gains for Session-based Recommendations, CIKM 2018", 1,
    kCapabilities, kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(gru4rec, "1.0.0", "") {
  (void)host;
  return &kTable;
}
