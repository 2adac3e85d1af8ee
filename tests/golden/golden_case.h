#pragma once

#include <cmath>
#include <map>
#include <memory>

#include "tests/plugin_harness.h"
#include "tests/unit/golden.h"

namespace rec {

// A model against its reference tensors, through the plugin table, in the float32 that ships.
struct GoldenCase {
  std::string golden;
  std::string model;
  std::string params;             // beside lr, and beside emb_size of a model with two tables
  std::string variant = "adam3";  // which tensors the steps lead to
  std::string loss_name = "loss.total";
  // The batch of a step ("" or "step2."), for a model that wants more than users and items.
  Batch (*batch)(const GoldenTensors& tensors, const std::string& step) = nullptr;
};

inline void PrintTo(const GoldenCase& c, std::ostream* out) { *out << c.golden << " " << c.variant; }

// users [B] and items [B, 1 + K], as each reference keeps them.
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
  GoldenTest() : tensors_(GetParam().golden + ".safetensors"), json_(golden_json(GetParam().golden + ".json")) {}

  double tolerance(const std::string& key) const { return json_["tolerance"]["compute_f32"][key]; }

  Batch batch(const std::string& step) const {
    return GetParam().batch != nullptr ? GetParam().batch(tensors_, step) : golden_pairs(tensors_, step);
  }

  // Names of the reference's parameters, which are those of models.md and of the plugin.
  std::vector<std::string> parameters() const { return tensors_.names_after("param."); }

  std::unique_ptr<PluginHarness> make() const {
    const auto& hyper = json_["hyper"];
    PluginHarness::Pairs pairs;
    if (tensors_.has("in.train_pairs")) {
      const auto flat = tensors_.get<int32_t>("in.train_pairs");
      for (size_t e = 0; e < flat.size(); e += 2) pairs.emplace_back(flat[e], flat[e + 1]);
    }
    std::string params = cat("{\"lr\": ", hyper.at("lr").get<double>(), GetParam().params);
    if (params.find("emb_size") == std::string::npos)
      params += cat(", \"emb_size\": ", tensors_.shape("param." + parameters().front())[1]);
    auto harness = std::make_unique<PluginHarness>(GetParam().model, params + "}", hyper.value("n_users", int64_t{13}),
                                                   hyper.at("n_items"), pairs, 2);
    for (const std::string& name : parameters()) harness->set(name, tensors_.floats("param." + name));
    return harness;
  }

  void expect_near(const std::vector<float>& got, const std::vector<float>& want, double tol,
                   const std::string& what) const {
    ASSERT_EQ(got.size(), want.size()) << what;
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_LE(std::abs(got[i] - want[i]), tol * (1 + std::abs(want[i])))
          << what << " element " << i << ": got " << got[i] << ", want " << want[i];
  }

  // Scores, loss, gradients and three steps of the optimiser.
  void check() {
    const std::unique_ptr<PluginHarness> owner = make();
    PluginHarness& harness = *owner;
    const Batch first = batch("");
    const auto scores = harness.score_live(batch(""));
    const auto B = static_cast<size_t>(first.n_rows), C = scores.size() / B;
    for (const char* name : {"out.prediction", "out.score"}) {
      if (!tensors_.has(name)) continue;
      const auto want = tensors_.floats(name);
      std::vector<float> got = scores;
      if (want.size() == B) {  // the positives only
        got.clear();
        for (size_t b = 0; b < B; ++b) got.push_back(scores[b * C]);
      }
      expect_near(got, want, tolerance("out"), name);
    }

    const double loss = harness.compute(batch(""));
    const double want = tensors_.doubles("f64." + GetParam().loss_name)[0];
    EXPECT_LE(std::abs(loss - want), 1e-5 * (1 + std::abs(want))) << "loss " << loss << ", want " << want;
    const bool decayed = GetParam().variant == "adam3_l2";
    std::map<std::string, std::vector<float>> gradients;
    for (const std::string& name : parameters()) {
      gradients[name] = tensors_.floats(cat("grad.", name));
      expect_near(harness.gradient(name), gradients[name], tolerance("grad"), cat("grad.", name));
    }

    const auto losses = tensors_.doubles("f64." + GetParam().variant + "_losses");
    for (int step = 1; step <= 3; ++step) {
      const std::string prefix = cat("step", step, ".");
      const double seen = harness.compute(batch(step > 1 && tensors_.has("in." + prefix + "user_id") ? prefix : ""));
      EXPECT_LE(std::abs(seen - losses[static_cast<size_t>(step - 1)]), 1e-5 * (1 + std::abs(seen)))
          << "loss at step " << step;
      harness.model().apply();
    }
    int64_t compared = 0;
    for (const std::string& name : parameters()) {
      const auto got = harness.get(name);
      const auto reference = tensors_.floats(GetParam().variant + "." + name);
      const auto start = tensors_.floats(cat("param.", name));
      for (size_t k = 0; k < got.size(); ++k) {
        // Adam turns rounding noise into full steps: golden README, "How to compare".
        const bool decays = decayed && name.find("bias") == std::string::npos;
        const double gradient =
            gradients[name][k] + (decays ? json_["hyper"].at("l2_variant").get<double>() * start[k] : 0.0);
        if (gradient != 0 && std::abs(gradient) <= tolerance("adam3_min_abs_grad")) continue;
        ++compared;
        ASSERT_LE(std::abs(got[k] - reference[k]), tolerance("adam3") * (1 + std::abs(reference[k])))
            << GetParam().variant << "." << name << " element " << k;
      }
    }
    EXPECT_GT(compared, 100);
  }

  GoldenTensors tensors_;
  nlohmann::ordered_json json_;
};

// The same loss on candidate columns 0 and 1 alone: loss.num_neg_1.
inline void check_one_negative(const std::string& golden, const std::string& model, const std::string& params) {
  const GoldenTensors tensors(golden + ".safetensors");
  PluginHarness::Pairs pairs;
  if (tensors.has("in.train_pairs")) {
    const auto flat = tensors.get<int32_t>("in.train_pairs");
    for (size_t e = 0; e < flat.size(); e += 2) pairs.emplace_back(flat[e], flat[e + 1]);
  }
  PluginHarness harness(model, params, 13, 21, pairs);
  for (const char* name : {"user_emb", "item_emb"}) harness.set(name, tensors.floats(cat("param.", name)));
  const auto items = tensors.get<int32_t>("in.item_id");
  std::vector<int32_t> two;
  for (size_t b = 0; b < items.size(); b += 4) two.insert(two.end(), {items[b], items[b + 1]});
  EXPECT_NEAR(harness.compute(tensors.get<int32_t>("in.user_id"), two), tensors.floats("loss.num_neg_1")[0], 1e-5);
}

}  // namespace rec
