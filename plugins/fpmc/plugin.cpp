#include "plugins/fpmc/fpmc.h"

namespace rec::fpmc {

void Options::declare(plugin::Fields& field) {
  using enum plugin::Init::Rule;
  field("emb_size", emb_size, "64", {1, 4096}, "length of each of the four vectors");
  field("basket_size", basket_size, "1", {1, 100}, "last items of the history whose vectors are averaged");
  optimizer.declare_rates(field);
  objective.declare(field, "bpr_multi");
  optimizer.declare_kind_by_rows(field);
  init.declare(field, "normal", "0.01",
               {{"normal", kNormal}, {"xavier_normal", kXavierNormal}, {"xavier_uniform", kXavierUniform}},
               "start of the tables");
  frozen.declare(field, "row of li_emb without a gradient, for files whose row 0 is padding; -1 = none");
}

}  // namespace rec::fpmc

REC_PLUGIN_NOTE(fpmc, "1.0.0", 0, "", "user taste plus a first-order Markov chain over the last item");
REC_PLUGIN_ENTRY(rec::plugin::table<rec::fpmc::Fpmc>(
    rec_plugin_note,
    REC_CAP_TRAIN | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC |
        REC_CAP_SCORE_LIVE | REC_CAP_GRADIENTS | REC_CAP_LABELLED,
    1, "Rendle et al., Factorizing Personalized Markov Chains for Next-Basket Recommendation, WWW 2010"))
