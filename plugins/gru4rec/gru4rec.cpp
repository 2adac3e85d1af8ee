#include "plugins/gru4rec/gru4rec.h"

#include <cmath>

#include "plugins/gru4rec/sequence_gru.h"
#include "plugins/gru4rec/session_gru.h"

namespace rec::gru4rec {

namespace {

std::vector<int64_t> layer_sizes(const plugin::Context& context, const rec_params_t& params) {
  std::vector<double> given(9);
  const int64_t n = context.host.param_list(&params, "layers", given.data(), 9);
  if (n < 1 || n > 8)
    throw plugin::Failure{REC_INVALID_ARGUMENT, "layers: must have 1 to 8 sizes, got " + std::to_string(n)};
  std::vector<int64_t> sizes;
  for (int64_t l = 0; l < n; ++l) {
    const double size = given[static_cast<size_t>(l)];
    if (size != std::floor(size) || size < 1 || size > 8192)
      throw plugin::Failure{REC_INVALID_ARGUMENT, "layers: sizes must be whole numbers from 1 to 8192"};
    sizes.push_back(static_cast<int64_t>(size));
  }
  return sizes;
}

// "auto" is the variant's own; anything else has to be one it knows.
std::string chosen(const std::string& name, const std::string& value, const std::string& variant,
                   const std::vector<std::string>& known) {
  if (value == "auto") return known.front();
  for (const std::string& one : known)
    if (one == value) return value;
  std::string all;
  for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
  throw plugin::Failure{REC_UNSUPPORTED, name + ": variant=" + variant + " takes " + all + ", not '" + value + "'"};
}

}  // namespace

Options read_options(const plugin::Context& context, const rec_params_t& params) {
  const rec_host_t& host = context.host;
  const auto text = [&](const char* name) { return std::string(host.param_text(&params, name)); };
  Options o;
  o.variant = text("variant");
  const bool official = o.variant == "official";
  o.emb_size = host.param_int(&params, "emb_size");
  o.layers = layer_sizes(context, params);
  o.history_max = host.param_int(&params, "history_max");
  o.dropout_embed = host.param_float(&params, "dropout_embed");
  o.dropout_hidden = host.param_float(&params, "dropout_hidden");
  o.input = text("input");
  o.n_sample = host.param_int(&params, "n_sample");
  o.sample_alpha = host.param_float(&params, "sample_alpha");
  o.bpreg = host.param_float(&params, "bpreg");
  o.elu = host.param_float(&params, "elu_param");
  o.logq = host.param_float(&params, "logq");
  o.temperature = host.param_float(&params, "temperature");
  o.init_std = host.param_float(&params, "init_std");
  o.frozen_row = host.param_int(&params, "frozen_row");
  o.batch_size = host.param_int(&params, "batch_size");
  o.seed = host.param_int(&params, "seed");
  const std::vector<std::string> losses = official                 ? std::vector<std::string>{"softmax", "bpr_max"}
                                          : o.variant == "recbole" ? std::vector<std::string>{"softmax", "bpr_log"}
                                          : o.variant == "metaspore"
                                              ? std::vector<std::string>{"bpr", "top1"}
                                              : std::vector<std::string>{"bpr_multi", "bpr", "bpr_log", "bce"};
  o.loss = chosen("loss", text("loss"), o.variant, losses);
  const std::string optimizer =
      chosen("optimizer", text("optimizer"), o.variant,
             official                   ? std::vector<std::string>{"indexed_adagrad", "adam", "sgd"}
             : o.variant == "metaspore" ? std::vector<std::string>{"uncorrected_adam", "adam", "lazy_adam"}
                                        : std::vector<std::string>{"adam", "lazy_adam", "sgd", "adagrad"});
  o.optimizer = {plugin::optimizer_named(optimizer), host.param_float(&params, "lr"), host.param_float(&params, "l2")};
  if (o.optimizer.lr == 0) o.optimizer.lr = official ? 0.05 : 0.001;
  o.optimizer.momentum = host.param_float(&params, "momentum");
  if (official) o.optimizer.epsilon = 1e-6;
  o.table_optimizer = o.optimizer;
  if (o.variant == "metaspore" && text("table_optimizer") == "ftrl") {
    o.table_optimizer = {plugin::Optimizer::kFtrl, host.param_float(&params, "ftrl_lr")};
    o.table_optimizer.beta = host.param_float(&params, "ftrl_beta");
    o.table_optimizer.l1 = host.param_float(&params, "ftrl_l1");
    o.table_optimizer.l2 = host.param_float(&params, "ftrl_l2");
  }
  if (o.input == "separate" && !official)
    throw plugin::Failure{REC_UNSUPPORTED, "input: 'separate' is for variant=official"};
  if (o.input == "onehot" && !official)
    throw plugin::Failure{REC_UNSUPPORTED, "input: 'onehot' is for variant=official"};
  return o;
}

void drop(const plugin::Context& context, int64_t seed, int32_t stream, int64_t epoch, int64_t key, double p,
          plugin::Floats& x, plugin::Floats& mask) {
  mask.resize(x.size());
  context.host.random_uniform(seed, stream, epoch, key, 0, 1, mask.data(), static_cast<int64_t>(mask.size()));
  const auto threshold = static_cast<float>(p), kept = static_cast<float>(1 / (1 - p));
  for (size_t i = 0; i < x.size(); ++i) {
    mask[i] = mask[i] < threshold ? 0 : kept;
    x[i] *= mask[i];
  }
}

void Gru4Rec::plan(const plugin::Context& context, const rec_params_t& params, const rec_schema_t& schema,
                   rec_plan_t& plan) {
  const Options options = read_options(context, params);
  if (options.variant == "official")
    SessionGru::plan(options, schema, plan);
  else
    SequenceGru::plan(options, schema, plan);
}

std::unique_ptr<plugin::Model> Gru4Rec::make(const plugin::Context& context, const rec_params_t& params,
                                             const rec_schema_t& schema) {
  const Options options = read_options(context, params);
  if (options.variant == "official") return std::make_unique<SessionGru>(options, schema);
  return std::make_unique<SequenceGru>(options, schema);
}

}  // namespace rec::gru4rec
