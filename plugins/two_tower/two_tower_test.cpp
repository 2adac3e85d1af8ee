#include <numeric>

#include "core/training/trainer.h"
#include "plugins/two_tower/equations.h"
#include "plugins/two_tower/frequency.h"
#include "tests/golden/cancel_case.h"
#include "tests/golden/golden_torch.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

using at::Tensor;
using two_tower::CrossType;
using two_tower::FrequencyEstimator;
using two_tower::FrequencyOptions;
using two_tower::LossOptions;
using two_tower::Tower;
using two_tower::TowerKind;
using two_tower::TowerShape;

struct TowerCase {
  std::string golden;
  TowerKind query, item;
  CrossType cross = CrossType::kVector;
  int64_t hard = 0;    // num_hard_negatives of the loss behind gradients and steps
  bool still = false;  // every gradient is exactly 0
};
void PrintTo(const TowerCase& c, std::ostream* out) { *out << c.golden; }

class TwoTowerGolden : public testing::TestWithParam<TowerCase> {
 protected:
  TwoTowerGolden() : golden_(GetParam().golden), parameters_({plugin::Optimizer::kAdam, 0.01, 0}) {
    for (const char* name : {"query.id_emb", "query.cat_emb.0", "query.cat_emb.1"})
      if (const std::string param = cat("param.", name); golden_.has(param))
        parameters_.add(name, golden_.shape(param)[0], golden_.shape(param)[1]);
    n_embeddings_ = parameters_.size();
    query_ =
        std::make_unique<Tower>(parameters_, "query", shape(GetParam().query, inputs(leaves_of_embeddings()).size(1)));
    item_ = std::make_unique<Tower>(parameters_, "item", shape(GetParam().item, golden_.shape("in.item_feats")[1]));
    std::vector<plugin::TensorRef> refs;
    for (plugin::Parameter* parameter : parameters_.all()) parameter->append_tensors(refs);
    for (const plugin::TensorRef& ref : refs) {
      if (ref.kind != REC_TENSOR_PARAMETER) continue;
      const auto values = golden_.floats(cat("param.", ref.name));
      EXPECT_EQ(std::ssize(values), ref.shape[0] * ref.shape[1]) << ref.name;
      std::copy(values.begin(), values.end(), static_cast<float*>(ref.data));
    }
  }

  TowerShape shape(TowerKind kind, int64_t input) const { return {kind, input, 10, 8, 6, 3, GetParam().cross}; }
  Tensor tensor(const std::string& name) const { return tensor_of(golden_, name); }
  Tensor ids(const std::string& name) const { return plugin::indices_of(golden_.get<int32_t>(name)); }
  std::vector<Tensor> leaves_of_embeddings() { return plugin::leaves(parameters_.all()); }

  // [features ; id embedding ; embeddings of the side categories] of every query.
  Tensor inputs(const std::vector<Tensor>& leaves) const {
    std::vector<Tensor> parts{tensor("in.query_feats")};
    if (n_embeddings_ > 0) {
      parts.push_back(leaves[0]);
      const Tensor categories = ids("in.query_side_cat").view(golden_.shape("in.query_side_cat"));
      for (int64_t c = 0; c < categories.size(1); ++c)
        parts.push_back(leaves[1 + c].index_select(0, categories.select(1, c).contiguous()));
    }
    return at::cat(parts, 1);
  }
  Tensor queries(const std::vector<Tensor>& leaves) const { return encode(*query_, leaves, inputs(leaves)); }
  Tensor items(const std::vector<Tensor>& leaves) const {
    const Tensor x = tensor("in.item_feats");
    return GetParam().item == TowerKind::kGcn ? encode_graph(*item_, leaves, x, tensor("in.item_adj_norm"))
                                              : encode(*item_, leaves, x);
  }
  Tensor loss(const std::vector<Tensor>& leaves, bool corrected, bool rewarded, const LossOptions& options) const {
    const Tensor item = ids("in.item_id");
    return batch_softmax_loss(queries(leaves).index_select(0, ids("in.user_id")), items(leaves).index_select(0, item),
                              item, corrected ? tensor("in.item_prob").index_select(0, item).log() : Tensor(),
                              rewarded ? tensor("in.reward") : Tensor(), options);
  }

