#pragma once

#include <cmath>
#include <map>
#include <memory>

#include "tests/plugin_harness.h"
#include "tests/unit/golden.h"

namespace rec {

// A reference run: its tensors, its hyperparameters, and how close the shipped float32 code must come to it.
class Reference : public GoldenTensors {
 public:
  explicit Reference(const std::string& golden)
      : GoldenTensors(golden + ".safetensors"), json_(golden_json(golden + ".json")) {}

  const nlohmann::ordered_json& hyper() const { return json_["hyper"]; }
  double tolerance(const std::string& key) const { return json_["tolerance"]["compute_f32"][key]; }
  // Names of the parameters, the same as the plugin's.
  std::vector<std::string> parameters() const { return names_after("param."); }
  PluginHarness::Pairs train_pairs() const {
    PluginHarness::Pairs pairs;
    const auto flat = get<int32_t>("in.train_pairs");
    for (size_t e = 0; e < flat.size(); e += 2) pairs.emplace_back(flat[e], flat[e + 1]);
    return pairs;
  }
  void set_parameters(PluginHarness& harness) const {
    for (const std::string& name : harness.parameters()) harness.set(name, floats("param." + name));
  }

  static void expect_near(const std::vector<float>& got, const std::vector<float>& want, double tolerance,
                          const std::string& what) {
    ASSERT_EQ(got.size(), want.size()) << what;
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_LE(std::abs(got[i] - want[i]), tolerance * (1 + std::abs(want[i])))
          << what << " element " << i << ": got " << got[i] << ", want " << want[i];
  }
  static void expect_loss(double got, double want, const std::string& what) {
    EXPECT_LE(std::abs(got - want), 1e-5 * (1 + std::abs(want))) << what << ": got " << got << ", want " << want;
  }
  // Compares parameter `name` after the steps of a variant ("adam3", "adam3_l2", ...); returns how many elements counted.
  // Adam turns rounding noise into full steps, so elements whose gradient is such noise are left out: golden README, "How
  // to compare".
  int64_t expect_stepped(const std::string& variant, const std::string& name, const std::vector<float>& got) const {
    const auto want = floats(variant + "." + name), gradient = floats("grad." + name), start = floats("param." + name);
    const bool decays = variant == "adam3_l2" && name.find("bias") == std::string::npos;
    const double l2 = decays ? hyper().at("l2_variant").get<double>() : 0;
    const double noise = variant.starts_with("adam") ? tolerance("adam3_min_abs_grad") : 0;
    int64_t compared = 0;
    EXPECT_EQ(got.size(), want.size()) << name;
    for (size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
      const double slope = gradient[i] + l2 * start[i];
      if (slope != 0 && std::abs(slope) <= noise) continue;
      ++compared;
      EXPECT_LE(std::abs(got[i] - want[i]), tolerance("adam3") * (1 + std::abs(want[i])))
          << variant << "." << name << " element " << i << ": got " << got[i] << ", want " << want[i];
    }
    return compared;
  }
  // Every parameter that is used, as its gradient tells, is the model's too; ANS's authors declare gates they do not use.
  void expect_used_parameters(const PluginHarness& harness) const {
    const auto own = harness.parameters();
    for (const std::string& name : names_after("grad.")) {
      const auto gradient = floats("grad." + name);
      if (std::count(gradient.begin(), gradient.end(), 0.f) == std::ssize(gradient)) continue;
      EXPECT_TRUE(std::find(own.begin(), own.end(), name) != own.end()) << name;
    }
  }
  // Losses, gradients and three steps. loss_of(prefix) computes the batch of a step, "" or "step2.".
  template <class LossOf>
  void expect_training(PluginHarness& harness, const std::string& variant, const LossOf& loss_of) const {
    expect_used_parameters(harness);
    const auto losses = doubles("f64." + variant + "_losses");
    for (int step = 1; step <= 3; ++step) {
      const std::string own = cat("step", step, ".");
      const bool has_own = has("in." + own + "user_id") || has("in." + own + "input_items");
      expect_loss(loss_of(has_own ? own : ""), losses[step - 1], cat("loss of step ", step));
      for (const std::string& name : harness.parameters())
        if (step == 1) expect_near(harness.gradient(name), floats("grad." + name), tolerance("grad"), "grad." + name);
      harness.model().apply();
    }
    int64_t compared = 0;
    for (const std::string& name : harness.parameters()) compared += expect_stepped(variant, name, harness.get(name));
    EXPECT_GT(compared, 100);
  }
  // What a model serves after freeze.
  void expect_table(PluginHarness& harness, int32_t which, const std::string& name) const {
    const rec_tensor_view_t view = harness.model().table(which);
    const auto* data = static_cast<const float*>(view.data);
    expect_near({data, data + view.shape[0] * view.shape[1]}, floats(name), tolerance("out"), name);
  }

