#include "plugins/gru4rec/gru4rec.h"

namespace rec::gru4rec {

void Options::declare(plugin::Fields& field) {
  field("variant", variant, "official",
        {{"official", Variant::kOfficial},
         {"rechorus", Variant::kReChorus},
         {"recbole", Variant::kRecBole},
         {"metaspore", Variant::kMetaSpore}},
        "official: session-parallel with shared negatives; the others read whole histories");
  field("layers", layer_sizes, "[100]", "hidden units of each GRU layer");
  field("emb_size", emb_size, "64", {1, 4096},
        "length of item vectors; official: of the input table with input=separate");
  field("history_max", history_max, "20", {0, 100000},
        "last items of a history that are read; 0 = all, as official does");
  field("batch_size", batch_size, "64", {1, 1 << 24}, "official: sessions beside each other; else rows of a step");
  field("loss", loss_word, "auto", "auto|softmax|bpr_max|bpr_multi|bpr|bpr_log|bce|top1",
        "auto: softmax, but rechorus bpr_multi and metaspore bpr");
  field("lr", optimizer.lr, "0", {0, 10}, "learning rate; 0 = 0.05 for official, else 0.001");
  field("momentum", optimizer.momentum, "0", {0, 0.999}, "of indexed_adagrad");
  field("l2", optimizer.weight_decay, "0", {0, 10}, "weight decay of the optimiser, but for biases");
  field("optimizer", optimizer_word, "auto", "auto|indexed_adagrad|adam|lazy_adam|sgd|adagrad|uncorrected_adam",
        "auto: indexed_adagrad for official, uncorrected_adam for metaspore, else adam");
  field("dropout_embed", dropout_embed, "0", {0, 0.99}, "share of input values dropped in training");
  field("dropout_hidden", dropout_hidden, "0", {0, 0.99}, "official: share of each layer's output dropped");
  field("input", input, "constrained",
        {{"constrained", Input::kConstrained}, {"separate", Input::kSeparate}, {"onehot", Input::kOneHot}},
        "official: the output table read as input, a separate table, or a one-hot first layer");
  field("n_sample", n_sample, "2048", {0, 1048576}, "official: negatives that a batch shares");
  field("sample_alpha", sample_alpha, "0.5", {0, 4}, "official: power of the training count they follow");
  field("bpreg", bpreg, "1", {0, 100}, "official: weight of bpr_max's score regulariser");
  field("elu_param", elu, "0.5", {0, 100}, "official: ELU of bpr_max's scores; 0 = none");
  field("logq", logq, "0", {0, 10}, "official: weight of the log-count correction of softmax");
  field("temperature", temperature, "0.05", {1e-4, 100}, "metaspore: divisor of the cosine scores");
  field("table_optimizer", ftrl_tables, "same", {{"same", false}, {"ftrl", true}}, "metaspore: of the two item tables");
  field("ftrl_lr", ftrl.lr, "0.001", {1e-8, 10}, "alpha of FTRL");
  field("ftrl_beta", ftrl.beta, "1", {0, 1000}, "beta of FTRL");
  field("ftrl_l1", ftrl.l1, "1", {0, 1000}, "L1 of FTRL");
  field("ftrl_l2", ftrl.l2, "120", {0, 10000}, "L2 of FTRL");
  field("init_std", init_std, "0.01", {0, 10}, "deviation of the item tables (rechorus, metaspore)");
  frozen.declare(field,
                 "not official: item row that gets no gradient as input, for files whose row 0 is padding; -1 = none");
  field.loop("seed", seed);
}

}  // namespace rec::gru4rec

REC_PLUGIN_NOTE(gru4rec, "1.0.0", 0, "", "next item of a session or history by gated recurrent units");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::gru4rec::Gru4Rec>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC |
        REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS,
    1, "Hidasi & Karatzoglou, Recurrent Neural Networks with Top-k Gains for Session-based Recommendations, CIKM 2018"))