  const Reference golden_;
  two_tower::Weights parameters_;
  size_t n_embeddings_ = 0;
  std::unique_ptr<Tower> query_, item_;
};

TEST_P(TwoTowerGolden, ReproducesVectorsAndEveryLoss) {
  const auto leaves = plugin::leaves(parameters_.all());
  Reference::expect_near(floats_of(queries(leaves)), golden_.floats("out.query_vec"), golden_.tolerance("out"),
                         "queries");
  Reference::expect_near(floats_of(items(leaves)), golden_.floats("out.item_vec"), golden_.tolerance("out"), "items");
  const int64_t n = golden_.hyper()["num_hard_negatives"];
  const struct {
    std::string name;
    bool corrected, rewarded;
    LossOptions options;
  } rows[] = {
      {"loss.plain", false, false, {0.2, false, 0}},
      {"loss.mask", false, false, {0.2, true, 0}},
      {"loss.logq", true, false, {0.2, false, 0}},
      {"loss.logq_mask", true, false, {0.2, true, 0}},
      {"loss.logq_mask_reward", true, true, {0.2, true, 0}},
      {cat("loss.logq_mask_hard", n), true, false, {0.2, true, n}},
  };
  for (const auto& row : rows) {
    if (!golden_.has(row.name)) continue;
    EXPECT_NEAR(loss(leaves, row.corrected, row.rewarded, row.options).item<double>(), golden_.doubles(row.name)[0],
                golden_.tolerance("loss") * 4)
        << row.name;
  }
  EXPECT_NEAR(
      loss(leaves, true, false, {0.2, true, 0, true}).item<double>(),
      loss(leaves, true, false, {0.2, true, 0}).item<double>() * static_cast<double>(golden_.shape("in.user_id")[0]),
      1e-4);
}

std::vector<Feature> dense_features(const GoldenTensors& golden, const std::string& name) {
  Feature feature{"feats", FeatureKind::kDense, golden.shape(name)[1], 0, {}, {}};
  feature.dense = Buffer<float>(std::span<const float>(golden.floats(name)));
  std::vector<Feature> out;
  out.push_back(std::move(feature));
  return out;
}

HarnessData data_of(const GoldenTensors& golden) {
  HarnessData data{{}, dense_features(golden, "in.query_feats"), dense_features(golden, "in.item_feats")};
  if (golden.has("in.query_side_cat")) {
    const auto categories = golden.get<int32_t>("in.query_side_cat");
    const int64_t n = golden.shape("in.query_side_cat")[0], C = golden.shape("in.query_side_cat")[1];
    for (int64_t c = 0; c < C; ++c) {
      const std::string table = cat("param.query.cat_emb.", c);
      Feature feature{"side_cat", FeatureKind::kCategorical, 0, golden.shape(table)[0], {}, Buffer<int32_t>(n)};
      for (int64_t r = 0; r < n; ++r) feature.values[r] = categories[r * C + c];
      data.user_features.push_back(std::move(feature));
    }
  }
  if (golden.has("in.item_adj")) {
    const auto adjacent = golden.floats("in.item_adj");
    const auto n = static_cast<size_t>(golden.shape("in.item_adj")[0]);
    std::vector<int32_t> heads, tails;
    for (size_t cell = 0; cell < adjacent.size(); ++cell) {
      if (adjacent[cell] == 0) continue;
      heads.push_back(static_cast<int32_t>(cell / n));
      tails.push_back(static_cast<int32_t>(cell % n));
    }
    data.relations.push_back({"item_adj", PluginHarness::csr(heads, tails, static_cast<int64_t>(n))});
  }
  return data;
}

