#include "plugins/common/plugin.h"

#include "plugins/two_tower/two_tower.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"query_tower", REC_PARAM_CHOICE, 0, "mlp", 0, 0, "mlp|dcn",
     "mlp: two hidden layers; dcn: cross layers beside them"},
    {"item_tower", REC_PARAM_CHOICE, 0, "mlp", 0, 0, "mlp|dcn|gcn",
     "the same for items, or gcn: two graph convolutions over the relation item_adj"},
    {"user_features", REC_PARAM_CHOICE, 0, "auto", 0, 0, "auto|true|false",
     "features of users enter the query tower; auto: when the data set has them"},
    {"item_features", REC_PARAM_CHOICE, 0, "auto", 0, 0, "auto|true|false", "the same for items"},
    {"user_id", REC_PARAM_BOOL, 0, "true", 0, 0, nullptr, "an embedding of the user itself enters the query tower"},
    {"item_id", REC_PARAM_BOOL, 0, "true", 0, 0, nullptr, "an embedding of the item itself enters the item tower"},
    {"id_dim", REC_PARAM_INT, 0, "32", 1, 4096, nullptr, "length of the id embeddings that enter the towers"},
    {"cat_dim", REC_PARAM_INT, 0, "8", 1, 4096, nullptr, "length of the embedding of a categorical feature"},
    {"h1", REC_PARAM_INT, 0, "256", 1, 65536, nullptr,
     "units of the first hidden layer, or of the first graph convolution"},
    {"h2", REC_PARAM_INT, 0, "128", 1, 65536, nullptr, "units of the second hidden layer"},
    {"out_dim", REC_PARAM_INT, 0, "64", 1, 4096, nullptr, "length of user and item vectors"},
    {"cross_layers", REC_PARAM_INT, 0, "3", 1, 16, nullptr, "cross layers of dcn"},
    {"cross_type", REC_PARAM_CHOICE, 0, "vector", 0, 0, "vector|matrix", "weight of a cross layer"},
    {"temperature", REC_PARAM_FLOAT, 0, "0.05", 0.001, 100, nullptr, "divides the cosines of the softmax"},
    {"correction", REC_PARAM_BOOL, 0, "true", 0, 0, nullptr, "subtract the logarithm of an item's estimated frequency"},
    {"alpha", REC_PARAM_FLOAT, 0, "0.01", 1e-6, 1, nullptr, "rate of the frequency estimate"},
    {"b_init", REC_PARAM_FLOAT, 0, "0", 0, 1e12, nullptr, "gap between two appearances that the estimate starts from"},
    {"dedup", REC_PARAM_BOOL, 0, "true", 0, 0, nullptr, "an item counts once a step in the frequency estimate"},
    {"n_slots", REC_PARAM_INT, 0, "0", 0, 1 << 30, nullptr, "slots that items are hashed to; 0 = one for each item"},
    {"n_hash", REC_PARAM_INT, 0, "1", 1, 16, nullptr, "hash functions, when items are hashed"},
    {"num_hard_negatives", REC_PARAM_INT, 0, "0", 0, 1 << 24, nullptr,
     "largest negatives of a row that the softmax keeps; 0 = all"},
    {"reward", REC_PARAM_CHOICE, 0, "one", 0, 0, "one|weight",
     "what a row's loss is multiplied by: nothing, or the weight of its interaction"},
    {"reduction", REC_PARAM_CHOICE, 0, "mean", 0, 0, "mean|sum", "of the rows' losses"},
    {"batch_size", REC_PARAM_INT, 0, "256", 1, 1 << 24, nullptr, "rows of one optimiser step, each other's negatives"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of the optimiser, on everything but biases"},
    {"optimizer", REC_PARAM_CHOICE, 0, "adam", 0, 0, "adam|lazy_adam|sgd|adagrad",
     "adam is dense Adam, replayed for rows that skip steps"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::two_tower::TwoTower>::make(
    "two_tower", "1.0.0", "query tower and item tower, softmax over the batch corrected for sampling bias",
    "Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations, RecSys 2019", 1,
    kCapabilities, kParams, sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(two_tower, "1.0.0", "libtorch") {
  (void)host;
  return &kTable;
}
