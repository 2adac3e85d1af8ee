#include "plugins/autocf/autocf.h"

#include <numeric>

#include "plugins/autocf/equations.h"

namespace rec::autocf {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Random streams; lower ones initialise the parameters.
enum Stream : int32_t { kCenterStream = 100, kMaskStream = 101 };

float* data_of(const Tensor& tensor) { return tensor.data_ptr<float>(); }

class Propagate : public torch::autograd::Function<Propagate> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Context* context, const Pattern* pattern,
                        bool scaled) {
    ctx->saved_data["context"] = reinterpret_cast<int64_t>(context);
    ctx->saved_data["pattern"] = reinterpret_cast<int64_t>(pattern);
    ctx->saved_data["scaled"] = scaled;
    return product(*context, *pattern, scaled, x);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {  // symmetric: the same product
    const auto& context = *reinterpret_cast<const Context*>(ctx->saved_data["context"].toInt());
    const auto& pattern = *reinterpret_cast<const Pattern*>(ctx->saved_data["pattern"].toInt());
    return {product(context, pattern, ctx->saved_data["scaled"].toBool(), grads[0]), Tensor(), Tensor(), Tensor()};
  }

 private:
  static Tensor product(const Context& context, const Pattern& pattern, bool scaled, const Tensor& given) {
    const Tensor x = given.contiguous();
    Tensor y = at::empty_like(x);
    const rec_csr_t csr = pattern.csr();
    const float* scale = scaled ? pattern.scale.data() : nullptr;
    context.host.propagate(context.call, &csr, scale, scale, data_of(x), x.size(1), nullptr, 0, data_of(y), nullptr, 0);
    return y;
  }
};

class Attend : public torch::autograd::Function<Attend> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v, const Context* context,
                        const Pattern* pattern, int64_t n_heads) {
    ctx->saved_data["context"] = reinterpret_cast<int64_t>(context);
    ctx->saved_data["pattern"] = reinterpret_cast<int64_t>(pattern);
    Tensor alpha = at::empty({pattern->nnz(), n_heads}, q.options()), inside = at::empty_like(alpha);
    Tensor out = at::empty_like(q);
    autocf::attend(*context, {*pattern, n_heads, q.size(1), data_of(q), data_of(k), data_of(v)}, data_of(alpha),
                   data_of(inside), data_of(out));
    ctx->save_for_backward({q, k, v, alpha, inside});
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto& context = *reinterpret_cast<const Context*>(ctx->saved_data["context"].toInt());
    const auto& pattern = *reinterpret_cast<const Pattern*>(ctx->saved_data["pattern"].toInt());
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &alpha = saved[3], &inside = saved[4];
    const Tensor d_out = grads[0].contiguous();
    Tensor d_q = at::empty_like(q), d_k = at::empty_like(k), d_v = at::empty_like(v), d_logits = at::empty_like(alpha);
    attend_backward(context, {pattern, alpha.size(1), q.size(1), data_of(q), data_of(k), data_of(v)}, data_of(alpha),
                    data_of(inside), data_of(d_out), data_of(d_logits), {data_of(d_q), data_of(d_k), data_of(d_v)});
    return {d_q, d_k, d_v, Tensor(), Tensor(), Tensor()};
  }
};

