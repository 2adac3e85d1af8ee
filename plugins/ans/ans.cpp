#include "plugins/ans/ans.h"

#include <numeric>
#include <tuple>

#include "plugins/common/propagate_hops.h"

namespace rec::ans {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int32_t kNoiseStream = 16;  // lower streams initialise the parameters

// The losses of the touched nodes' vectors, forward and backward in one pass over the batch: the host's kernel goes row by
// row in the cache, where a chain of tensor operations would stream [B, K, H, d] through memory some sixty times.
class Augment : public torch::autograd::Function<Augment> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& users, const Tensor& items, const Tensor& user_gates,
                        const Tensor& item_gates, const Tensor& margin_weight, const Tensor& margin_bias,
                        const Context* context, const plugin::PairwiseLoss* pairs, const AugmentOptions* options,
                        const plugin::Floats* noise, AugmentGradients* out) {
    const auto B = static_cast<int64_t>(pairs->users().entries().size());
    const int64_t C = static_cast<int64_t>(pairs->items().entries().size()) / B, H = users.size(1), d = users.size(2);
    const auto sized = [](plugin::Floats& values, int64_t n) {
      values.resize(n);
      return values.data();
    };
    out->selected.resize(B * H);
    const Tensor d_margin_weight = at::empty({1, d}, users.options()),
                 d_margin_bias = at::empty({1, 1}, users.options());
    const rec_augment_t job{sizeof job,
                            0,
                            B,
                            C,
                            H,
                            d,
                            pairs->users().slots().data(),
                            pairs->items().slots().data(),
                            users.data_ptr<float>(),
                            user_gates.data_ptr<float>(),
                            items.data_ptr<float>(),
                            item_gates.data_ptr<float>(),
                            margin_weight.data_ptr<float>(),
                            margin_bias.data_ptr<float>(),
                            noise->data(),
                            options->eps,
                            options->gamma,
                            options->noise_scale,
                            options->margin_eps,
                            sized(out->users, B * H * d),
                            sized(out->user_gates, B * H * d),
                            sized(out->items, B * C * H * d),
                            sized(out->item_gates, B * C * H * d),
                            d_margin_weight.data_ptr<float>(),
                            d_margin_bias.data_ptr<float>(),
                            out->selected.data()};
    double losses[4];  // BPR, then the three auxiliary ones
    plugin::check(context->host.augment(context->call, &job, losses));
    const auto sum = [&](const plugin::TouchedRows& rows, const plugin::Floats& entries) {
      Tensor at_nodes = at::empty({rows.size(), H, d}, users.options());
      rows.sum_entries(*context, entries.data(), H * d, at_nodes.data_ptr<float>());
      return at_nodes;
    };
    ctx->save_for_backward({sum(pairs->users(), out->users), sum(pairs->items(), out->items),
                            sum(pairs->users(), out->user_gates), sum(pairs->items(), out->item_gates), d_margin_weight,
                            d_margin_bias});
    return at::full({}, losses[0] + options->gamma * (losses[1] + losses[2] + losses[3]), users.options());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    variable_list out;
    for (const Tensor& saved : ctx->get_saved_variables()) out.push_back(saved * grads[0]);
    out.resize(11);  // the arguments that are not tensors get no gradient
    return out;
  }
};

}  // namespace

void Options::complete(const rec_schema_t&) {
  if (backbone == Backbone::kMf) n_layers = 0;
}

void Ans::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_INTERACTIONS;
  plan.negatives = REC_NEGATIVES_SAMPLED;
  plan.wants_graph = options.n_layers > 0;
  const int64_t H = options.n_layers + 1, d = options.emb_size;
  const int64_t entries = std::min(options.batch_size, schema.n_interactions) * (1 + options.num_neg);
  plan.memory_bytes = 4 * d * ((schema.n_users + schema.n_items) * (4 + 4 * H) + entries * 6 * H) +
                      plugin::weight_bytes(schema) * 2 * d * (d + 1);
  plugin::want(plan, {REC_COLUMN_USER, REC_COLUMN_ITEM});
}

Ans::Ans(const Options& options, const rec_schema_t& schema)
    : options_(options),
      users_("user_emb", schema.n_users, options.emb_size, options.optimizer, options.init),
      items_("item_emb", schema.n_items, options.emb_size, options.optimizer, options.init),
      user_gate_("user_gate.weight", options.emb_size, options.emb_size, options.optimizer,
                 plugin::Init::linear(options.emb_size)),
      user_gate_bias_("user_gate.bias", 1, options.emb_size, options.optimizer, plugin::Init::linear(options.emb_size)),
      item_gate_("item_gate.weight", options.emb_size, options.emb_size, options.optimizer,
                 plugin::Init::linear(options.emb_size)),
      item_gate_bias_("item_gate.bias", 1, options.emb_size, options.optimizer, plugin::Init::linear(options.emb_size)),
      margin_("margin_model.weight", 1, options.emb_size, options.optimizer, plugin::Init::linear(options.emb_size)),
      margin_bias_("margin_model.bias", 1, 1, options.optimizer, plugin::Init::linear(options.emb_size)),
      loss_(schema, options.emb_size, {}, options.regularizer) {}

