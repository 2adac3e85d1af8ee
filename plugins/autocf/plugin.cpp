#include "plugins/common/plugin.h"

#include "plugins/autocf/autocf.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "32", 1, 4096, nullptr, "length of user and item vectors"},
    {"n_heads", REC_PARAM_INT, 0, "4", 1, 64, nullptr, "attention heads; must divide emb_size"},
    {"gcn_layer", REC_PARAM_INT, 0, "2", 0, 8, nullptr, "propagations of the encoder"},
    {"gt_layer", REC_PARAM_INT, 0, "1", 0, 8, nullptr, "graph attention layers of the decoder"},
    {"seed_num", REC_PARAM_INT, 0, "100", 1, 1e6, nullptr, "centres around which the graph is masked"},
    {"mask_depth", REC_PARAM_INT, 0, "2", 1, 8, nullptr, "hops around a centre that are masked"},
    {"keep_rate", REC_PARAM_FLOAT, 0, "0.2", 0, 1, nullptr,
     "random nodes, as a share of all, that join the masked ones"},
    {"fix_steps", REC_PARAM_INT, 0, "10", 1, 1e6, nullptr, "batches between two drawings of the masks"},
    {"batch_size", REC_PARAM_INT, 0, "4096", 1, 1 << 24, nullptr, "rows of one optimiser step"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|sgd|adagrad", "every row has a gradient in every step"},
    {"reg_weight", REC_PARAM_FLOAT, 0, "1e-7", 0, 100, nullptr, "weight of the sum of all squared parameters"},
    {"ssl_reg", REC_PARAM_FLOAT, 0, "1", 0, 100, nullptr,
     "weight of the contrastive terms within users and within items"},
};

constexpr int64_t kCapabilities =
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC | REC_CAP_GRADIENTS;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::autocf::AutoCf>::make(
    "autocf", "1.0.0", "masked graph autoencoder that learns what to mask, with contrastive terms",
    "Xia et al., Automated Self-Supervised Learning for Recommendation, WWW 2023", 1, kCapabilities, kParams,
    sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(autocf, "1.0.0", "libtorch") {
  (void)host;
  return &kTable;
}
