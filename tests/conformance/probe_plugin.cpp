// Shows a test what the library passes to encode: item i's vector is unit vector i, so the scores of a query are the numbers
// that encode wrote: the user row, the length of the history, its items. Its compute spoils the frozen tables.
#include <limits>

#include "rec_plugin_cpp.h"

namespace {

using namespace rec::plugin;

struct Options {
  void declare(Fields&) {}
};

class Probe : public Model {
 public:
  using Options = ::Options;
  static void plan(const Options&, const rec_schema_t&, rec_plan_t& plan) {
    plan.rows = REC_PLAN_INTERACTIONS;
    want(plan, {REC_COLUMN_USER});
    want_in_queries(plan, {REC_COLUMN_USER, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH});
  }
  Probe(const Options&, const rec_schema_t& schema) : n_users_(schema.n_users), n_items_(schema.n_items) {}

  double compute(const Context&, const Batch&) override {
    std::fill(items_.begin(), items_.end(), std::numeric_limits<float>::quiet_NaN());
    return 0;
  }
  void apply(const Context&) override {}
  void freeze(const Context&) override {
    items_.assign(n_items_ * n_items_, 0.f);
    for (int64_t i = 0; i < n_items_; ++i) items_.data()[i * n_items_ + i] = 1;
    users_.assign(n_users_ * n_items_, 1000.f);  // not read, since encode answers
  }
  rec_tensor_view_t table(int32_t which) const override {
    return which == REC_TABLE_USER ? host_view(users_.data(), n_users_, n_items_)
                                   : host_view(items_.data(), n_items_, n_items_);
  }
  void encode(const Context&, const Batch& queries, float* out) const override {
    for (int64_t b = 0; b < queries.n_rows(); ++b) {
      float* vector = out + b * n_items_;
      std::fill_n(vector, n_items_, -1.f);
      vector[0] = static_cast<float>(queries.users()[b]);
      vector[1] = static_cast<float>(queries.history_lengths()[b]);
      for (int64_t t = 0; t < queries.history_lengths()[b] && t + 2 < n_items_; ++t)
        vector[2 + t] = static_cast<float>(queries.history()[b * queries.history_width() + t]);
    }
  }

 private:
  int64_t n_users_, n_items_;
  Floats users_, items_;
};

}  // namespace

REC_PLUGIN_NOTE(probe, "1.0.0", 0, "", "shows what encode is given");
REC_PLUGIN_ENTRY(table<Probe>(rec_plugin_note,
                              REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_ENCODE |
                                  REC_CAP_COLD_USER,
                              1, ""))
