#include "plugins/autocf/equations.h"
#include "tests/golden/cancel_case.h"
#include "tests/golden/golden_torch.h"

namespace rec {
namespace {

using at::Tensor;
using autocf::Draw;
using autocf::GraphTransformer;
using autocf::Masks;
using autocf::Pattern;
using autocf::Terms;

constexpr int64_t kUsers = 12, kItems = 20, kNodes = 32;
const char* const kNames[] = {"user_emb", "item_emb", "gt.0.q", "gt.0.k", "gt.0.v"};

// row * N + column of every entry, ascending.
std::vector<int64_t> keys_of(const Pattern& pattern) {
  std::vector<int64_t> keys;
  for (int64_t r = 0; r < pattern.n(); ++r)
    for (int64_t e = pattern.offsets[r]; e < pattern.offsets[r + 1]; ++e)
      keys.push_back(r * kNodes + pattern.columns[e]);
  return keys;
}
std::vector<int64_t> keys_of(const GoldenTensors& golden, const std::string& name) {
  const auto flat = golden.ints(name);
  std::vector<int64_t> keys;
  for (size_t e = 0; e < flat.size() / 2; ++e) keys.push_back(flat[e] * kNodes + flat[e + flat.size() / 2]);
  return keys;
}

class AutoCfGolden : public testing::TestWithParam<const char*> {
 protected:
  AutoCfGolden() : golden_(GetParam()), pairs_(golden_.train_pairs()) {
    pool_ = masks({golden_.ints("rand.keep_nodes"), {}, {}}).pool.size();
    random_ = std::make_unique<RandomSource>("autocf", [this](int32_t stream, int64_t, float* out, int64_t n) {
      const auto uniform = [&](const std::string& name, size_t below) {
        const auto values = golden_.ints(name);
        for (int64_t i = 0; i < n; ++i) out[i] = (static_cast<float>(values[i]) + 0.5f) / static_cast<float>(below);
      };
      if (stream == 100) {
        const auto values = golden_.floats("rand.gumbel_u");
        std::copy_n(values.begin(), n, out);
      } else if (stream == 101) {
        uniform("rand.keep_nodes", kNodes);
      } else if (stream == 102) {
        uniform("rand.pair_rows", pool_);
      } else if (stream == 103) {
        uniform("rand.pair_cols", pool_);
      }
    });
  }

  // Missing draws are zeros.
  Masks masks(const std::array<std::vector<int64_t>, 3>& draws) const {
    return autocf::draw_masks(adjacency(), golden_.ints("out.seeds"), {3, 2, 0.2}, [&](Draw use, int64_t n, int64_t) {
      std::vector<int64_t> out = draws[static_cast<size_t>(use)];
      out.resize(n);
      return out;
    });
  }
  Masks golden_masks() const {
    return masks({golden_.ints("rand.keep_nodes"), golden_.ints("rand.pair_rows"), golden_.ints("rand.pair_cols")});
  }

  Pattern adjacency() const {
    std::vector<std::set<int32_t>> items(kUsers), users(kItems);
    for (const auto& [u, i] : pairs_) items[u].insert(i), users[i].insert(u);
    const auto csr = [](const std::vector<std::set<int32_t>>& rows, std::vector<int64_t>& offsets,
                        std::vector<int32_t>& columns) {
      offsets.assign(1, 0);
      for (const auto& row : rows) {
        columns.insert(columns.end(), row.begin(), row.end());
        offsets.push_back(std::ssize(columns));
      }
    };
    std::vector<int64_t> user_offsets, item_offsets;
    std::vector<int32_t> user_columns, item_columns;
    csr(items, user_offsets, user_columns);
    csr(users, item_offsets, item_columns);
    rec_dataset_view_t view{};
    view.graph_users = {user_offsets.data(), user_columns.data(), kUsers, kItems};
    view.graph_items = {item_offsets.data(), item_columns.data(), kItems, kUsers};
    return autocf::adjacency_with_loops(view);
  }

