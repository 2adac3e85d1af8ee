#include "plugins/itemknn/itemknn.h"

namespace rec::itemknn {

void ItemKnn::Options::declare(plugin::Fields& field) {
  field("n_neighbors", n_neighbors, "100", {1, 10000}, "neighbours kept for each item");
  field("shrink", shrink, "0", {0, 1e6}, "added to the denominator: distrusts small overlaps");
  field("weighting", weighting, "none",
        {{"none", Weighting::kNone}, {"tf_idf", Weighting::kTfIdf}, {"bm25", Weighting::kBm25}},
        "of users: tf_idf and bm25 trust those of many items less, and bm25 items of many users");
  field("bm25_k1", bm25_k1, "1.2", {0, 1000}, "bm25: how much the number of an item's users tells");
  field("bm25_b", bm25_b, "0.75", {0, 1}, "bm25: how much of it is taken relative to the mean number");
}

}  // namespace rec::itemknn

REC_PLUGIN_NOTE(itemknn, "1.0.0", 0, "", "item neighbourhoods by cosine, TF-IDF or BM25: no training, any new user with a history");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::itemknn::ItemKnn>(
    rec_plugin_note, REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC, 1,
    "Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001"))