std::string params_of(const TowerCase& row, bool has_ids) {
  const auto name = [](TowerKind kind) {
    return kind == TowerKind::kGcn ? "gcn" : kind == TowerKind::kDcn ? "dcn" : "mlp";
  };
  return cat(R"({"h1": 10, "h2": 8, "out_dim": 6, "id_dim": 4, "cat_dim": 3, "temperature": 0.2, "lr": 0.01, )",
             R"("alpha": 0.5, "item_id": false, "user_id": )", has_ids ? "true" : "false", R"(, "query_tower": ")",
             name(row.query), R"(", "item_tower": ")", name(row.item), R"(", "num_hard_negatives": )", row.hard,
             R"(, "cross_type": ")", row.cross == CrossType::kMatrix ? "matrix" : "vector", "\"}");
}

// Sets the estimator's state so that its next step yields p, by 1 / p = (1 - alpha) gap + alpha (t - A), A = 0, t = 1.
void set_probabilities(PluginHarness& harness, const std::vector<float>& p) {
  const int64_t step = 0;
  std::vector<int64_t> last_seen(p.size());
  std::vector<double> gap;
  for (float x : p) gap.push_back((1 / static_cast<double>(x) - 0.5) / 0.5);
  harness.model().set_tensor(harness.index_of("frequency.step"), &step);
  harness.model().set_tensor(harness.index_of("frequency.last_seen"), last_seen.data());
  harness.model().set_tensor(harness.index_of("frequency.gap"), gap.data());
}

TEST_P(TwoTowerGolden, PluginTableReproducesVectorsLossesGradientsAndThreeSteps) {
  PluginHarness harness("two_tower", params_of(GetParam(), n_embeddings_ > 0), 12, 20, {{0, 0}}, 2, data_of(golden_));
  golden_.set_parameters(harness);
  harness.model().freeze();
  golden_.expect_table(harness, REC_TABLE_USER, "out.query_vec");
  golden_.expect_table(harness, REC_TABLE_ITEM, "out.item_vec");
  const auto users = golden_.get<int32_t>("in.user_id"), items = golden_.get<int32_t>("in.item_id");
  const auto loss_of = [&](const std::string&) {
    set_probabilities(harness, golden_.floats("in.item_prob"));
    return harness.compute(users, items);
  };
  golden_.expect_training(harness, "adam3", loss_of);
  if (!GetParam().still) return;
  loss_of("");
  for (const std::string& name : harness.parameters())
    for (float slope : harness.gradient(name)) ASSERT_EQ(slope, 0) << name;
}

TEST_P(TwoTowerGolden, PluginTableMultipliesALossByTheWeightOfItsRow) {
  const bool has_rewards = GetParam().hard == 0;  // that is how the references were made
  ASSERT_EQ(golden_.has("loss.logq_mask_reward"), has_rewards);
  if (!has_rewards) return;
  HarnessData data = data_of(golden_);
  data.has_weights = true;
  std::string params = params_of(GetParam(), n_embeddings_ > 0);
  params.replace(params.rfind('}'), 1, R"(, "reward": "weight"})");
  PluginHarness harness("two_tower", params, 12, 20, {{0, 0}}, 2, std::move(data));
  golden_.set_parameters(harness);
  set_probabilities(harness, golden_.floats("in.item_prob"));
  Batch batch = PluginHarness::batch_of(golden_.get<int32_t>("in.user_id"), golden_.get<int32_t>("in.item_id"));
  const std::vector<float> reward = golden_.floats("in.reward");
  std::copy(reward.begin(), reward.end(), batch.column(REC_COLUMN_WEIGHT).reshape<float>(batch.n_rows));
  EXPECT_NEAR(harness.compute(std::move(batch)), golden_.doubles("loss.logq_mask_reward")[0], 1e-4);
}

