#include "plugins/common/plugin.h"

#include "plugins/itemknn/itemknn.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"n_neighbors", REC_PARAM_INT, 0, "100", 1, 10000, nullptr, "neighbours kept for each item"},
    {"shrink", REC_PARAM_FLOAT, 0, "0", 0, 1e6, nullptr, "added to the denominator: distrusts small overlaps"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::itemknn::ItemKnn>::make(
    "itemknn", "1.0.0", "item neighbourhoods by cosine: no training, any new user with a history",
    "Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001", 1, kCapabilities, kParams,
    sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(itemknn, "1.0.0", "") {
  (void)host;
  return &kTable;
}