  // Histories of a batch: rows padded with -1, or rows of given lengths.
  std::vector<std::vector<int32_t>> histories(const std::string& items, const std::string& lengths = "") const {
    const auto flat = get<int32_t>(items);
    const int64_t B = shape(items)[0], T = std::ssize(flat) / B;
    std::vector<int32_t> sizes;
    if (!lengths.empty()) sizes = get<int32_t>(lengths);
    std::vector<std::vector<int32_t>> rows(B);
    for (int64_t b = 0; b < B; ++b)
      for (int64_t t = 0; t < T; ++t)
        if (sizes.empty() ? flat[b * T + t] >= 0 : t < sizes[b]) rows[b].push_back(flat[b * T + t]);
    return rows;
  }

 private:
  nlohmann::ordered_json json_;
};

// A model against its reference, through the plugin table.
struct GoldenCase {
  std::string golden;
  std::string model;
  std::string params;             // besides lr, and besides emb_size for a model with two tables
  std::string variant = "adam3";  // the tensors after the steps
  std::string loss_name = "loss.total";
  // The batch of a step ("" or "step2."), for a model that needs more than users and items.
  Batch (*batch)(const Reference& reference, const std::string& step) = nullptr;
};

inline void PrintTo(const GoldenCase& c, std::ostream* out) { *out << c.golden << " " << c.variant; }

// users [B] and items [B, 1 + K], as each reference stores them.
inline Batch golden_pairs(const GoldenTensors& tensors, const std::string& step) {
  const auto users = tensors.get<int32_t>("in." + step + "user_id");
  const auto items = tensors.get<int32_t>("in." + step + "item_id");
  if (!tensors.has("in." + step + "neg_item_id")) return PluginHarness::batch_of(users, items);
  const auto negatives = tensors.get<int32_t>("in." + step + "neg_item_id");
  const size_t K = negatives.size() / users.size();
  std::vector<int32_t> both;
  for (size_t b = 0; b < users.size(); ++b) {
    both.push_back(items[b]);
    both.insert(both.end(), negatives.begin() + static_cast<int64_t>(b * K),
                negatives.begin() + static_cast<int64_t>((b + 1) * K));
  }
  return PluginHarness::batch_of(users, both);
}

class GoldenTest : public testing::TestWithParam<GoldenCase> {
 protected:
  GoldenTest() : reference_(GetParam().golden) {}

  Batch batch(const std::string& step) const {
    return GetParam().batch != nullptr ? GetParam().batch(reference_, step) : golden_pairs(reference_, step);
  }

  // Scores, loss, gradients and three steps of the optimiser.
  void check() {
    const auto& hyper = reference_.hyper();
    std::string params = cat("{\"lr\": ", hyper.at("lr").get<double>(), GetParam().params);
    if (params.find("emb_size") == std::string::npos)
      params += cat(", \"emb_size\": ", reference_.shape("param." + reference_.parameters().front())[1]);
    const bool has_pairs = reference_.has("in.train_pairs");
    PluginHarness harness(GetParam().model, params + "}", hyper.value("n_users", int64_t{13}), hyper.at("n_items"),
                          has_pairs ? reference_.train_pairs() : PluginHarness::Pairs{}, 2);
    reference_.set_parameters(harness);
    const auto scores = harness.score_live(batch(""));
    const size_t B = batch("").n_rows, C = scores.size() / B;
    for (const char* name : {"out.prediction", "out.score"}) {
      if (!reference_.has(name)) continue;
      const auto want = reference_.floats(name);
      std::vector<float> got = scores;
      if (want.size() == B) {  // the positives only
        got.clear();
        for (size_t b = 0; b < B; ++b) got.push_back(scores[b * C]);
      }
      Reference::expect_near(got, want, reference_.tolerance("out"), name);
    }
    Reference::expect_loss(harness.compute(batch("")), reference_.doubles("f64." + GetParam().loss_name)[0], "loss");
    reference_.expect_training(harness, GetParam().variant,
                               [&](const std::string& step) { return harness.compute(batch(step)); });
  }

  const Reference reference_;
};

// The same loss on candidate columns 0 and 1 alone: loss.num_neg_1.
inline void check_one_negative(const std::string& golden, const std::string& model, const std::string& params) {
  const Reference reference(golden);
  PluginHarness harness(model, params, 13, 21,
                        reference.has("in.train_pairs") ? reference.train_pairs() : PluginHarness::Pairs{});
  reference.set_parameters(harness);
  const auto items = reference.get<int32_t>("in.item_id");
  std::vector<int32_t> two;
  for (size_t b = 0; b < items.size(); b += 4) two.insert(two.end(), {items[b], items[b + 1]});
  EXPECT_NEAR(harness.compute(reference.get<int32_t>("in.user_id"), two), reference.floats("loss.num_neg_1")[0], 1e-5);
}

}  // namespace rec