TEST(TwoTower, RefusesARewardBelowZero) {
  HarnessData data;
  data.has_weights = true;
  PluginHarness harness("two_tower", R"({"reward": "weight"})", 4, 4, {{0, 0}}, 2, std::move(data));
  for (const float weight : {0.0f, -1.5f}) {
    Batch batch = PluginHarness::batch_of({0, 1}, {2, 3});
    float* const weights = batch.column(REC_COLUMN_WEIGHT).reshape<float>(batch.n_rows);
    weights[0] = 1;
    weights[1] = weight;
    const Error error = error_of([&] { harness.compute(std::move(batch)); });
    EXPECT_EQ(error.status, weight < 0 ? REC_INVALID_DATA : REC_OK) << error.message;
    EXPECT_EQ(error.message.find("reward: weight needs weights of at least 0, got -1.5") != std::string::npos,
              weight < 0)
        << error.message;
  }
}

TEST(TwoTower, SaysWhatTheDataSetLacks) {
  struct Case {
    const char* params;
    const char* says;
  };
  const Case cases[] = {{R"({"item_tower": "gcn"})", "needs a relation 'item_adj'"},
                        {R"({"reward": "weight"})", "reward: weight needs weights of the interactions"},
                        {R"({"user_features": "true"})", "user_features: true needs a data set with features"},
                        {R"({"user_features": "dense"})", "user_features: dense needs a data set with dense features"},
                        {R"({"item_features": "true"})", "item_features: true needs a data set with features"},
                        {R"({"user_id": false})", "user_id: false leaves the tower nothing to look at"}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.params);
    const Error error = error_of([&] { PluginHarness("two_tower", row.params, 4, 4, {{0, 0}}); });
    EXPECT_EQ(error.status, REC_UNSUPPORTED);
    EXPECT_NE(error.message.find(row.says), std::string::npos) << error.message;
  }
}

// Users like the items of their own parity; has every part of a data set that the towers can use.
std::shared_ptr<const Dataset> world() {
  DatasetBuilder builder(REC_ID_INT64, REC_ID_INT64, 0, nullptr);
  for (int64_t user = 0; user < 8; ++user)
    for (int64_t item = user % 2; item < 10; item += 2)
      if (item != user) builder.add(user, item, 0, 0, item == (user + 4) % 10 ? Part::kValid : Part::kTrain);
  const size_t age = builder.user_features().add_dense("age", 1), sex = builder.user_features().add_categorical("sex");
  const size_t size = builder.item_features().add_dense("size", 2), graph = builder.add_relation("item_adj");
  builder.add_relation("other");
  for (int32_t row = 0; row < 8; ++row) {
    const float number = 0.1f * static_cast<float>(row);
    builder.user_features().set(age, row, {&number, 1});
    builder.user_features().set(sex, row, int64_t{row % 2});
  }
  for (int32_t row = 0; row < 10; ++row) {
    const float numbers[] = {static_cast<float>(row % 3), 1};
    builder.item_features().set(size, row, numbers);
    builder.relate_rows(graph, row, (row + 1) % 10);
    builder.relate_rows(graph, (row + 1) % 10, row);
  }
  return std::make_shared<const Dataset>(builder.finish());
}

std::vector<float> user_scores(const Model& model) {
  std::vector<float> scores;
  for (int64_t user = 0; user < model.n_users(); ++user)
    for (int64_t item = 0; item < model.n_items(); ++item)
      scores.push_back(std::inner_product(model.users().row(user), model.users().row(user) + model.users().d,
                                          model.items().row(item), 0.0f));
  return scores;
}