// Blocks of anchors, in a fixed number of groups that each sum in order: the same bits for any number of threads.
class MeanLogSumExp : public torch::autograd::Function<MeanLogSumExp> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& anchors, const Tensor& table, const Context* context) {
    constexpr int64_t kGroups = 8, kBlock = 128;
    const Tensor a = anchors.detach().contiguous(), t = table.detach().contiguous();
    const int64_t m = a.size(0), share = (m + kGroups - 1) / kGroups;
    Tensor d_anchors = at::empty_like(a), d_tables = at::zeros({kGroups, t.size(0), t.size(1)}, t.options());
    std::vector<double> sums(kGroups);
    plugin::parallel_for(*context, kGroups, 1, [&](int64_t begin, int64_t end) {
      const at::NoGradGuard no_grad;
      plugin::use_one_thread();
      for (int64_t g = begin; g < end; ++g)
        for (int64_t first = g * share; first < std::min(m, (g + 1) * share); first += kBlock) {
          const int64_t n = std::min(kBlock, std::min(m, (g + 1) * share) - first);
          if (context->host.should_stop(context->call)) return;
          const Tensor block = a.narrow(0, first, n);
          Tensor p = block.mm(t.t());
          const Tensor lse = p.logsumexp(1, true);
          sums[g] += lse.sum().item<double>();
          p.sub_(lse).exp_().div_(static_cast<double>(m));  // d/d(scores): softmax / m
          d_anchors.narrow(0, first, n).copy_(p.mm(t));
          d_tables[g].addmm_(p.t(), block);
        }
    });
    ctx->save_for_backward({d_anchors, d_tables.sum(0)});
    return at::full({}, std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(m), a.options());
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    return {saved[0] * grads[0], saved[1] * grads[0], Tensor()};
  }
};

// Picks the layers from the leaves of all parameters: two tables, then q, k and v of each layer.
std::vector<GraphTransformer> layers_of(const std::vector<Tensor>& inputs) {
  std::vector<GraphTransformer> layers;
  for (size_t i = 2; i < inputs.size(); i += 3) layers.push_back({inputs[i], inputs[i + 1], inputs[i + 2]});
  return layers;
}

}  // namespace

Tensor propagate(const Context& context, const Pattern& pattern, bool scaled, const Tensor& x) {
  return Propagate::apply(x, &context, &pattern, scaled);
}

Tensor attend(const Context& context, const Pattern& pattern, const GraphTransformer& layer, int64_t n_heads,
              const Tensor& x) {
  return Attend::apply(x.mm(layer.q), x.mm(layer.k), x.mm(layer.v), &context, &pattern, n_heads);
}

Tensor mean_log_sum_exp(const Context& context, const Tensor& anchors, const Tensor& table) {
  return MeanLogSumExp::apply(anchors, table, &context);
}

// o = row sums of One;  f1 = One E0 - E0, n1 = o;  f2 = (One f1 - f1) - o E0, n2 = (One o - o) - o;
// g = (f1 + f2) / (n1 + n2 + 1e-8)
Tensor center_scores(const Context& context, const Pattern& adjacency, const Tensor& E0, const Tensor& uniform) {
  const auto one = [&](const Tensor& x) { return propagate(context, adjacency, false, x); };
  const Tensor o = one(at::ones({E0.size(0), 1}, E0.options()));
  const Tensor f1 = one(E0) - E0;
  const Tensor f2 = (one(f1) - f1) - o * E0;
  const Tensor n2 = (one(o) - o) - o;
  const Tensor g = (f1 + f2) / (o + n2 + 1e-8);
  const Tensor gumbel = -at::log(-at::log(uniform.clamp_min(1e-8)));  // a drawn 0 would give minus infinity
  return at::log_sigmoid((plugin::normalized(g) * plugin::normalized(E0)).sum(-1)) + gumbel;
}

// X_0 = E0,  X_{l+1} = Enc X_l,  then X_{l+1} = GT_l(Dec, X_l);  final = sum of all X.
Tensor encode(const Context& context, const Pattern& encoder, const Pattern& decoder, int64_t gcn_layer,
              const std::vector<GraphTransformer>& layers, int64_t n_heads, const Tensor& E0) {
  Tensor X = E0, final = E0;
  for (int64_t l = 0; l < gcn_layer; ++l) {
    X = propagate(context, encoder, true, X);
    final = final + X;
  }
  for (const GraphTransformer& layer : layers) {
    X = attend(context, decoder, layer, n_heads, X);
    final = final + X;
  }
  return final;
}

