// A model that is served by its plugin's score, which is a hash of history and item.
#include "rec_plugin_cpp.h"

namespace {

using rec::plugin::Batch;
using rec::plugin::Context;

struct ByScore : rec::plugin::Model {
  struct Options {
    void declare(rec::plugin::Fields&) {}
  };
  static void plan(const Options&, const rec_schema_t&, rec_plan_t& plan) {
    plan.rows = REC_PLAN_INTERACTIONS;
    plan.max_epochs = 1;
    rec::plugin::want(plan, {REC_COLUMN_USER});
    rec::plugin::want_in_queries(plan, {REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH, REC_COLUMN_HISTORY_TIME,
                                        REC_COLUMN_TIME, REC_COLUMN_ITEM});
  }
  ByScore(const Options&, const rec_schema_t&) {}

  double compute(const Context&, const Batch&) override { return 0; }
  void score(const Context&, const Batch& queries, float* out_scores) const override {
    for (int64_t b = 0; b < queries.n_rows(); ++b) {
      uint32_t hash = 1;
      for (int32_t h = 0; h < queries.history_lengths()[b]; ++h)
        hash = hash * 31 + static_cast<uint32_t>(queries.history()[b * queries.history_width() + h]);
      for (int64_t c = 0; c < queries.n_candidates(); ++c) {
        const auto item = static_cast<uint32_t>(queries.items()[b * queries.n_candidates() + c]);
        *out_scores++ = static_cast<float>((hash + item) * 2654435761u % 1000);
      }
    }
  }
};

}  // namespace

REC_PLUGIN_NOTE(by_score, "1.0.0", 0, "", "a hash of history and item");
REC_PLUGIN_ENTRY(rec::plugin::table<ByScore>(rec_plugin_note, REC_CAP_TRAIN | REC_CAP_SCORE | REC_CAP_COLD_USER, 1, ""))
