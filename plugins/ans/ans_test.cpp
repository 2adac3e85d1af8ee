#include "tests/golden/ans_equations.h"
#include "tests/golden/cancel_case.h"
#include "tests/golden/golden_torch.h"

namespace rec {
namespace {

using ans::Augmented;
using ans::AugmentOptions;
using ans::Terms;
using at::Tensor;

struct AnsCase {
  std::string golden;
  int64_t n_layers;
};
void PrintTo(const AnsCase& c, std::ostream* out) { *out << c.golden; }

class AnsGolden : public testing::TestWithParam<AnsCase> {
 protected:
  AnsGolden() : golden_(GetParam().golden) {
    const auto negatives = golden_.get<int32_t>("in.neg_item_id");
    const auto positives = golden_.get<int32_t>("in.item_id");
    users_ = golden_.get<int32_t>("in.user_id");
    K_ = golden_.shape("in.neg_item_id")[1];
    for (size_t b = 0; b < users_.size(); ++b) {
      items_.push_back(positives[b]);
      items_.insert(items_.end(), negatives.begin() + b * K_, negatives.begin() + static_cast<int64_t>(b + 1) * K_);
    }
    const std::vector<float> noise = golden_.floats("rand.noise");
    random_ = std::make_unique<RandomSource>("ans", [noise](int32_t stream, int64_t row, float* out, int64_t n) {
      if (stream == 16) std::copy_n(noise.begin() + row * n, n, out);  // the others start tables that are set later
    });
  }

  AugmentOptions options() const {
    const auto& hyper = golden_.hyper();
    return {hyper["eps"], hyper["gamma"], hyper["noise_scale"], 0};
  }

  std::unique_ptr<PluginHarness> make(const std::string& more = "") const {
    const auto& hyper = golden_.hyper();
    auto harness = std::make_unique<PluginHarness>(
        "ans",
        cat(R"({"emb_size": 8, "adj_eps": 1e-7, "n_layers": )", GetParam().n_layers, R"(, "num_neg": )", K_,
            R"(, "lr": )", hyper["lr"].get<double>(), R"(, "eps": )", hyper["eps"].get<double>(), R"(, "gamma": )",
            hyper["gamma"].get<double>(), R"(, "reg_weight": )", hyper["reg_weight"].get<double>(), more, "}"),
        hyper["n_users"], hyper["n_items"], golden_.train_pairs(), 2);
    golden_.set_parameters(*harness);
    return harness;
  }

  // Rows of the reference's hop tables, and its gates, in the form that the equations take.
  Augmented equations_input() const {
    const int64_t B = std::ssize(users_), C = K_ + 1, H = GetParam().n_layers + 1;
    const Tensor nodes = tensor_of(golden_, "out.item_hops").index_select(0, plugin::indices_of(items_));
    const Tensor candidates = nodes.view({B, C, H, 8});
    Augmented in;
    in.u = tensor_of(golden_, "out.user_hops").index_select(0, plugin::indices_of(users_));
    in.p = candidates.select(1, 0).contiguous();
    in.n = candidates.narrow(1, 1, K_).contiguous();
    in.user_gate =
        at::linear(in.u, tensor_of(golden_, "param.user_gate.weight"), tensor_of(golden_, "param.user_gate.bias"));
    in.item_gate =
        at::linear(in.n, tensor_of(golden_, "param.item_gate.weight"), tensor_of(golden_, "param.item_gate.bias"));
    in.margin_weight = tensor_of(golden_, "param.margin_model.weight");
    in.margin_bias = tensor_of(golden_, "param.margin_model.bias").view({1, 1});
    in.noise = tensor_of(golden_, "rand.noise");
    return in;
  }