Terms losses(const Context& context, const Tensor& users, const Tensor& items, const Tensor& u, const Tensor& i,
             const Tensor& distinct_u, const Tensor& distinct_i, const std::vector<Tensor>& parameters, double reg) {
  Terms out;
  const Tensor anchors = users.index_select(0, u);
  // L_pred = -mean_b U_u . I_i
  out.pred = -(anchors * items.index_select(0, i)).sum(-1).mean();
  // L_cu, L_ci over the batch's distinct nodes, L_ui with repetitions.
  out.contrast_user = mean_log_sum_exp(context, users.index_select(0, distinct_u), users);
  out.contrast_item = mean_log_sum_exp(context, items.index_select(0, distinct_i), items);
  out.contrast_cross = mean_log_sum_exp(context, anchors, items);
  // L_reg = reg * sum of squares of all parameters
  out.reg = at::zeros({}, users.options());
  for (const Tensor& parameter : parameters) out.reg = out.reg + reg * parameter.square().sum();
  return out;
}

void Options::complete(const rec_schema_t&) {
  if (emb_size % n_heads != 0)
    throw plugin::Failure{REC_INVALID_ARGUMENT, "n_heads: must divide emb_size = " + std::to_string(emb_size) +
                                                    ", got " + std::to_string(n_heads)};
}

void AutoCf::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.rows = REC_PLAN_INTERACTIONS;
  plan.negatives = REC_NEGATIVES_NONE;
  plan.wants_graph = 1;
  const int64_t N = schema.n_users + schema.n_items, nnz = 2 * schema.n_interactions + N;
  plan.memory_bytes = 4 * options.emb_size * N * (16 + 6 * (options.gcn_layer + options.gt_layer)) +
                      nnz * (40 + 36 * options.n_heads * options.gt_layer);
  plugin::want(plan, {REC_COLUMN_USER, REC_COLUMN_ITEM});
}

AutoCf::AutoCf(const Options& options, const rec_schema_t& schema)
    : options_(options),
      users_("user_emb", schema.n_users, options.emb_size, options.optimizer, plugin::Init::xavier_uniform()),
      items_("item_emb", schema.n_items, options.emb_size, options.optimizer, plugin::Init::xavier_uniform()),
      batch_users_(schema.n_users),
      batch_items_(schema.n_items) {
  const int64_t d = options_.emb_size;
  for (int64_t l = 0; l < options_.gt_layer; ++l)
    for (const char* part : {"q", "k", "v"})
      transformers_.push_back(std::make_unique<plugin::Parameter>("gt." + std::to_string(l) + "." + part, d, d,
                                                                  options_.optimizer, plugin::Init::xavier_uniform()));
  const int64_t n_seeds = std::min(options_.masks.seed_num, schema.n_users + schema.n_items);
  mask_state_.resize(n_seeds + 2);
}

std::vector<plugin::Parameter*> AutoCf::parameters() {
  std::vector<plugin::Parameter*> all{&users_, &items_};
  for (const auto& weight : transformers_) all.push_back(weight.get());
  return all;
}

void AutoCf::bind(const Context&, const rec_dataset_view_t& view) {
  adjacency_ = adjacency_with_loops(view);
  masked_ = false;
}

std::vector<float> AutoCf::center_noise(const Context& context, int64_t epoch, int64_t batch) const {
  std::vector<float> uniform(adjacency_.n());
  context.host.random_uniform(options_.seed, kCenterStream, epoch, batch, 0, 1, uniform.data(), adjacency_.n());
  return uniform;
}

