#include "plugins/slrc_plus/slrc_plus.h"

namespace rec::slrc_plus {

void Options::declare(plugin::Fields& field) {
  field("emb_size", emb_size, "64", {1, 4096}, "length of user and item vectors");
  field("history_max", history_max, "20", {1, 10000}, "last items of the history that may excite");
  field("time_scalar", time_scalar, "8640000", {1e-3, 1e12}, "seconds that count as one; 100 days");
  optimizer.declare_rates(field, "weight decay of the optimiser, but for biases");
  field("loss", loss, "bpr_multi", plugin::kLosses, plugin::kLossDoc);
  optimizer.declare_kind_by_rows(field);
  field("init_std", init_std, "0.01", {0, 10}, "deviation of every table at the start");
}

}  // namespace rec::slrc_plus

REC_PLUGIN_NOTE(slrc_plus, "1.0.0", 0, "", "a base rate excited by repeated consumption and by related items");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::slrc_plus::SlrcPlus>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_VECTORS, 1,
    "Wang et al., Modeling Item-Specific Temporal Dynamics of Repeat Consumption for Recommender Systems, WWW 2019"))