std::vector<plugin::Parameter*> Ans::parameters() {
  return {&users_, &items_, &user_gate_, &user_gate_bias_, &item_gate_, &item_gate_bias_, &margin_, &margin_bias_};
}

void Ans::initialize(const Context& context, int64_t seed) {
  Model::initialize(context, seed);
  served_ = false;
}

void Ans::bind(const Context&, const rec_dataset_view_t& view) {
  if (options_.n_layers > 0) graph_.bind(view, options_.adj_eps);
  served_ = false;
}

// Noise of row r of the epoch, [K, H, d]: keyed by r, so the same for any batch size and number of threads.
void Ans::draw_noise(const Context& context, const Batch& batch) {
  const int64_t width = (batch.n_candidates() - 1) * n_hops() * options_.emb_size;
  noise_.resize(batch.n_rows() * width);
  plugin::parallel_for(context, batch.n_rows(), 8, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      context.host.random_uniform(options_.seed, kNoiseStream, batch.raw.epoch, batch.raw.first_row + b, 0, 1,
                                  noise_.data() + b * width, width);
  });
}

// L = L_bpr + gamma (L_con + L_dis + L_orth) + reg_weight L_reg
double Ans::compute(const Context& context, const Batch& batch) {
  plugin::use_one_thread();
  loss_.collect(batch);
  draw_noise(context, batch);

  const bool of_touched_rows = options_.n_layers == 0;
  if (of_touched_rows) {
    users_.touch(context, loss_.users());
    items_.touch(context, loss_.items());
  }
  const std::vector<Tensor> inputs = plugin::leaves(parameters());
  Tensor users = inputs[0], items = inputs[1];  // [touched, H, d] from here on
  if (of_touched_rows) {
    users = users.unsqueeze(1);
    items = items.unsqueeze(1);
  } else {
    std::tie(users, items) = plugin::propagate_hops(context, graph_, users, items, options_.n_layers,
                                                    loss_.users().rows(), loss_.items().rows());
  }
  const Tensor user_gates = at::linear(users, inputs[2], inputs[3].squeeze(0));
  const Tensor item_gates = at::linear(items, inputs[4], inputs[5].squeeze(0));
  const Tensor loss = Augment::apply(users, items, user_gates, item_gates, inputs[6], inputs[7], &context, &loss_,
                                     &options_.augment, &noise_, &augmented_);
  const double value = plugin::backward(context, loss, inputs, parameters());
  // L_reg = EmbLoss of the batch's rows of E_0, whose gradient is a multiple of each row.
  using enum plugin::PairwiseLoss::GradientsOf;
  return value + loss_.regularize(batch, users_.data(), items_.data(), of_touched_rows ? kTouchedRows : kEveryRow,
                                  users_.gradient(), items_.gradient());
}

void Ans::apply(const Context& context) {
  Model::apply(context);
  served_ = false;
}

void Ans::restored() {
  Model::restored();
  served_ = false;
}

int64_t Ans::served_width() const {
  return options_.predict_mode == PredictMode::kHopSum ? n_hops() * options_.emb_size : options_.emb_size;
}

// hop_sum: sum_h u_h . i_h, the trained score, as one product of concatenated hops. ego: hop 0 alone. mean:
// LightGCN's read-out.
void Ans::serve(const Context& context) {
  if (served_) return;
  plugin::use_one_thread();
  const at::NoGradGuard no_grad;
  settle(context);
  const int64_t L = options_.predict_mode == PredictMode::kEgo ? 0 : options_.n_layers;
  const auto every = [](int64_t n) {
    std::vector<int32_t> rows(n);
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  };
  const std::vector<int32_t> every_user = every(users_.n()), every_item = every(items_.n());
  const auto [U, I] = plugin::propagate_hops(context, graph_, plugin::view_of(users_), plugin::view_of(items_), L,
                                             every_user, every_item);
  plugin::keep(options_.predict_mode == PredictMode::kMean ? U.mean(1) : U, served_users_);
  plugin::keep(options_.predict_mode == PredictMode::kMean ? I.mean(1) : I, served_items_);
  served_ = true;
}

void Ans::score_live(const Context& context, const Batch& batch, float* out_scores) {
  serve(context);
  context.host.pair_scores(context.call, batch.users(), batch.items(), batch.n_rows(), batch.n_candidates(),
                           served_users_.data(), served_items_.data(), served_width(), out_scores);
}

rec_tensor_view_t Ans::table(int32_t which) const {
  const bool of_users = which == REC_TABLE_USER;
  return plugin::host_view((of_users ? served_users_ : served_items_).data(), (of_users ? users_ : items_).n(),
                           served_width());
}

}  // namespace rec::ans
