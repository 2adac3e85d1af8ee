#include "plugins/itemknn/itemknn.h"

namespace rec::itemknn {

void ItemKnn::Options::declare(plugin::Fields& field) {
  field("n_neighbors", n_neighbors, "100", {1, 10000}, "neighbours kept for each item");
  field("shrink", shrink, "0", {0, 1e6}, "added to the denominator: distrusts small overlaps");
}

}  // namespace rec::itemknn

REC_PLUGIN_NOTE(itemknn, "1.0.0", 0, "", "item neighbourhoods by cosine: no training, any new user with a history");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::itemknn::ItemKnn>(
    rec_plugin_note, REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC, 1,
    "Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001"))
