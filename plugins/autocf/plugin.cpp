#include "plugins/autocf/autocf.h"

namespace rec::autocf {

void Options::declare(plugin::Fields& field) {
  field("emb_size", emb_size, "32", {1, 4096}, "length of user and item vectors");
  field("n_heads", n_heads, "4", {1, 64}, "attention heads; must divide emb_size");
  field("gcn_layer", gcn_layer, "2", {0, 8}, "propagations of the encoder");
  field("gt_layer", gt_layer, "1", {0, 8}, "graph attention layers of the decoder");
  field("seed_num", masks.seed_num, "100", {1, 1e6}, "centres around which the graph is masked");
  field("mask_depth", masks.mask_depth, "2", {1, 8}, "hops around a centre that are masked");
  field("keep_rate", masks.keep_rate, "0.2", {0, 1}, "random nodes, as a share of all, that join the masked ones");
  field("fix_steps", fix_steps, "10", {1, 1e6}, "batches between two drawings of the masks");
  int64_t batch_size;  // differs only in its default
  field("batch_size", batch_size, "4096", {1, 1 << 24}, "rows of one optimiser step");
  field("lr", optimizer.lr, "0.001", {1e-8, 10}, "learning rate");
  optimizer.declare_kind_of_dense(field);
  field("reg_weight", reg, "1e-7", {0, 100}, "weight of the sum of all squared parameters");
  field("ssl_reg", ssl_reg, "1", {0, 100}, "weight of the contrastive terms within users and within items");
  field.loop("seed", seed);
}

}  // namespace rec::autocf

REC_PLUGIN_NOTE(autocf, "1.0.0", 0, "libtorch",
                "masked graph autoencoder that learns what to mask, with contrastive terms");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::autocf::AutoCf>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC | REC_CAP_GRADIENTS, 1,
    "Xia et al., Automated Self-Supervised Learning for Recommendation, WWW 2023"))