TEST(TwoTower, TrainsResumesAndServesOnFeaturesAndAGraph) {
  PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
  const auto params = [](int epochs) {
    return cat(R"({"item_tower": "gcn", "user_features": "true", "item_features": "true", "id_dim": 4, "h1": 8, )",
               R"("h2": 8, "out_dim": 4, "batch_size": 8, "epochs": )", epochs, "}");
  };
  const auto train = [&](int epochs, const std::string& checkpoint, bool resume) {
    TrainerOptions options;
    options.checkpoint_path = checkpoint;
    options.resume = resume;
    Trainer trainer(world(), "two_tower", params(epochs), options);
    trainer.run([](const TrainingEvent&) {}, nullptr);
    return trainer.model(REC_MODEL_LAST);
  };
  const TempFolder folder;
  const auto whole = train(4, "", false);
  train(2, folder / "c", false);
  const auto resumed = train(4, folder / "c", true);
  EXPECT_EQ(user_scores(*resumed), user_scores(*whole));
  EXPECT_FALSE(whole->needs_plugin);
  save_model(*whole, folder / "m", true);
  EXPECT_EQ(user_scores(*load_model(folder / "m", 0)), user_scores(*whole));
}

// Item 5 has no interactions, but shares the category of the items that the even users take.
TEST(TwoTower, RecommendsAnItemWithoutInteractionsByItsFeatures) {
  HarnessData data;
  Feature kind{"kind", FeatureKind::kCategorical, 0, 2, {}, Buffer<int32_t>(6)};
  for (int32_t item = 0; item < 5; ++item) kind.values[item] = item % 2;
  kind.values[5] = 0;
  data.item_features.push_back(std::move(kind));
  PluginHarness harness("two_tower",
                        R"({"item_id": false, "id_dim": 4, "h1": 8, "h2": 8, "out_dim": 4, "lr": 0.02, )"
                        R"("temperature": 0.3, "correction": false})",
                        4, 6, {{0, 0}}, 1, std::move(data));
  for (int step = 0; step < 200; ++step) {
    harness.compute({0, 1, 2, 3}, {step % 2 * 2, 1, 4, 3});
    harness.model().apply();
  }
  harness.model().freeze();
  const rec_tensor_view_t users = harness.model().table(REC_TABLE_USER), items = harness.model().table(REC_TABLE_ITEM);
  const auto score = [&](int64_t user, int64_t item) {
    const float *u = static_cast<const float*>(users.data) + 4 * user,
                *v = static_cast<const float*>(items.data) + 4 * item;
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2] + u[3] * v[3];
  };
  for (int64_t user = 0; user < 4; ++user) {
    const float other = user % 2 == 0 ? score(user, 1) : score(user, 5),
                own = user % 2 == 0 ? score(user, 5) : score(user, 1);
    EXPECT_GT(own, other + 0.1f) << "user " << user;
  }
}

constexpr TowerKind kMlp = TowerKind::kMlp, kDcn = TowerKind::kDcn;
INSTANTIATE_TEST_SUITE_P(
    TwoTower, TwoTowerGolden,
    testing::Values(TowerCase{"twotower_mlp", kMlp, kMlp}, TowerCase{"twotower_userid", kMlp, kMlp},
                    TowerCase{"twotower_dcn", kDcn, kDcn},
                    TowerCase{"twotower_dcn_matrix", kDcn, kDcn, CrossType::kMatrix},
                    TowerCase{"twotower_gcn", kMlp, TowerKind::kGcn},
                    TowerCase{"twotower_userid_hard", kMlp, kMlp, CrossType::kVector, 5},
                    TowerCase{"twotower_dcn_hard", kDcn, kDcn, CrossType::kVector, 5},
                    TowerCase{"twotower_dcn_matrix_hard", kDcn, kDcn, CrossType::kMatrix, 5},
                    TowerCase{"twotower_userid_only_positive", kMlp, kMlp, CrossType::kVector, 2, true}),
    [](const auto& test) { return test.param.golden; });

struct FrequencyCase {
  std::string name;
  FrequencyOptions options;
};
void PrintTo(const FrequencyCase& c, std::ostream* out) { *out << c.name; }
class FrequencyGolden : public testing::TestWithParam<FrequencyCase> {};

