#include "plugins/hrm/hrm.h"

namespace rec::hrm {

void Options::declare(plugin::Fields& field) {
  using enum plugin::Optimizer;
  static constexpr plugin::Word<Pooling> kPoolings[] = {
      {"max", Pooling::kMax}, {"mean", Pooling::kMean}, {"sum", Pooling::kSum}};
  field("emb_size", emb_size, "64", {1, 4096}, "length of user and item vectors");
  field("history_max", history_max, "10", {1, 10000}, "last items of a history that make the basket");
  field("pooling_items", items, "max", kPoolings, "from the basket's items to its vector");
  field("pooling_layers", layers, "max", kPoolings, "from user and basket to the query");
  field("share_item_table", share_item_table, "false", "one item table for baskets and targets, as in the paper");
  field("loss", loss, "bce", {{"bce", Loss::kBce}, {"in_batch", Loss::kInBatch}, {"neg_sampling", Loss::kNegSampling}},
        "bce over cosines; in_batch: softmax over the batch's items; neg_sampling: the paper's, over plain products");
  objective.read_task(field);
  field("temperature", temperature, "0.05", {1e-4, 100}, "divisor of the cosines");
  field("dropout", dropout, "0.1", {0, 0.99}, "share of pooled and item values dropped in training");
  field("lr", optimizer.lr, "0.001", {1e-8, 10}, "learning rate; alpha of ftrl");
  field("l2", optimizer.weight_decay, "0", {0, 10}, "weight decay of the optimiser; none with ftrl");
  optimizer.declare_kind(field, {kAdam, kLazyAdam, kUncorrectedAdam, kFtrl, kSgd, kAdagrad},
                         "adam is dense Adam, replayed for rows that skip steps; ftrl has beta 1, L1 1, L2 120");
  field("init_std", init_std, "0.0001", {0, 10}, "deviation of the tables at the start");
  field.loop("seed", seed);
}

}  // namespace rec::hrm

REC_PLUGIN_NOTE(hrm, "1.0.0", 0, "", "pools recent items into a basket, basket and user into a query");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::hrm::Hrm>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC |
        REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LABELLED,
    1, "Wang et al., Learning Hierarchical Representation Model for Next Basket Recommendation, SIGIR 2015"))
