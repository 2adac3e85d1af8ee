// SimpleX, a model outside the library's tree whose gradient comes from LibTorch. K. Mao et al.: "SimpleX: A Simple and
// Strong Baseline for Collaborative Filtering", CIKM 2021, with average pooling of the user's history:
//   h_u = g e_u + (1 - g) V p_u,   p_u = mean of e_i over the items i that u has,   score(u, i) = cos(h_u, e_i)
// Deviation: no dropout on h_u, and a history is all training items of the user (the positive of the row too), not a few.
//
// Copy this file to start such a plugin. It needs the installed headers and LibTorch, and does not link the library.
// Both tables of vectors go into the model file, so serving the model needs neither this plugin nor LibTorch.
#include "recore/plugin_torch.h"

namespace {

using namespace rec::plugin;

// ---- the paper. B rows, C candidates with the positive first, d = emb_size ----------------------------------------

// h_u = g e_u + (1 - g) V p_u        e_u, p_u: [B, d],  V: [d, d]
Tensor aggregated(const Tensor& e_u, const Tensor& p_u, const Tensor& V, double g) {
  return g * e_u + (1 - g) * p_u.matmul(V.t());
}

// p_u, the mean of a list of rows of E for each user; 0 for an empty list.    items: [sum of lengths], starts: [B]
Tensor pooled(const Tensor& E, const Tensor& items, const Tensor& starts) {
  constexpr int64_t kMean = 1;
  return std::get<0>(at::embedding_bag(E, items, starts, false, kMean));
}

// cos(h_u, e_i)        h: [B, d],  e: [B, C, d] -> [B, C]
Tensor cosines(const Tensor& h, const Tensor& e) { return normalized(e).bmm(normalized(h).unsqueeze(2)).squeeze(2); }

// L_CCL = mean over rows of  (1 - y_ui) + w / |N| sum over j in N of max(0, y_uj - m)        y: [B, C]
Tensor cosine_contrastive_loss(const Tensor& y, double m, double w) {
  const Tensor positive = y.select(1, 0), negatives = y.slice(1, 1);
  return (1 - positive).mean() + w * (negatives - m).relu().mean();
}

// ---- the model ----------------------------------------------------------------------------------------------------

struct Options {
  int64_t d, num_neg, batch_size;
  double g, m, w, init_std;
  OptimizerOptions optimizer;

  void declare(Fields& field) {
    field("emb_size", d, "64", {1, 1024}, "length of user and item vectors");
    field("gamma", g, "0.5", {0, 1}, "weight of the user's own vector beside the pooled history");
    field("margin", m, "0.4", {-1, 1}, "cosine from which a negative counts");
    field("negative_weight", w, "10", {0, 10000}, "weight of the mean over negatives");
    optimizer.declare_rates(field);
    field("init_std", init_std, "0.1", {1e-8, 10}, "deviation of the normal start");
    field("num_neg", num_neg, "64", {1, 4096}, "negatives of a row; the paper wants many");
    field.loop("batch_size", batch_size);
  }
};

class SimpleX : public Model {
 public:
  using Options = ::Options;
  static void plan(const Options& o, const rec_schema_t& schema, rec_plan_t& plan) {
    plan.rows = REC_PLAN_INTERACTIONS;
    plan.negatives = REC_NEGATIVES_SAMPLED;
    plan.wants_graph = 1;
    plan.memory_bytes = 4 * o.d * (6 * (schema.n_users + schema.n_items + o.d) + 4 * o.batch_size * (1 + o.num_neg));
    want(plan, {REC_COLUMN_USER, REC_COLUMN_ITEM});
  }
  SimpleX(const Options& o, const rec_schema_t& schema)
      : options_(o),
        user_("user", schema.n_users, o.d, o.optimizer, Init::normal(o.init_std)),
        item_("item", schema.n_items, o.d, o.optimizer, Init::normal(o.init_std)),
        V_("V", o.d, o.d, o.optimizer, Init::normal(o.init_std)) {}

  std::vector<Parameter*> parameters() override { return {&user_, &item_, &V_}; }
  void bind(const Context&, const rec_dataset_view_t& view) override { graph_ = view.graph_users; }

  double compute(const Context& context, const Batch& batch) override {
    use_one_thread();
    const int64_t B = batch.n_rows(), C = batch.n_candidates();
    const std::vector<Tensor> E = leaves(parameters());
    const Tensor e_i = E[1].index_select(0, indices_of(batch.items(), B * C)).view({B, C, options_.d});
    const Tensor y = cosines(vectors_of(indices_of(batch.users(), B), E), e_i);
    return backward(context, cosine_contrastive_loss(y, options_.m, options_.w), E, parameters());
  }

  void freeze(const Context&) override {
    use_one_thread();
    const at::NoGradGuard no_grad;
    const std::vector<Tensor> E = views_of(parameters());
    keep(normalized(vectors_of(at::arange(user_.n(), at::kLong), E)), user_table_);
    keep(normalized(E[1]), item_table_);
  }
  rec_tensor_view_t table(int32_t which) const override {
    return which == REC_TABLE_USER ? host_view(user_table_.data(), user_.n(), options_.d)
                                   : host_view(item_table_.data(), item_.n(), options_.d);
  }

 private:
  // h_u of the listed users, E = {user, item, V}.
  Tensor vectors_of(const Tensor& users, const std::vector<Tensor>& E) const {
    if (graph_.offsets == nullptr) throw Failure{REC_BAD_STATE, "simplex: no data are bound"};
    std::vector<int32_t> items;
    std::vector<int64_t> starts;
    for (int64_t b = 0; b < users.size(0); ++b) {
      const int64_t user = users.data_ptr<int64_t>()[b];
      starts.push_back(std::ssize(items));
      items.insert(items.end(), graph_.columns + graph_.offsets[user], graph_.columns + graph_.offsets[user + 1]);
    }
    const Tensor p_u = pooled(E[1], indices_of(items), at::tensor(starts, at::kLong));
    return aggregated(E[0].index_select(0, users), p_u, E[2], options_.g);
  }

  Options options_;
  Parameter user_, item_, V_;
  rec_csr_t graph_{};               // distinct items of each user, in the host's memory
  Floats user_table_, item_table_;  // for serving: a score is their product
};

}  // namespace

// "libtorch": the library runs this plugin in a worker process unless told otherwise, as two LibTorches cannot share one.
REC_PLUGIN_NOTE(simplex, "1.0.0", 0, "libtorch", "cosines of pooled histories under the cosine contrastive loss");
REC_PLUGIN_ENTRY(
    table<SimpleX>(rec_plugin_note, REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC, 1,
                   "Mao et al., SimpleX: A Simple and Strong Baseline for Collaborative Filtering, CIKM 2021"))
