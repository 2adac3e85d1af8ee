#include "plugins/bprmf/bprmf.h"

namespace rec::bprmf {

void Options::declare(plugin::Fields& field) {
  using enum plugin::Init::Rule;
  field("emb_size", emb_size, "64", {1, 4096}, "length of user and item vectors");
  optimizer.declare_rates(field);
  field("reg_weight", regularizer.weight, "0", {0, 100},
        "weight of half the squared rows of the batch, divided by the batch size");
  objective.declare(field, "bpr");
  optimizer.declare_kind_by_rows(field);
  init.declare(field, "normal", "0.01",
               {{"normal", kNormal}, {"xavier_normal", kXavierNormal}, {"xavier_uniform", kXavierUniform}});
}

}  // namespace rec::bprmf

REC_PLUGIN_NOTE(bprmf, "1.0.0", 0, "", "matrix factorisation trained on pairwise order; the strong, cheap baseline");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::bprmf::BprMf>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC | REC_CAP_SCORE_LIVE |
        REC_CAP_GRADIENTS | REC_CAP_LISTS | REC_CAP_LABELLED,
    1, "Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009"))
