#include "plugins/gru4rec/gru4rec.h"

#include "plugins/gru4rec/sequence_gru.h"
#include "plugins/gru4rec/session_gru.h"

namespace rec::gru4rec {

namespace {

using enum plugin::Optimizer;

constexpr plugin::Word<Loss> kLosses[] = {
    {"softmax", Loss::kSoftmax}, {"bpr_max", Loss::kBprMax}, {"bpr_multi", Loss::kBprMulti}, {"bpr", Loss::kBpr},
    {"bpr_log", Loss::kBprLog},  {"bce", Loss::kBce},        {"top1", Loss::kTop1},
};

// The losses and optimisers that a variant offers; the first of each is its "auto".
struct Offer {
  const char* variant;
  std::vector<Loss> losses;
  std::vector<plugin::Optimizer> optimizers;
};
Offer offer_of(Variant variant) {
  switch (variant) {
    case Variant::kOfficial: return {"official", {Loss::kSoftmax, Loss::kBprMax}, {kIndexedAdagrad, kAdam, kSgd}};
    case Variant::kRecBole: return {"recbole", {Loss::kSoftmax, Loss::kBprLog}, {kAdam, kLazyAdam, kSgd, kAdagrad}};
    case Variant::kMetaSpore: return {"metaspore", {Loss::kBpr, Loss::kTop1}, {kUncorrectedAdam, kAdam, kLazyAdam}};
    default:
      return {"rechorus", {Loss::kBprMulti, Loss::kBpr, Loss::kBprLog, Loss::kBce}, {kAdam, kLazyAdam, kSgd, kAdagrad}};
  }
}

// The value of a word, which must be one that the variant offers.
template <class T>
T chosen(const char* parameter, const std::string& word, const char* variant, const std::vector<T>& offered,
         const plugin::Words<T>& words) {
  if (word == "auto") return offered.front();
  const T value = plugin::value_of<T>(parameter, word, words);
  std::string all;
  for (T one : offered) {
    if (one == value) return value;
    for (const plugin::Word<T>& known : words)
      if (known.value == one) all.append(all.empty() ? "" : ", ").append(known.text);
  }
  throw plugin::Failure{REC_UNSUPPORTED,
                        std::string(parameter) + ": variant=" + variant + " takes " + all + ", not '" + word + "'"};
}

}  // namespace

void Options::complete(const rec_schema_t&) {
  const bool official = variant == Variant::kOfficial;
  const Offer offer = offer_of(variant);
  layers = plugin::whole_sizes("layers", layer_sizes, 8, 8192);
  loss = chosen<Loss>("loss", loss_word, offer.variant, offer.losses, kLosses);
  optimizer.kind =
      chosen<plugin::Optimizer>("optimizer", optimizer_word, offer.variant, offer.optimizers, plugin::kOptimizers);
  if (optimizer.lr == 0) optimizer.lr = official ? 0.05 : 0.001;
  if (official) optimizer.epsilon = 1e-6;
  table_optimizer = variant == Variant::kMetaSpore && ftrl_tables ? ftrl : optimizer;
  if (input != Input::kConstrained && !official)
    throw plugin::Failure{
        REC_UNSUPPORTED,
        std::string("input: '") + (input == Input::kSeparate ? "separate" : "onehot") + "' is for variant=official"};
}

int32_t Options::host_loss() const {
  switch (loss) {
    case Loss::kSoftmax: return REC_LOSS_SOFTMAX;
    case Loss::kBprMulti: return REC_LOSS_BPR_MULTI;
    case Loss::kBprLog: return REC_LOSS_BPR_LOG;
    case Loss::kBce: return REC_LOSS_BCE;
    default: return REC_LOSS_BPR_SOFTPLUS;
  }
}

void Gru4Rec::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  plan.min_history = 1;
  plugin::want_in_queries(plan, {REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH});
  if (options.variant == Variant::kOfficial)
    SessionGru::plan(options, schema, plan);
  else
    SequenceGru::plan(options, schema, plan);
}

std::unique_ptr<plugin::Model> Gru4Rec::make(const Options& options, const rec_schema_t& schema) {
  if (options.variant == Variant::kOfficial) return std::make_unique<SessionGru>(options, schema);
  return std::make_unique<SequenceGru>(options, schema);
}

}  // namespace rec::gru4rec