  Tensor tensor(const std::string& name) const { return tensor_of(golden_, name); }
  Tensor e0() const { return at::cat({tensor("param.user_emb"), tensor("param.item_emb")}, 0); }
  std::vector<GraphTransformer> layers() const {
    return {{tensor("param.gt.0.q"), tensor("param.gt.0.k"), tensor("param.gt.0.v")}};
  }

  std::unique_ptr<PluginHarness> make() const {
    auto harness = std::make_unique<PluginHarness>(
        "autocf", R"({"emb_size": 8, "n_heads": 2, "seed_num": 3, "reg_weight": 0.001, "ssl_reg": 0.8, "lr": 0.01})",
        kUsers, kItems, pairs_, 2);
    golden_.set_parameters(*harness);
    return harness;
  }

  const Reference golden_;
  const PluginHarness::Pairs pairs_;
  size_t pool_ = 0;
  std::unique_ptr<RandomSource> random_;
  rec_call_t call_;
  const plugin::Context context_{host_table(), &call_};
};

TEST_P(AutoCfGolden, ReproducesCentreScoresAndSeeds) {
  const Tensor scores = autocf::center_scores(context_, adjacency(), e0(), tensor("rand.gumbel_u"));
  Reference::expect_near(floats_of(scores), golden_.floats("out.sampler_score"), golden_.tolerance("out"), "scores");
  EXPECT_NEAR(-scores.mean().item<double>(), golden_.doubles("loss.sampler")[0], 1e-5);
}

TEST_P(AutoCfGolden, ReproducesBothEdgeSets) {
  EXPECT_EQ(keys_of(adjacency()).size(), keys_of(golden_, "in.adj_index").size());
  const Masks got = golden_masks();
  auto encoder = keys_of(golden_, "out.enc_index");
  const auto values = golden_.floats("out.enc_value");
  std::map<int64_t, float> value_of;
  for (size_t e = 0; e < encoder.size(); ++e) value_of[encoder[e]] = values[e];
  std::sort(encoder.begin(), encoder.end());
  EXPECT_EQ(keys_of(got.encoder), encoder);
  for (int64_t key : encoder)
    EXPECT_NEAR(got.encoder.scale[key / kNodes] * got.encoder.scale[key % kNodes], value_of[key], 1e-6);
  EXPECT_EQ(keys_of(got.decoder), keys_of(golden_, "out.dec_index"));
}

TEST_P(AutoCfGolden, ReproducesEmbeddingsAndEveryLossTerm) {
  const Masks masks = golden_masks();
  const Tensor final = autocf::encode(context_, masks.encoder, masks.decoder, 2, layers(), 2, e0());
  const Tensor users = final.narrow(0, 0, kUsers), items = final.narrow(0, kUsers, kItems);
  Reference::expect_near(floats_of(users), golden_.floats("out.user_emb"), golden_.tolerance("out"), "users");
  Reference::expect_near(floats_of(items), golden_.floats("out.item_emb"), golden_.tolerance("out"), "items");
  const auto u = golden_.get<int32_t>("in.user_id"), i = golden_.get<int32_t>("in.item_id");
  const std::set<int32_t> distinct_u(u.begin(), u.end()), distinct_i(i.begin(), i.end());
  std::vector<Tensor> parameters;
  for (const char* name : kNames) parameters.push_back(tensor(cat("param.", name)));
  const Terms terms = autocf::losses(context_, users, items, plugin::indices_of(u), plugin::indices_of(i),
                                     plugin::indices_of({distinct_u.begin(), distinct_u.end()}),
                                     plugin::indices_of({distinct_i.begin(), distinct_i.end()}), parameters, 0.001);
  for (const auto& [name, got] : {std::pair{"loss.pred", terms.pred},
                                  {"loss.contrast_user", terms.contrast_user},
                                  {"loss.contrast_item", terms.contrast_item},
                                  {"loss.contrast_cross", terms.contrast_cross},
                                  {"loss.reg", terms.reg}})
    EXPECT_NEAR(got.item<double>(), golden_.doubles(name)[0], golden_.tolerance("loss") * 4) << name;
}

TEST_P(AutoCfGolden, ReproducesLossGradientsAndThreeSteps) {
  const auto harness = make();
  const auto users = golden_.get<int32_t>("in.user_id"), items = golden_.get<int32_t>("in.item_id");
  Reference::expect_loss(harness->compute(users, items), golden_.doubles("f64.loss.total")[0], "loss");
  golden_.expect_training(*harness, "adam3", [&](const std::string&) { return harness->compute(users, items); });
}

TEST_P(AutoCfGolden, ServesTheWholeGraph) {
  const auto harness = make();
  harness->model().freeze();
  golden_.expect_table(*harness, REC_TABLE_USER, "out.test_user_emb");
  golden_.expect_table(*harness, REC_TABLE_ITEM, "out.test_item_emb");
}

INSTANTIATE_TEST_SUITE_P(AutoCf, AutoCfGolden, testing::Values("autocf", "autocf_clamp"),
                         [](const auto& test) { return std::string(test.param); });

PluginHarness::Pairs some_pairs() {
  PluginHarness::Pairs pairs;
  for (int32_t u = 0; u < 30; ++u)
    for (int32_t k = 0; k < 5; ++k) pairs.emplace_back(u, (u * 7 + k * k * 3) % 25);
  return pairs;
}

double loss_at(PluginHarness& harness, int64_t index) {
  Batch batch = PluginHarness::batch_of({1, 5, 9}, {2, 3, 4});
  batch.epoch = 3;
  batch.index = index;
  return harness.compute(std::move(batch));
}

TEST(AutoCf, GoesOnWithTheMasksOfABrokenRun) {
  const std::string params = R"({"emb_size": 8, "seed_num": 2, "mask_depth": 1, "lr": 0.1})";
  PluginHarness whole("autocf", params, 30, 25, some_pairs()), resumed("autocf", params, 30, 25, some_pairs());
  loss_at(whole, 0);
  whole.model().apply();
  resumed.copy_from(whole);
  EXPECT_EQ(loss_at(resumed, 1), loss_at(whole, 1));

  // mask_state is what carries the masks over: with another state they differ.
  std::vector<int64_t> other(4);
  whole.model().set_tensor(whole.index_of("mask_state"), other.data());
  EXPECT_NE(loss_at(resumed, 1), loss_at(whole, 1));
  other[0] = 55;
  whole.model().set_tensor(whole.index_of("mask_state"), other.data());
  EXPECT_THROW(loss_at(whole, 1), Error) << "there are 55 nodes, so no node 55";
}

TEST(AutoCf, SumsExponentialsOfManyBlocksAsAutogradDoes) {
  ThreadPool pool(2);
  rec_call_t call;
  call.pool = &pool;
  const plugin::Context context{host_table(), &call};
  Tensor a = at::empty({1500, 8}), t = at::empty({70, 8});
  host_table().random_uniform(1, 0, 0, 0, -2, 2, a.data_ptr<float>(), a.numel());
  host_table().random_uniform(1, 1, 0, 0, -2, 2, t.data_ptr<float>(), t.numel());
  a.set_requires_grad(true);
  t.set_requires_grad(true);
  const Tensor got = autocf::mean_log_sum_exp(context, a, t), want = a.mm(t.t()).logsumexp(1).mean();
  EXPECT_NEAR(got.item<double>(), want.item<double>(), 1e-5);
  const auto d_got = torch::autograd::grad({got}, {a, t}), d_want = torch::autograd::grad({want}, {a, t});
  for (size_t i = 0; i < 2; ++i) Reference::expect_near(floats_of(d_got[i]), floats_of(d_want[i]), 1e-6, "gradient");
}

TEST(AutoCf, RefusesHeadsThatDoNotDivideTheWidth) {
  EXPECT_THROW(PluginHarness("autocf", R"({"emb_size": 10, "n_heads": 4})", 30, 25, some_pairs()), Error);
}

TEST(AutoCf, IsTheSameModelAfterACancel) {
  expect_same_model_after_a_cancel(
      "autocf",
      R"({"emb_size": 4, "n_heads": 2, "seed_num": 2, "mask_depth": 1, "fix_steps": 2, "epochs": 3, "batch_size": 40})");
}

}  // namespace
}  // namespace rec
