#include "tests/golden/golden_case.h"

namespace rec {
namespace {

Batch rechorus_batch(const Reference& reference, const std::string& step) {
  Batch batch = golden_pairs(reference, step);
  PluginHarness::add_histories(batch, reference.histories("in.history_items", "in.lengths"));
  return batch;
}

Batch recbole_batch(const Reference& reference, const std::string& step) {
  Batch batch = golden_pairs(reference, step);
  PluginHarness::add_histories(batch, reference.histories("in.item_id_list", "in.item_length"));
  return batch;
}

Batch metaspore_batch(const Reference& reference, const std::string& step) {
  Batch batch = golden_pairs(reference, step);
  PluginHarness::add_histories(batch, reference.histories("in.history"));
  return batch;
}

// A step of the authors' variant: inputs, targets, shared samples; the hidden state is set separately.
Batch official_batch(const Reference& reference, const std::string& step) {
  const auto targets = reference.get<int32_t>("in." + step + "target_items");
  Batch batch = PluginHarness::batch_of(std::vector<int32_t>(targets.size()), targets);
  std::vector<std::vector<int32_t>> inputs;
  for (int32_t item : reference.get<int32_t>("in." + step + "input_items")) inputs.push_back({item});
  PluginHarness::add_histories(batch, inputs);
  const auto samples = reference.get<int32_t>("in." + step + "sampled_items");
  std::copy(samples.begin(), samples.end(), batch.column(REC_COLUMN_SHARED_ITEM).reshape<int32_t>(std::ssize(samples)));
  std::fill_n(batch.column(REC_COLUMN_SESSION_RESET).reshape<int32_t>(batch.n_rows), batch.n_rows, 0);
  std::fill_n(batch.column(REC_COLUMN_SLOT_KEEP).reshape<int32_t>(batch.n_rows), batch.n_rows, 1);
  return batch;
}

constexpr const char* kRechorus = R"(, "variant": "rechorus", "layers": [9], "emb_size": 8, "num_neg": 3)";
constexpr const char* kRechorusL2 =
    R"(, "variant": "rechorus", "layers": [9], "emb_size": 8, "num_neg": 3, "l2": 0.01)";
constexpr const char* kRecboleCe = R"(, "variant": "recbole", "layers": [9], "emb_size": 8, "frozen_row": 0)";
constexpr const char* kRecboleBpr =
    R"(, "variant": "recbole", "layers": [9], "emb_size": 8, "frozen_row": 0, "loss": "bpr_log")";
constexpr const char* kMetasporeBpr =
    R"(, "variant": "metaspore", "layers": [9, 9], "emb_size": 8, "temperature": 0.5, "optimizer": "adam")";
constexpr const char* kMetasporeTop1 =
    R"(, "variant": "metaspore", "layers": [9, 9], "emb_size": 8, "temperature": 0.5, "optimizer": "adam", "loss": "top1")";

INSTANTIATE_TEST_SUITE_P(
    Gru4Rec, GoldenTest,
    testing::Values(
        GoldenCase{"gru4rec_rechorus", "gru4rec", kRechorus, "adam3", "loss.total", rechorus_batch},
        GoldenCase{"gru4rec_rechorus", "gru4rec", kRechorusL2, "adam3_l2", "loss.total", rechorus_batch},
        GoldenCase{"gru4rec_recbole_bpr", "gru4rec", kRecboleBpr, "adam3", "loss.total", recbole_batch},
        GoldenCase{"gru4rec_recbole_bpr_pad", "gru4rec", kRecboleBpr, "adam3", "loss.total", recbole_batch},
        GoldenCase{"gru4rec_recbole_ce", "gru4rec", kRecboleCe, "adam3", "loss.total", recbole_batch},
        GoldenCase{"gru4rec_recbole_ce_pad", "gru4rec", kRecboleCe, "adam3", "loss.total", recbole_batch},
        GoldenCase{"gru4rec_metaspore_bpr", "gru4rec", kMetasporeBpr, "adam3", "loss.total", metaspore_batch},
        GoldenCase{"gru4rec_metaspore_top1", "gru4rec", kMetasporeTop1, "adam3", "loss.total", metaspore_batch}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

struct OfficialCase {
  std::string golden, params, variant;  // adam3, adagrad3 or adagradm3
};
void PrintTo(const OfficialCase& c, std::ostream* out) { *out << c.golden << " " << c.variant; }

class OfficialGru4Rec : public testing::TestWithParam<OfficialCase> {
 protected:
  // The state that a step starts from, as tensors of the model.
  void set_hidden(PluginHarness& harness, const std::string& step) const {
    const auto layers = reference_.hyper()["layers"].get<std::vector<int64_t>>();
    const int64_t batch_size = reference_.hyper()["batch_size"];
    for (size_t l = 0; l < layers.size(); ++l) {
      auto hidden = reference_.floats(cat("in.", step, "hidden", l));
      hidden.resize(batch_size * layers[l]);
      harness.set(cat("state.hidden.", l), hidden);
    }
    const int64_t slots = reference_.shape("in." + step + "input_items")[0];
    harness.model().set_tensor(harness.index_of("state.slots"), &slots);
  }
  std::unique_ptr<PluginHarness> make() const {
    const auto& hyper = reference_.hyper();
    const std::string optimizer = GetParam().variant == "adam3"
                                      ? R"("optimizer": "adam", "lr": 0.01)"
                                      : cat(R"("optimizer": "indexed_adagrad", "lr": 0.05, "momentum": )",
                                            GetParam().variant == "adagradm3" ? "0.3" : "0");
    std::string params = cat("{\"variant\": \"official\", ", optimizer, GetParam().params);
    for (const char* key : {"layers", "batch_size", "n_sample", "elu_param", "bpreg", "logq"})
      if (hyper.contains(key)) params += cat(", \"", key, "\": ", hyper[key].dump());
    // Each item occurs in training as often as the reference counted it, since logQ reads the counts.
    PluginHarness::Pairs pairs;
    const auto counts = reference_.get<int32_t>("in.item_counts");
    for (size_t i = 0; i < counts.size(); ++i)
      for (int32_t c = 0; c < counts[i]; ++c) pairs.emplace_back(0, static_cast<int32_t>(i));
    auto harness = std::make_unique<PluginHarness>("gru4rec", params + "}", 1, hyper["n_items"], pairs, 2);
    reference_.set_parameters(*harness);
    return harness;
  }
  double compute(PluginHarness& harness, const std::string& step) const {
    set_hidden(harness, step);
    return harness.compute(official_batch(reference_, step));
  }

  const Reference reference_{GetParam().golden};
};

TEST_P(OfficialGru4Rec, ReproducesLossGradientsAndThreeSteps) {
  const auto harness = make();
  Reference::expect_loss(compute(*harness, ""), reference_.doubles("f64.loss.total")[0], "loss");
  reference_.expect_training(*harness, GetParam().variant,
                             [&](const std::string& step) { return compute(*harness, step); });
}

TEST_P(OfficialGru4Rec, CarriesTheReferencesStates) {
  const auto harness = make();
  compute(*harness, "");
  harness->model().apply();
  for (size_t l = 0; reference_.has(cat("out.hidden", l)); ++l) {
    auto state = harness->get(cat("state.hidden.", l));
    const auto hidden = reference_.floats(cat("out.hidden", l));
    state.resize(hidden.size());
    Reference::expect_near(state, hidden, reference_.tolerance("out"), cat("hidden ", l));
  }
}

const OfficialCase kOfficial[] = {
    {"gru4rec_official_xe", "", "adam3"},
    {"gru4rec_official_xe", "", "adagrad3"},
    {"gru4rec_official_xe", "", "adagradm3"},
    {"gru4rec_official_xe_logq", "", "adagradm3"},
    {"gru4rec_official_bprmax", R"(, "loss": "bpr_max")", "adam3"},
    {"gru4rec_official_bprmax", R"(, "loss": "bpr_max")", "adagradm3"},
    {"gru4rec_official_bprmax_sep", R"(, "loss": "bpr_max", "input": "separate", "emb_size": 5)", "adam3"},
    {"gru4rec_official_bprmax_sep", R"(, "loss": "bpr_max", "input": "separate", "emb_size": 5)", "adagradm3"},
    {"gru4rec_official_onehot", R"(, "input": "onehot")", "adam3"},
    {"gru4rec_official_onehot", R"(, "input": "onehot")", "adagradm3"},
    {"gru4rec_official_xe_steps", "", "adagrad3"},
    {"gru4rec_official_xe_steps", "", "adagradm3"},
    {"gru4rec_official_bprmax_sep_steps", R"(, "loss": "bpr_max", "input": "separate", "emb_size": 5)", "adagrad3"},
    {"gru4rec_official_bprmax_sep_steps", R"(, "loss": "bpr_max", "input": "separate", "emb_size": 5)", "adagradm3"},
};
INSTANTIATE_TEST_SUITE_P(Golden, OfficialGru4Rec, testing::ValuesIn(kOfficial),
                         [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

TEST(Gru4Rec, NamesTheLossesOfAVariant) {
  try {
    PluginHarness("gru4rec", R"({"variant": "rechorus", "loss": "top1"})", 1, 2, {{0, 0}});
    FAIL() << "top1 is metaspore's";
  } catch (const Error& error) {
    EXPECT_EQ(error.message, "loss: variant=rechorus takes bpr_multi, bpr, bpr_log, bce, not 'top1'");
  }
}

}  // namespace
}  // namespace rec
