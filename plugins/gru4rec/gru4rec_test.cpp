#include "tests/golden/golden_case.h"

namespace rec {
namespace {

std::vector<std::vector<int32_t>> histories_of(const GoldenTensors& tensors, const char* items, const char* lengths) {
  const auto flat = tensors.get<int32_t>(items), sizes = tensors.get<int32_t>(lengths);
  const size_t T = flat.size() / sizes.size();
  std::vector<std::vector<int32_t>> histories;
  for (size_t b = 0; b < sizes.size(); ++b) {
    const auto begin = flat.begin() + static_cast<int64_t>(b * T);
    histories.emplace_back(begin, begin + sizes[b]);
  }
  return histories;
}

Batch rechorus_batch(const GoldenTensors& tensors, const std::string& step) {
  Batch batch = golden_pairs(tensors, step);
  PluginHarness::add_histories(batch, histories_of(tensors, "in.history_items", "in.lengths"));
  return batch;
}

Batch recbole_batch(const GoldenTensors& tensors, const std::string& step) {
  Batch batch = golden_pairs(tensors, step);
  PluginHarness::add_histories(batch, histories_of(tensors, "in.item_id_list", "in.item_length"));
  return batch;
}

Batch metaspore_batch(const GoldenTensors& tensors, const std::string& step) {
  Batch batch = golden_pairs(tensors, step);
  const auto flat = tensors.get<int32_t>("in.history");
  const size_t T = flat.size() / static_cast<size_t>(batch.n_rows);
  std::vector<std::vector<int32_t>> histories(static_cast<size_t>(batch.n_rows));
  for (size_t e = 0; e < flat.size(); ++e)
    if (flat[e] >= 0) histories[e / T].push_back(flat[e]);
  PluginHarness::add_histories(batch, histories);
  return batch;
}

// A step of the authors' variant: inputs, targets, shared samples; the hidden state is set apart.
Batch official_batch(const GoldenTensors& tensors, const std::string& step) {
  const auto targets = tensors.get<int32_t>("in." + step + "target_items");
  Batch batch = PluginHarness::batch_of(std::vector<int32_t>(targets.size()), targets);
  std::vector<std::vector<int32_t>> inputs;
  for (int32_t item : tensors.get<int32_t>("in." + step + "input_items")) inputs.push_back({item});
  PluginHarness::add_histories(batch, inputs);
  const auto samples = tensors.get<int32_t>("in." + step + "sampled_items");
  std::copy(samples.begin(), samples.end(),
            batch.column(REC_COLUMN_SHARED_ITEM).reshape<int32_t>(static_cast<int64_t>(samples.size())));
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
  OfficialGru4Rec() : tensors_(GetParam().golden + ".safetensors"), json_(golden_json(GetParam().golden + ".json")) {}

  static constexpr int64_t kSlots = 5;

  // The state that a step starts from, as tensors of the model.
  void set_hidden(PluginHarness& harness, const std::string& step, int64_t batch_size) const {
    const auto layers = json_["hyper"]["layers"].get<std::vector<int64_t>>();
    for (size_t l = 0; l < layers.size(); ++l) {
      auto hidden = tensors_.floats(cat("in.", step, "hidden", l));
      hidden.resize(static_cast<size_t>(batch_size * layers[l]));
      harness.set(cat("state.hidden.", l), hidden);
    }
    const int64_t slots = tensors_.shape("in." + step + "input_items")[0];
    harness.model().set_tensor(harness.index_of("state.slots"), &slots);
  }
  void expect_near(const std::vector<float>& got, const std::vector<float>& want, double tolerance,
                   const std::string& what) const {
    ASSERT_EQ(got.size(), want.size()) << what;
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_LE(std::abs(got[i] - want[i]), tolerance * (1 + std::abs(want[i])))
          << what << " element " << i << ": got " << got[i] << ", want " << want[i];
  }

  GoldenTensors tensors_;
  nlohmann::ordered_json json_;
};

TEST_P(OfficialGru4Rec, ReproducesLossGradientsStatesAndThreeSteps) {
  const auto& hyper = json_["hyper"];
  const auto& tolerance = json_["tolerance"]["compute_f32"];
  const int64_t batch_size = hyper["batch_size"];
  const bool adam = GetParam().variant == "adam3";
  const std::string optimizer = adam ? R"("optimizer": "adam", "lr": 0.01)"
                                     : cat(R"("optimizer": "indexed_adagrad", "lr": 0.05, "momentum": )",
                                           GetParam().variant == "adagradm3" ? "0.3" : "0");
  std::string params = cat("{\"variant\": \"official\", ", optimizer, GetParam().params);
  for (const char* key : {"layers", "batch_size", "n_sample", "elu_param", "bpreg", "logq"})
    if (hyper.contains(key)) params += cat(", \"", key, "\": ", hyper[key].dump());
  params += "}";
  // Each item as often in training as the reference counted it: logQ looks at counts.
  PluginHarness::Pairs pairs;
  const auto counts = tensors_.get<int32_t>("in.item_counts");
  for (size_t i = 0; i < counts.size(); ++i)
    for (int32_t c = 0; c < counts[i]; ++c) pairs.emplace_back(0, static_cast<int32_t>(i));
  PluginHarness harness("gru4rec", params, 1, hyper["n_items"], pairs, 2);
  const auto names = tensors_.names_after("param.");
  for (const std::string& name : names) harness.set(name, tensors_.floats("param." + name));

  set_hidden(harness, "", batch_size);
  const double loss = harness.compute(official_batch(tensors_, ""));
  const double want = tensors_.doubles("f64.loss.total")[0];
  EXPECT_LE(std::abs(loss - want), 1e-5 * (1 + std::abs(want))) << "loss " << loss << ", want " << want;
  for (const std::string& name : names)
    expect_near(harness.gradient(name), tensors_.floats("grad." + name), tolerance["grad"], "grad." + name);

  const auto losses = tensors_.doubles("f64." + GetParam().variant + "_losses");
  for (int step = 1; step <= 3; ++step) {
    const std::string prefix =
        step > 1 && tensors_.has(cat("in.step", step, ".input_items")) ? cat("step", step, ".") : "";
    set_hidden(harness, prefix, batch_size);
    const double seen = harness.compute(official_batch(tensors_, prefix));
    EXPECT_LE(std::abs(seen - losses[static_cast<size_t>(step - 1)]), 2e-5 * (1 + std::abs(seen))) << "step " << step;
    harness.model().apply();
    if (step > 1) continue;
    for (size_t l = 0; tensors_.has(cat("out.hidden", l)); ++l) {
      auto state = harness.get(cat("state.hidden.", l));
      const auto hidden = tensors_.floats(cat("out.hidden", l));
      state.resize(hidden.size());
      expect_near(state, hidden, tolerance["out"], cat("hidden ", l));
    }
  }
  for (const std::string& name : names) {
    const auto got = harness.get(name), reference = tensors_.floats(GetParam().variant + "." + name),
               gradient = tensors_.floats("grad." + name);
    for (size_t k = 0; k < got.size(); ++k) {
      // Adam turns rounding noise into full steps: golden README, "How to compare".
      if (adam && gradient[k] != 0 && std::abs(gradient[k]) <= tolerance["adam3_min_abs_grad"].get<double>()) continue;
      ASSERT_LE(std::abs(got[k] - reference[k]), tolerance["adam3"].get<double>() * (1 + std::abs(reference[k])))
          << GetParam().variant << "." << name << " element " << k;
    }
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
