#include "plugins/ease/ease.h"

namespace rec::ease {

void Ease::Options::declare(plugin::Fields& field) {
  field("lambda", lambda, "500", {1e-3, 1e9}, "ridge added to the diagonal of the co-occurrence matrix");
}

}  // namespace rec::ease

REC_PLUGIN_NOTE(ease, "1.0.0", 0, "",
                "linear item-item model in closed form: hard to beat up to some ten thousand items");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::ease::Ease>(
    rec_plugin_note, REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC, 1,
    "Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019"))
