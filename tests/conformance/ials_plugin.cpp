// iALS, written from rec_plugin_api.h and docs/plugin_guide.md alone. Hu, Koren, Volinsky: "Collaborative Filtering for
// Implicit Feedback Datasets", ICDM 2008:  minimise  sum over all (u, i) of c_ui (p_ui - x_u . y_i)^2 + lambda (|X|^2 + |Y|^2),
// p_ui = 1 and c_ui = 1 + alpha where u has i, else p_ui = 0 and c_ui = 1. An epoch solves every user given the items,
// batch by batch, and after its last batch every item given the users.
#include "rec_plugin_cpp.h"

namespace {

using namespace rec::plugin;

struct Options {
  int64_t d;
  double alpha, lambda;

  void declare(Fields& field) {
    field("emb_size", d, "4", {1, 256}, "length of user and item vectors");
    field("alpha", alpha, "10", {0, 1e6}, "additional weight of an interaction");
    field("lambda", lambda, "0.5", {1e-9, 1e6}, "weight of the squared vectors");
  }
};

class Ials : public Model {
 public:
  using Options = ::Options;
  static void plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
    plan.rows = REC_PLAN_USERS;
    plan.wants_graph = 1;
    plan.memory_bytes = 8 * (schema.n_users + schema.n_items) * options.d * (options.d + 2);
    want(plan, {REC_COLUMN_USER});
  }
  Ials(const Options& options, const rec_schema_t& schema)
      : options_(options),
        n_users_(schema.n_users),
        n_items_(schema.n_items),
        X_(n_users_ * options.d),
        Y_(n_items_ * options.d) {}

  void append_state(std::vector<TensorRef>& out) override {
    out.push_back({"X", REC_DTYPE_F64, REC_TENSOR_PARAMETER, {n_users_, options_.d}, X_.data()});
    out.push_back({"Y", REC_DTYPE_F64, REC_TENSOR_PARAMETER, {n_items_, options_.d}, Y_.data()});
  }
  void initialize(const Context& context, int64_t seed) override {
    Floats row(options_.d);
    for (int64_t i = 0; i < n_items_; ++i) {
      context.host.random_normal(seed, 0, 0, i, 0, 0.1f, row.data(), options_.d);
      std::copy(row.begin(), row.end(), Y_.begin() + i * options_.d);
    }
  }
  void bind(const Context&, const rec_dataset_view_t& view) override {
    users_ = view.graph_users;
    items_ = view.graph_items;
  }

  // Solves for the users of the batch; the loss is their share of the objective, without the items' regulariser.
  double compute(const Context& context, const Batch& batch) override {
    batch_users_.assign(batch.users(), batch.users() + batch.n_rows());
    last_of_epoch_ = batch.raw.index + 1 == batch.raw.n_epoch_batches;
    return solve(context, users_, batch_users_, Y_, n_items_, solved_) / static_cast<double>(batch.n_rows());
  }
  void apply(const Context& context) override {
    for (size_t b = 0; b < batch_users_.size(); ++b)
      std::copy_n(solved_.data() + static_cast<int64_t>(b) * options_.d, options_.d,
                  X_.data() + batch_users_[b] * options_.d);
    if (!last_of_epoch_) return;
    std::vector<int32_t> every(n_items_);
    for (size_t i = 0; i < every.size(); ++i) every[i] = static_cast<int32_t>(i);
    solve(context, items_, every, X_, n_users_, solved_);
    Y_ = solved_;
  }

  void freeze(const Context&) override {
    user_table_.assign(X_.begin(), X_.end());
    item_table_.assign(Y_.begin(), Y_.end());
  }
  rec_tensor_view_t table(int32_t which) const override {
    return which == REC_TABLE_USER ? host_view(user_table_.data(), n_users_, options_.d)
                                   : host_view(item_table_.data(), n_items_, options_.d);
  }

 private:
  // (Z'Z + alpha sum of z z' + lambda I) x = (1 + alpha) sum of z, the sums over the columns of each row. Returns the
  // rows' part of the objective: |b - residual| in closed form is  (1 + alpha) n - x . b.
  double solve(const Context& context, const rec_csr_t& csr, const std::vector<int32_t>& rows,
               const std::vector<double>& Z, int64_t n, std::vector<double>& x) const {
    const int64_t d = options_.d, B = std::ssize(rows);
    std::vector<double> negative(d * n), gram(d * d);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < d; ++k) negative.data()[k * n + i] = -Z.data()[i * d + k];
    for (int64_t k = 0; k < d; ++k) gram.data()[k * d + k] = options_.lambda;
    context.host.rank_update(context.call, gram.data(), d, negative.data(), n, Z.data(), d, d, d, n);
    std::vector<double> a(B * d * d);
    x.assign(B * d, 0.0);
    parallel_for(context, B, 16, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        double *system = a.data() + b * d * d, *side = x.data() + b * d;
        std::copy(gram.begin(), gram.end(), system);
        for (int64_t e = csr.offsets[rows.data()[b]]; e < csr.offsets[rows.data()[b] + 1]; ++e) {
          const double* z = Z.data() + csr.columns[e] * d;
          for (int64_t k = 0; k < d; ++k) {
            side[k] += (1 + options_.alpha) * z[k];
            for (int64_t l = 0; l < d; ++l) system[k * d + l] += options_.alpha * z[k] * z[l];
          }
        }
      }
    });
    const std::vector<double> right(x);
    check(context.host.solve(context.call, REC_DTYPE_F64, B, d, a.data(), x.data()));
    double loss = 0;
    for (int64_t b = 0; b < B; ++b) {
      const int32_t row = rows.data()[b];
      loss += (1 + options_.alpha) * static_cast<double>(csr.offsets[row + 1] - csr.offsets[row]);
      for (int64_t k = 0; k < d; ++k) loss -= x.data()[b * d + k] * right.data()[b * d + k];
    }
    return loss;
  }

  Options options_;
  int64_t n_users_, n_items_;
  std::vector<double> X_, Y_;  // [n_users, d], [n_items, d]
  rec_csr_t users_{}, items_{};
  std::vector<int32_t> batch_users_;
  bool last_of_epoch_ = false;
  std::vector<double> solved_;
  Floats user_table_, item_table_;
};

}  // namespace

REC_PLUGIN_NOTE(ials, "1.0.0", 0, "", "weighted matrix factorisation by alternating least squares");
REC_PLUGIN_ENTRY(table<Ials>(rec_plugin_note,
                             REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC, 1,
                             "Hu et al., Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008"))
