// Shipped plugins against the reference tensors, through the plugin table, in the float32 that ships.
#include <cmath>
#include <optional>

#include "tests/plugin_harness.h"
#include "tests/unit/golden.h"

namespace rec {
namespace {

struct Case {
  std::string golden;
  std::string model;
  std::string params;               // beside emb_size and lr
  std::string variant = "adam3";    // which tensors the steps lead to
  std::string loss_name = "loss.total";
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.golden << " " << c.variant; }

class GoldenTest : public testing::TestWithParam<Case> {
 protected:
  GoldenTest() : tensors_(GetParam().golden + ".safetensors"), json_(golden_json(GetParam().golden + ".json")) {}

  double tolerance(const std::string& key) const { return json_["tolerance"]["compute_f32"][key]; }

  // users [B] and items [B, 1 + K] of a step ("" or "step2.").
  std::pair<std::vector<int32_t>, std::vector<int32_t>> batch(const std::string& step) const {
    const auto users = tensors_.get<int32_t>("in." + step + "user_id");
    const auto items = tensors_.get<int32_t>("in." + step + "item_id");
    if (!tensors_.has("in." + step + "neg_item_id")) return {users, items};
    const auto negatives = tensors_.get<int32_t>("in." + step + "neg_item_id");
    std::vector<int32_t> both;
    for (size_t b = 0; b < users.size(); ++b) both.insert(both.end(), {items[b], negatives[b]});
    return {users, both};
  }

  std::unique_ptr<PluginHarness> make() const {
    const auto& hyper = json_["hyper"];
    const int64_t d = tensors_.shape("param.user_emb")[1];
    PluginHarness::Pairs pairs;
    if (tensors_.has("in.train_pairs")) {
      const auto flat = tensors_.get<int32_t>("in.train_pairs");
      for (size_t e = 0; e < flat.size(); e += 2) pairs.emplace_back(flat[e], flat[e + 1]);
    }
    auto harness = std::make_unique<PluginHarness>(GetParam().model, cat("{\"emb_size\": ", d, ", \"lr\": ", hyper.at("lr").get<double>(), GetParam().params, "}"),
                          hyper.at("n_users"), hyper.at("n_items"), pairs, 2);
    for (const char* name : {"user_emb", "item_emb"}) harness->set(name, tensors_.floats(cat("param.", name)));
    return harness;
  }

  void expect_near(const std::vector<float>& got, const std::vector<float>& want, double tol, const std::string& what) const {
    ASSERT_EQ(got.size(), want.size()) << what;
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_LE(std::abs(got[i] - want[i]), tol * (1 + std::abs(want[i]))) << what << " element " << i << ": got " << got[i] << ", want " << want[i];
  }