  const Reference golden_;
  std::vector<int32_t> users_, items_;
  int64_t K_;
  std::unique_ptr<RandomSource> random_;
};

TEST_P(AnsGolden, ReproducesEveryIntermediateAndEveryLossTerm) {
  const Terms got = ans::augmented_losses(equations_input(), options());
  const double out = golden_.tolerance("out"), loss = golden_.tolerance("loss");
  Reference::expect_near(floats_of(got.gate), golden_.floats("out.gate"), out, "gate");
  Reference::expect_near(floats_of(got.margin), golden_.floats("out.margin"), out, "margin");
  Reference::expect_near(floats_of(got.n_hard), golden_.floats("out.neg_hard"), out, "n_hard");
  Reference::expect_near(floats_of(got.n_easy), golden_.floats("out.neg_easy"), out, "n_easy");
  Reference::expect_near(floats_of(got.n_syn), golden_.floats("out.neg_synth"), out, "n_syn");
  Reference::expect_near(floats_of(got.selected), golden_.floats("out.selected"), 0, "k*");
  Reference::expect_near(floats_of(got.bpr.view({1})), golden_.floats("loss.bpr"), loss, "bpr");
  Reference::expect_near(floats_of(got.contrast.view({1})), golden_.floats("loss.contrast"), loss, "contrast");
  Reference::expect_near(floats_of(got.distance.view({1})), golden_.floats("loss.distance"), loss, "distance");
  Reference::expect_near(floats_of(got.orth.view({1})), golden_.floats("loss.orth"), loss, "orth");
}

TEST_P(AnsGolden, ReproducesLossGradientsAndThreeSteps) {
  const auto harness = make();
  Reference::expect_loss(harness->compute(users_, items_), golden_.doubles("f64.loss.total")[0], "loss");
  golden_.expect_training(*harness, "adam3", [&](const std::string&) { return harness->compute(users_, items_); });
}

TEST_P(AnsGolden, RanksInThreeWays) {
  for (const auto& [mode, name] :
       {std::pair{"hop_sum", "out.full_sort_hopsum"}, {"ego", "out.full_sort_ego"}, {"mean", "out.full_sort_mean"}}) {
    SCOPED_TRACE(mode);
    const auto harness = make(cat(R"(, "predict_mode": ")", mode, "\""));
    std::vector<int32_t> all;
    for (size_t b = 0; b < users_.size(); ++b)
      for (int32_t i = 0; i < golden_.hyper()["n_items"].get<int32_t>(); ++i) all.push_back(i);
    Reference::expect_near(harness->score_live(users_, all), golden_.floats(name), golden_.tolerance("out"), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Ans, AnsGolden,
                         testing::Values(AnsCase{"ans_mf", 0}, AnsCase{"ans_lightgcn", 2}, AnsCase{"ans_mf_select", 0},
                                         AnsCase{"ans_lightgcn_select", 2}),
                         [](const auto& test) { return test.param.golden; });

TEST(Ans, GivesTheLoopEightCandidatesByDefault) {
  PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
  const Plugin& plugin = PluginRegistry::instance().find("ans");
  const std::span<const rec_param_t> tables[] = {plugin.params(), loop_params()};
  EXPECT_EQ(parse_params(Json::object(), tables).integer("num_neg"), 8);
  EXPECT_EQ(parse_params(parse_json(R"({"num_neg": 3})", "params"), tables).integer("num_neg"), 3);
  EXPECT_THROW(parse_params(parse_json(R"({"num_neg": 0})", "params"), tables), Error);
  const Json parameters = describe_plugin(plugin, loop_params())["parameters"];
  EXPECT_EQ(std::count_if(parameters.begin(), parameters.end(), [](const Json& p) { return p["name"] == "num_neg"; }),
            1);
}

struct Shape {
  const char* name;
  int64_t B, K, H, d;
  double margin_eps;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

class AnsKernel : public testing::TestWithParam<Shape> {
 protected:
  static Tensor random(int32_t stream, at::IntArrayRef shape, float low, float high) {
    Tensor out = at::empty(shape);
    host_table().random_uniform(7, stream, 0, 0, low, high, out.data_ptr<float>(), out.numel());
    return out;
  }
};

// The kernel on the CPU against autograd over the equations.
TEST_P(AnsKernel, AgreesWithAutogradOverTheEquations) {
  const auto [name, B, K, H, d, margin_eps] = GetParam();
  Augmented in{random(0, {B, H, d}, -1, 1), random(1, {B, H, d}, -1, 1),    random(2, {B, K, H, d}, -1, 1),
               random(3, {B, H, d}, -1, 1), random(4, {B, K, H, d}, -1, 1), random(5, {1, d}, -1, 1),
               random(6, {1, 1}, 0.5f, 1),  random(8, {B, K, H, d}, 0, 1)};
  std::vector<Tensor> inputs{in.u, in.p, in.n, in.user_gate, in.item_gate, in.margin_weight, in.margin_bias};
  const Tensor items = at::cat({in.p.unsqueeze(1), in.n}, 1).contiguous();  // [B, C, H, d], each entry its own node
  const Tensor gates = at::cat({at::zeros_like(in.p).unsqueeze(1), in.item_gate}, 1).contiguous();
  for (Tensor& input : inputs) input.set_requires_grad(true);
  const AugmentOptions options{0.5, 0.7, 0.3, margin_eps};
  const Terms want = ans::augmented_losses(in, options);
  const auto gradients = torch::autograd::grad({want.total(options.gamma)}, inputs);

  std::vector<int32_t> user_slots, item_slots;
  for (int32_t b = 0; b < B; ++b) user_slots.push_back(b);
  for (int32_t e = 0; e < B * (K + 1); ++e) item_slots.push_back(e);
  const int64_t C = K + 1;
  const auto floats = [](int64_t n) { return std::vector<float>(n); };
  std::vector<float> d_users = floats(B * H * d), d_user_gates = d_users, d_items = floats(B * C * H * d),
                     d_item_gates = d_items, d_margin_weight = floats(d), d_margin_bias = floats(1);
  std::vector<int32_t> selected(B * H);
  const rec_augment_t job{sizeof job,
                          0,
                          B,
                          C,
                          H,
                          d,
                          user_slots.data(),
                          item_slots.data(),
                          in.u.data_ptr<float>(),
                          in.user_gate.data_ptr<float>(),
                          items.data_ptr<float>(),
                          gates.data_ptr<float>(),
                          in.margin_weight.data_ptr<float>(),
                          in.margin_bias.data_ptr<float>(),
                          in.noise.data_ptr<float>(),
                          options.eps,
                          options.gamma,
                          options.noise_scale,
                          options.margin_eps,
                          d_users.data(),
                          d_user_gates.data(),
                          d_items.data(),
                          d_item_gates.data(),
                          d_margin_weight.data(),
                          d_margin_bias.data(),
                          selected.data()};
  double losses[4];
  rec_call_t call;
  ASSERT_EQ(host_table().augment(&call, &job, losses), REC_OK) << call.message;
  EXPECT_NEAR(losses[0], want.bpr.item<double>(), 1e-5);
  EXPECT_NEAR(losses[1], want.contrast.item<double>(), 1e-5);
  EXPECT_NEAR(losses[2], want.distance.item<double>(), 1e-5);
  EXPECT_NEAR(losses[3], want.orth.item<double>(), 1e-5);
  Reference::expect_near({selected.begin(), selected.end()}, floats_of(want.selected), 0, "k*");
  const auto entries = [&](const std::vector<float>& values) { return plugin::view_of(values.data(), {B, C, H, d}); };
  const double tol = 2e-5;
  Reference::expect_near(d_users, floats_of(gradients[0]), tol, "u");
  Reference::expect_near(floats_of(entries(d_items).select(1, 0)), floats_of(gradients[1]), tol, "p");
  Reference::expect_near(floats_of(entries(d_items).narrow(1, 1, K)), floats_of(gradients[2]), tol, "n");
  Reference::expect_near(d_user_gates, floats_of(gradients[3]), tol, "user gate");
  Reference::expect_near(floats_of(entries(d_item_gates).narrow(1, 1, K)), floats_of(gradients[4]), tol, "item gate");
  Reference::expect_near(d_margin_weight, floats_of(gradients[5]), tol, "margin weight");
  Reference::expect_near(d_margin_bias, floats_of(gradients[6]), tol, "margin bias");
}

INSTANTIATE_TEST_SUITE_P(Ans, AnsKernel,
                         testing::Values(Shape{"one_of_everything", 1, 1, 1, 1, 0}, Shape{"odd_width", 5, 3, 2, 13, 0},
                                         Shape{"usual", 9, 8, 4, 64, 0}, Shape{"floored_margin", 6, 4, 2, 8, 0.9}),
                         [](const auto& test) { return std::string(test.param.name); });

// A vanishing denominator of the margin: 0 times infinity must not get into the gradient.
TEST(AnsMargin, HasAFiniteGradientWhereItsDenominatorVanishes) {
  const int64_t B = 2, K = 2, d = 8;
  Augmented in{at::ones({B, 1, d}),     at::ones({B, 1, d}), at::ones({B, K, 1, d}),  at::zeros({B, 1, d}),
               at::zeros({B, K, 1, d}), at::zeros({1, d}),   at::full({1, 1}, 1e-30), at::ones({B, K, 1, d})};
  in.margin_weight.set_requires_grad(true);
  const auto gradient =
      torch::autograd::grad({ans::augmented_losses(in, {0.5, 0.01, 0.1, 0}).total(1)}, {in.margin_weight});
  EXPECT_TRUE(at::isfinite(gradient[0]).all().item<bool>());
}

// No equation creates a tensor on a fixed device: on "meta", which has no memory, such a tensor would raise an error.
TEST(AnsEquations, FollowTheDeviceOfTheirInputs) {
  const auto meta = at::TensorOptions(at::kMeta).dtype(at::kFloat);
  const int64_t B = 3, K = 4, H = 2, d = 8;
  const Augmented in{at::empty({B, H, d}, meta), at::empty({B, H, d}, meta),    at::empty({B, K, H, d}, meta),
                     at::empty({B, H, d}, meta), at::empty({B, K, H, d}, meta), at::empty({1, d}, meta),
                     at::empty({1, 1}, meta),    at::empty({B, K, H, d}, meta)};
  const Terms terms = ans::augmented_losses(in, {0.5, 0.01, 0.1, 0});
  EXPECT_TRUE(terms.total(0.1).is_meta());
  EXPECT_EQ(terms.n_syn.sizes(), at::IntArrayRef({B, K, H, d}));
}

TEST(Ans, IsTheSameModelAfterACancel) {
  expect_same_model_after_a_cancel("ans",
                                   R"({"emb_size": 4, "n_layers": 2, "num_neg": 2, "epochs": 3, "batch_size": 40})");
}

}  // namespace
}  // namespace rec