TEST_P(FrequencyGolden, ReproducesBothArraysAndProbabilitiesOfEveryStep) {
  const GoldenTensors golden("freq_estimator.safetensors");
  const auto stream = golden.get<int32_t>("in.stream");
  const std::string name = "f64." + GetParam().name;
  const auto A = golden.doubles(name + ".A"), B = golden.doubles(name + ".B"), p = golden.doubles(name + ".p");
  FrequencyEstimator estimator(GetParam().options, 12);
  std::vector<plugin::TensorRef> tensors;
  estimator.append_tensors(tensors);
  const auto* last_seen = static_cast<const int64_t*>(tensors[1].data);
  const auto* gap = static_cast<const double*>(tensors[2].data);
  const size_t width = A.size() / 40;
  for (size_t step = 0; step < 40; ++step) {
    double got[4];
    estimator.observe(stream.data() + 4 * step, 4, got);
    estimator.observe(stream.data() + 4 * step, 4, got);  // repeated before the step is committed
    estimator.commit();
    for (size_t b = 0; b < 4; ++b) ASSERT_NEAR(got[b], p[4 * step + b], 1e-12) << "step " << step + 1;
    for (size_t s = 0; s < width; ++s) {
      ASSERT_EQ(static_cast<double>(last_seen[s]), A[step * width + s]) << "step " << step + 1 << " slot " << s;
      ASSERT_NEAR(gap[s], B[step * width + s], 1e-12 * (1 + B[step * width + s]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TwoTower, FrequencyGolden,
                         testing::Values(FrequencyCase{"identity", {0.05, 0, true, 0, {}}},
                                         FrequencyCase{"identity_sequential", {0.05, 0, false, 0, {}}},
                                         FrequencyCase{"identity_b0", {0.05, 0, true, 10, {}}},
                                         FrequencyCase{"multihash", {0.05, 8, true, 0, {{5, 3}, {7, 1}, {11, 6}}}}),
                         [](const auto& test) { return test.param.name; });

TEST(Frequency, FindsTheProbabilityOfAnItemThatComesEveryFifthStep) {
  FrequencyEstimator estimator({0.05, 0, true, 0, {}}, 2);
  double p[1] = {0};
  for (int step = 0; step < 2000; ++step) {
    const int32_t item = step % 5 == 0 ? 1 : 0;
    double now[1];
    estimator.observe(&item, 1, now);
    if (item == 1) p[0] = now[0];
    estimator.commit();
  }
  EXPECT_NEAR(p[0], 0.2, 1e-3);
}

TEST(TwoTower, GoesOnWithTheFrequenciesOfABrokenRun) {
  PluginHarness::Pairs pairs{{0, 0}, {1, 1}, {2, 2}, {3, 3}};
  const std::string params =
      R"({"id_dim": 4, "h1": 6, "h2": 5, "out_dim": 3, "n_slots": 3, "n_hash": 2, "b_init": 3, "lr": 0.1})";
  PluginHarness whole("two_tower", params, 4, 4, pairs), resumed("two_tower", params, 4, 4, pairs);
  for (int step = 0; step < 5; ++step) {
    whole.compute({0, 1, 2}, {0, 1, step % 4});
    whole.model().apply();
  }
  resumed.copy_from(whole);
  const double next = whole.compute({0, 1, 2}, {3, 1, 2});
  EXPECT_EQ(resumed.compute({0, 1, 2}, {3, 1, 2}), next);
  const int64_t fresh[8] = {};
  resumed.model().set_tensor(resumed.index_of("frequency.last_seen"), fresh);
  EXPECT_NE(resumed.compute({0, 1, 2}, {3, 1, 2}), next);
}

TEST(TwoTower, IsTheSameModelAfterACancel) {
  expect_same_model_after_a_cancel("two_tower",
                                   R"({"id_dim": 4, "h1": 8, "h2": 8, "out_dim": 4, "epochs": 3, "batch_size": 40})");
}

}  // namespace
}  // namespace rec