  GoldenTensors tensors_;
  nlohmann::ordered_json json_;
};

TEST_P(GoldenTest, ReproducesScoresLossGradientsAndThreeSteps) {
  const std::unique_ptr<PluginHarness> owner = make();
  PluginHarness& harness = *owner;
  const auto [users, items] = batch("");
  const auto scores = harness.score_live(users, items);
  const auto C = items.size() / users.size();
  for (const char* name : {"out.prediction", "out.score"}) {
    if (!tensors_.has(name)) continue;
    const auto want = tensors_.floats(name);
    std::vector<float> got = scores;
    if (want.size() == users.size()) {  // the positives only
      got.clear();
      for (size_t b = 0; b < users.size(); ++b) got.push_back(scores[b * C]);
    }
    expect_near(got, want, tolerance("out"), name);
  }

  const double loss = harness.compute(users, items);
  const double want = tensors_.doubles("f64." + GetParam().loss_name)[0];
  EXPECT_LE(std::abs(loss - want), 1e-5 * (1 + std::abs(want))) << "loss " << loss << ", want " << want;
  const bool decayed = GetParam().variant == "adam3_l2";
  std::map<std::string, std::vector<float>> gradients;
  for (const char* name : {"user_emb", "item_emb"}) {
    gradients[name] = tensors_.floats(cat("grad.", name));
    expect_near(harness.gradient(name), gradients[name], tolerance("grad"), cat("grad.", name));
  }

  const auto losses = tensors_.doubles("f64." + GetParam().variant + "_losses");
  for (int step = 1; step <= 3; ++step) {
    const std::string prefix = cat("step", step, ".");
    const auto [u, i] = batch(step > 1 && tensors_.has("in." + prefix + "user_id") ? prefix : "");
    const double seen = harness.compute(u, i);
    EXPECT_LE(std::abs(seen - losses[static_cast<size_t>(step - 1)]), 1e-5 * (1 + std::abs(seen))) << "loss at step " << step;
    harness.model().apply();
  }
  int64_t compared = 0;
  for (const char* name : {"user_emb", "item_emb"}) {
    const auto got = harness.get(name);
    const auto reference = tensors_.floats(GetParam().variant + "." + name);
    const auto start = tensors_.floats(cat("param.", name));
    for (size_t k = 0; k < got.size(); ++k) {
      // Adam turns rounding noise into full steps: golden README, "How to compare".
      const double gradient = gradients[name][k] + (decayed ? json_["hyper"].at("l2_variant").get<double>() * start[k] : 0.0);
      if (gradient != 0 && std::abs(gradient) <= tolerance("adam3_min_abs_grad")) continue;
      ++compared;
      ASSERT_LE(std::abs(got[k] - reference[k]), tolerance("adam3") * (1 + std::abs(reference[k]))) << GetParam().variant << "." << name << " element " << k;
    }
  }
  EXPECT_GT(compared, 100);
}

INSTANTIATE_TEST_SUITE_P(
    Shipped, GoldenTest,
    testing::Values(Case{"bprmf_rechorus", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3)"},
                    Case{"bprmf_rechorus", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3, "l2": 0.01)", "adam3_l2"},
                    Case{"bprmf_recbole", "bprmf", R"(, "loss": "bpr_log")"},
                    Case{"bprmf_lightgcn_repo", "bprmf", R"(, "loss": "bpr", "reg_weight": 0.1)"},
                    Case{"bprmf_rechorus_steps", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3)"},
                    Case{"bprmf_rechorus_steps", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3, "l2": 0.01)", "adam3_l2"},
                    Case{"bprmf_rechorus_lazy", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3)"},
                    Case{"bprmf_rechorus_lazy", "bprmf", R"(, "loss": "bpr_multi", "num_neg": 3, "optimizer": "lazy_adam")", "adam3_lazy"},
                    Case{"lightgcn_rechorus", "lightgcn", R"(, "n_layers": 3, "loss": "bpr_multi", "num_neg": 3, "reg_weight": 0, "adj_eps": 1e-10)"},
                    Case{"lightgcn_rechorus", "lightgcn", R"(, "n_layers": 3, "loss": "bpr_multi", "num_neg": 3, "reg_weight": 0, "l2": 0.01)", "adam3_l2"},
                    Case{"lightgcn_recbole", "lightgcn", R"(, "n_layers": 2, "loss": "bpr_log", "reg_weight": 0.1, "reg_norm": "plain", "adj_eps": 1e-7)"},
                    Case{"lightgcn_recbole_pow", "lightgcn", R"(, "n_layers": 2, "loss": "bpr_log", "reg_weight": 0.1, "reg_norm": "squared", "adj_eps": 1e-7)"},
                    Case{"lightgcn_official", "lightgcn", R"(, "n_layers": 3, "loss": "bpr", "reg_weight": 0.1)"}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

TEST(GoldenNumNegOne, IsTheSameLossOnTwoColumns) {
  for (const char* golden : {"bprmf_rechorus", "lightgcn_rechorus"}) {
    SCOPED_TRACE(golden);
    const GoldenTensors tensors(cat(golden, ".safetensors"));
    PluginHarness::Pairs pairs;
    if (tensors.has("in.train_pairs")) {
      const auto flat = tensors.get<int32_t>("in.train_pairs");
      for (size_t e = 0; e < flat.size(); e += 2) pairs.emplace_back(flat[e], flat[e + 1]);
    }
    const bool graph = std::string(golden).starts_with("lightgcn");
    PluginHarness harness(graph ? "lightgcn" : "bprmf", graph ? R"({"emb_size": 8, "loss": "bpr_multi", "reg_weight": 0})" : R"({"emb_size": 8, "loss": "bpr_multi"})", 13, 21, pairs);
    for (const char* name : {"user_emb", "item_emb"}) harness.set(name, tensors.floats(cat("param.", name)));
    const auto items = tensors.get<int32_t>("in.item_id");
    std::vector<int32_t> two;
    for (size_t b = 0; b < items.size(); b += 4) two.insert(two.end(), {items[b], items[b + 1]});
    EXPECT_NEAR(harness.compute(tensors.get<int32_t>("in.user_id"), two), tensors.floats("loss.num_neg_1")[0], 1e-5);
  }
}

TEST(GoldenPop, CountsTrainingRows) {
  const GoldenTensors tensors("pop.safetensors");
  const auto flat = tensors.get<int32_t>("in.train_pairs");
  PluginHarness::Pairs pairs;
  int32_t n_users = 0;
  for (size_t e = 0; e < flat.size(); e += 2) {
    pairs.emplace_back(flat[e], flat[e + 1]);
    n_users = std::max(n_users, flat[e] + 1);
  }
  PluginHarness harness("popularity", "{}", n_users, 21, pairs);
  std::vector<int32_t> items;
  for (int32_t i = 0; i < 21; ++i) items.push_back(i);
  harness.compute(items, items);
  harness.model().apply();
  EXPECT_EQ(harness.get("popularity"), tensors.floats("out.popularity"));
  harness.model().freeze();
  const auto asked = tensors.get<int32_t>("in.item_id");
  const auto want = tensors.floats("out.prediction");
  const rec_tensor_view_t table = harness.model().table(REC_TABLE_ITEM);
  for (size_t e = 0; e < asked.size(); ++e) EXPECT_EQ(static_cast<const float*>(table.data)[asked[e]], want[e]);
}

// EASE has no reference tensors: the closed form by a slow inverse in long double.
TEST(EaseFormula, MatchesASlowInverse) {
  const int n_users = 30, n_items = 150;  // three panels, the last one short
  PluginHarness::Pairs pairs;
  uint32_t state = 1;
  std::vector<std::vector<long double>> x(n_users, std::vector<long double>(n_items));
  for (int u = 0; u < n_users; ++u)
    for (int i = 0; i < n_items; ++i) {
      state = state * 1664525u + 1013904223u;
      if (state >> 24 < 40) {
        pairs.emplace_back(u, i);
        x[u][i] = 1;
      }
    }
  PluginHarness harness("ease", R"({"lambda": 5})", n_users, n_items, pairs, 2);
  for (int32_t begin = 0; begin < n_items; begin += 64) {
    std::vector<int32_t> panel;
    for (int32_t i = begin; i < std::min(begin + 64, n_items); ++i) panel.push_back(i);
    harness.compute(panel, panel);
    harness.model().apply();
  }
  harness.model().freeze();
  rec_csr_t csr{};
  const float* weights = nullptr;
  harness.model().item_weights(csr, weights);

  std::vector<std::vector<long double>> a(n_items, std::vector<long double>(2 * n_items));
  for (int i = 0; i < n_items; ++i) {
    for (int j = 0; j < n_items; ++j)
      for (int u = 0; u < n_users; ++u) a[i][j] += x[u][i] * x[u][j];
    a[i][i] += 5;
    a[i][n_items + i] = 1;
  }
  for (int p = 0; p < n_items; ++p) {
    const long double inverse = 1 / a[p][p];
    for (auto& v : a[p]) v *= inverse;
    for (int i = 0; i < n_items; ++i)
      if (i != p) {
        const long double factor = a[i][p];
        for (int j = 0; j < 2 * n_items; ++j) a[i][j] -= factor * a[p][j];
      }
  }
  for (int h = 0; h < n_items; ++h)
    for (int i = 0; i < n_items; ++i) {
      const long double want = h == i ? 0 : -a[h][n_items + i] / a[i][n_items + i];
      ASSERT_NEAR(weights[h * n_items + i], static_cast<double>(want), 1e-6) << h << "," << i;
    }
}

TEST(ItemKnnFormula, MatchesCosineByHand) {
  // Users 0: {0, 1}, 1: {0, 1, 2}, 2: {2}: cos(0,1) = 1, cos(0,2) = cos(1,2) = 1 / 2.
  PluginHarness harness("itemknn", R"({"n_neighbors": 2, "shrink": 0})", 3, 3, {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 2}});
  harness.compute({0, 1, 2}, {0, 1, 2});
  harness.model().apply();
  harness.model().freeze();
  rec_csr_t csr{};
  const float* weights = nullptr;
  harness.model().item_weights(csr, weights);
  ASSERT_EQ(csr.offsets[3], 6);
  EXPECT_EQ(std::vector<float>(weights, weights + 6), (std::vector<float>{1, 0.5f, 1, 0.5f, 0.5f, 0.5f}));
}

}  // namespace
}  // namespace rec
