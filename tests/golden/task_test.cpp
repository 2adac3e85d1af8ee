// Models that train on impression lists and labelled rows, through their table: checks gradients against the loss.
#include <cmath>

#include "core/base/rng.h"
#include "tests/plugin_harness.h"

namespace rec {
namespace {

constexpr int64_t kUsers = 5, kItems = 9, kWidth = 4;
const PluginHarness::Pairs kPairs{{0, 0}, {0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {1, 6}, {2, 7}, {3, 8}};

// Parameters that a model needs besides its task.
const char* params_of(const std::string& model) {
  if (model == "neumf") return R"("emb_size": 4, "layers": [6, 3], "init_std": 1)";
  if (model == "fpmc") return R"("emb_size": 4)";
  if (model == "hrm") return R"("emb_size": 4, "pooling_layers": "mean", "dropout": 0, "temperature": 1)";
  return R"("emb_size": 4, "reg_weight": 0.05)";
}

class Task : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  std::string model() const { return std::get<0>(GetParam()); }
  std::unique_ptr<PluginHarness> harness() const {
    auto made = std::make_unique<PluginHarness>(
        model(), "{" + std::string(params_of(model())) + ", " + std::get<1>(GetParam()) + "}", kUsers, kItems, kPairs);
    Rng rng(7, RngStream::kInit);
    for (const std::string& name : made->parameters()) {
      std::vector<float> values = made->get(name);
      for (float& value : values) value = 2 * rng.next_float() - 1;
      made->set(name, values);
    }
    return made;
  }
};

// Three lists of 2 + 3 slots, followed by `more` empty columns.
Batch lists(int64_t more = 0) {
  constexpr uint8_t P = REC_SLOT_POSITIVE, N = REC_SLOT_NEGATIVE, X = REC_SLOT_PADDING;
  const std::vector<std::vector<int32_t>> items{{0, 1, 2, 3, 4}, {5, 5, 6, 5, 5}, {7, 8, 0, 1, 7}};
  const std::vector<std::vector<uint8_t>> slots{{P, P, N, N, N}, {P, X, N, X, X}, {P, P, N, N, X}};
  std::vector<int32_t> all;
  for (const auto& row : items) {
    all.insert(all.end(), row.begin(), row.end());
    all.insert(all.end(), more, row.front());
  }
  Batch batch = PluginHarness::batch_of({0, 2, 0}, all);
  auto* mask = batch.column(REC_COLUMN_IMPRESSION_MASK).reshape<uint8_t>(3, 5 + more);
  for (const auto& row : slots) {
    mask = std::copy(row.begin(), row.end(), mask);
    mask = std::fill_n(mask, more, X);
  }
  return batch;
}

Batch labelled() {
  Batch batch = PluginHarness::batch_of({0, 2, 4, 0}, {3, 5, 8, 1});
  const float labels[] = {1, 0, 0, 1};
  std::copy_n(labels, 4, batch.column(REC_COLUMN_LABEL).reshape<float>(4));
  PluginHarness::add_histories(batch, {{1, 0}, {3}, {5, 2, 7}, {6}});
  return batch;
}

Batch batch_of_task(const std::string& params) {
  return params.find("ctr") != std::string::npos ? labelled() : lists();
}

TEST_P(Task, GradientsAreThoseOfTheLoss) {
  const auto made = harness();
  const auto batch = [&] { return batch_of_task(std::get<1>(GetParam())); };
  made->compute(batch());
  for (const std::string& name : made->parameters()) {
    const std::vector<float> gradient = made->gradient(name), start = made->get(name);
    for (size_t i = 0; i < start.size(); ++i) {
      double loss[2];
      float at[2];
      for (int side : {0, 1}) {
        std::vector<float> moved = start;
        at[side] = moved[i] += side == 0 ? 1.f / 128 : -1.f / 128;
        made->set(name, moved);
        loss[side] = made->compute(batch());
      }
      // Scores are float32: a loss is accurate to 1e-7, a slope over 1/64 to 1e-5; the rest is curvature.
      EXPECT_NEAR(gradient[i], (loss[0] - loss[1]) / (static_cast<double>(at[0]) - at[1]), 1e-4) << name << ' ' << i;
    }
    made->set(name, start);
    made->compute(batch());
  }
}

TEST_P(Task, PaddingDoesNotCount) {
  if (std::get<1>(GetParam()).find("ctr") != std::string::npos) return;
  const auto made = harness();
  const double narrow_loss = made->compute(lists());
  std::vector<std::vector<float>> narrow;
  for (const std::string& name : made->parameters()) narrow.push_back(made->gradient(name));
  const double wide_loss = made->compute(lists(3));
  const bool before = std::get<1>(GetParam()).find("before") != std::string::npos;  // adds ln 2 for each empty slot
  EXPECT_NEAR(wide_loss - narrow_loss, before ? 3 * std::log(2.0) : 0, 1e-12);
  size_t k = 0;
  for (const std::string& name : made->parameters()) EXPECT_EQ(made->gradient(name), narrow[k++]) << name;
}

INSTANTIATE_TEST_SUITE_P(
    Models, Task,
    testing::Combine(testing::Values("bprmf", "lightgcn", "neumf"),
                     testing::Values(R"("task": "impression")", R"("task": "impression", "list_loss": "BPRhardbefore")",
                                     R"("task": "impression", "list_loss": "listnet")",
                                     R"("task": "impression", "list_loss": "attention_rank")", R"("task": "ctr")",
                                     R"("task": "ctr", "label_loss": "mse")")));

INSTANTIATE_TEST_SUITE_P(Histories, Task,
                         testing::Combine(testing::Values("fpmc", "hrm"),
                                          testing::Values(R"("task": "ctr")",
                                                          R"("task": "ctr", "label_loss": "mse")")));

TEST(Tasks, PlanTheirRows) {
  for (const char* model : {"bprmf", "lightgcn", "neumf"})
    for (const auto& [task, rows] : {std::pair{"topk", REC_PLAN_INTERACTIONS}, std::pair{"impression", REC_PLAN_LISTS},
                                     std::pair{"ctr", REC_PLAN_LABELLED}}) {
      PluginHarness harness(model, std::string(R"({"emb_size": 4, "task": ")") + task + "\"}", kUsers, kItems, kPairs);
      EXPECT_EQ(harness.model().plan().rows, rows) << model << ' ' << task;
    }
}

}  // namespace
}  // namespace rec