// Chooses the nodes with the largest scores; ties go to the lower node.
void AutoCf::choose_seeds(const float* scores, const Batch& batch) {
  std::vector<int64_t> nodes(adjacency_.n());
  std::iota(nodes.begin(), nodes.end(), int64_t{0});
  const auto n_seeds = std::ssize(mask_state_) - 2;
  std::partial_sort(nodes.begin(), nodes.begin() + n_seeds, nodes.end(),
                    [&](int64_t a, int64_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  std::copy_n(nodes.begin(), n_seeds, mask_state_.begin());
  mask_state_[n_seeds] = batch.raw.epoch;
  mask_state_[n_seeds + 1] = batch.raw.index;
  masked_ = false;
}

// Draws the masks from mask_state_, which was set just now or before training was interrupted.
void AutoCf::mask(const Context& context) {
  const auto n_seeds = std::ssize(mask_state_) - 2;
  const int64_t epoch = mask_state_[n_seeds], batch = mask_state_[n_seeds + 1];
  for (int64_t s = 0; s < n_seeds; ++s)  // they may come from a damaged file
    if (const int64_t node = mask_state_[s]; node < 0 || node >= adjacency_.n())
      throw plugin::Failure{REC_CORRUPT_DATA, "mask_state: node " + std::to_string(node) + " is not below " +
                                                  std::to_string(adjacency_.n())};
  const auto draw = [&](Draw use, int64_t n, int64_t below) {
    std::vector<float> uniform(n);
    context.host.random_uniform(options_.seed, kMaskStream + static_cast<int32_t>(use), epoch, batch, 0, 1,
                                uniform.data(), n);
    std::vector<int64_t> out;
    for (float x : uniform)
      out.push_back(std::min(static_cast<int64_t>(static_cast<double>(x) * static_cast<double>(below)), below - 1));
    return out;
  };
  masks_ = draw_masks(adjacency_, {mask_state_.begin(), mask_state_.end() - 2}, options_.masks, draw);
  masked_ = true;
}

// L = L_pred + L_reg + ssl_reg (L_cu + L_ci) + L_ui, and L_smp on the batches that redraw the masks.
double AutoCf::compute(const Context& context, const Batch& batch) {
  plugin::use_one_thread();
  batch_users_.collect(batch.users(), batch.n_rows());
  batch_items_.collect(batch.items(), batch.n_rows());
  const std::vector<Tensor> inputs = plugin::leaves(parameters());
  const Tensor E0 = at::cat({inputs[0], inputs[1]}, 0);

  Tensor sampler;
  if (batch.raw.index % options_.fix_steps == 0) {
    const std::vector<float> uniform = center_noise(context, batch.raw.epoch, batch.raw.index);
    const Tensor scores = center_scores(context, adjacency_, E0, plugin::view_of(uniform.data(), {adjacency_.n()}));
    sampler = -scores.mean();  // L_smp
    choose_seeds(data_of(scores), batch);
  }
  if (!masked_) mask(context);
  context.throw_if_cancelled();

  const Tensor final = autocf::encode(context, masks_.encoder, masks_.decoder, options_.gcn_layer, layers_of(inputs),
                                      options_.n_heads, E0);
  const Terms terms =
      losses(context, final.narrow(0, 0, users_.n()), final.narrow(0, users_.n(), items_.n()),
             plugin::indices_of(batch.users(), batch.n_rows()), plugin::indices_of(batch.items(), batch.n_rows()),
             plugin::indices_of(batch_users_.rows()), plugin::indices_of(batch_items_.rows()), inputs, options_.reg);
  Tensor loss = terms.total(options_.ssl_reg);
  if (sampler.defined()) loss = loss + sampler;

  return plugin::backward(context, loss, inputs, parameters());
}

void AutoCf::append_state(std::vector<plugin::TensorRef>& out) {
  out.push_back({"mask_state", REC_DTYPE_I64, REC_TENSOR_STATE, {std::ssize(mask_state_)}, mask_state_.data(), 0, plugin::kMostSteps});
}

void AutoCf::restored() {
  Model::restored();
  masked_ = false;
}

// Encoder and decoder on the whole graph.
void AutoCf::freeze(const Context& context) {
  plugin::use_one_thread();
  const at::NoGradGuard no_grad;
  const std::vector<Tensor> inputs = plugin::leaves(parameters());
  const Tensor final = autocf::encode(context, adjacency_, adjacency_, options_.gcn_layer, layers_of(inputs),
                                      options_.n_heads, at::cat({inputs[0], inputs[1]}, 0));
  plugin::keep(final.narrow(0, 0, users_.n()), served_users_);
  plugin::keep(final.narrow(0, users_.n(), items_.n()), served_items_);
}

rec_tensor_view_t AutoCf::table(int32_t which) const {
  const bool of_users = which == REC_TABLE_USER;
  return plugin::host_view((of_users ? served_users_ : served_items_).data(), (of_users ? users_ : items_).n(),
                           users_.d());
}

}  // namespace rec::autocf
