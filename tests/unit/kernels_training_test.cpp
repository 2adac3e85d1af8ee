#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/unit/kernels_fixture.h"

namespace rec::kernels {
namespace {

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

using LossFunction = double (*KernelTable::*)(const ScoreLoss&, int64_t, int64_t);
using SlowLoss = double (*)(const std::vector<double>& row);  // summed over the row

struct LossCase {
  const char* name;
  LossFunction function;
  SlowLoss slow;
  int64_t (*divisor)(int64_t b, int64_t c);
  int64_t fewest_columns;
};

const LossCase kLosses[] = {
    {"bpr_softplus", &KernelTable::bpr_softplus,
     [](const std::vector<double>& s) {
       double sum = 0;
       for (size_t k = 1; k < s.size(); ++k) sum += softplus(s[k] - s[0]);
       return sum;
     },
     [](int64_t b, int64_t c) { return b * (c - 1); }, 2},
    {"bpr_log", &KernelTable::bpr_log,
     [](const std::vector<double>& s) {
       double sum = 0;
       for (size_t k = 1; k < s.size(); ++k) sum -= std::log(1e-10 + sigmoid(s[0] - s[k]));
       return sum;
     },
     [](int64_t b, int64_t c) { return b * (c - 1); }, 2},
    {"bpr_multi", &KernelTable::bpr_multi,
     [](const std::vector<double>& s) {
       const double highest = *std::max_element(s.begin() + 1, s.end());
       double weights = 0, p = 0;
       for (size_t k = 1; k < s.size(); ++k) {
         weights += std::exp(s[k] - highest);
         p += std::exp(s[k] - highest) * sigmoid(s[0] - s[k]);
       }
       return -std::log(std::clamp(p / weights, 1e-8, 1 - 1e-8));
     },
     [](int64_t b, int64_t) { return b; }, 2},
    {"bce_logits", &KernelTable::bce_logits,
     [](const std::vector<double>& s) {
       double sum = softplus(-s[0]);
       for (size_t k = 1; k < s.size(); ++k) sum += softplus(s[k]);
       return sum;
     },
     [](int64_t b, int64_t c) { return b * c; }, 1},
    {"softmax_ce", &KernelTable::softmax_ce,
     [](const std::vector<double>& s) {
       const double highest = *std::max_element(s.begin(), s.end());
       double sum = 0;
       for (double x : s) sum += std::exp(x - highest);
       return std::log(sum) + highest - s[0];
     },
     [](int64_t b, int64_t) { return b; }, 1},
};

struct LossResult {
  double loss;
  std::vector<float> slopes;
};

LossResult run_loss(const KernelTable& level, LossFunction function, const std::vector<float>& scores, int64_t c) {
  const int64_t b = std::ssize(scores) / c;
  LossResult result{0, std::vector<float>(scores.size(), kNan)};
  const ScoreLoss s{scores.data(), result.slopes.data(), c, b};
  result.loss = (level.*function)(s, 0, b / 2);
  result.loss += (level.*function)(s, b / 2, b);
  return result;
}

TEST(Losses, EqualTheDoubleFormulaAndItsFiniteDifferences) {
  for (const auto& c : kLosses)
    for (int64_t columns : {1, 2, 3, 9, 16, 17, 18, 40}) {
      if (columns < c.fewest_columns) continue;
      SCOPED_TRACE(testing::Message() << c.name << ", " << columns << " columns");
      const int64_t b = 11;
      const auto scores = random_floats(b * columns, 31, 3);
      const auto actual = run_loss(scalar(), c.function, scores, columns);
      const double divisor = static_cast<double>(c.divisor(b, columns));
      double loss = 0;
      for (int64_t r = 0; r < b; ++r) {
        std::vector<double> row(scores.begin() + r * columns, scores.begin() + (r + 1) * columns);
        loss += c.slow(row) / divisor;
        for (int64_t j = 0; j < columns; ++j) {
          const double h = 1e-5, x = row[at(j)];
          row[at(j)] = x + h;
          const double above = c.slow(row);
          row[at(j)] = x - h;
          const double below = c.slow(row);
          row[at(j)] = x;
          const double expected = (above - below) / (2 * h) / divisor;
          ASSERT_NEAR(actual.slopes[at(r * columns + j)], expected, 1e-6 / static_cast<double>(b))
              << "row " << r << ", column " << j;
        }
      }
      EXPECT_NEAR(actual.loss, loss, 1e-6 * (1 + loss));
    }
}

TEST(Losses, EveryLevelGivesTheScalarBits) {
  for (const auto& c : kLosses)
    for (int64_t columns : {1, 2, 3, 16, 17, 33, 100})
      for (float scale : {1.0f, 60.0f}) {
        if (columns < c.fewest_columns) continue;
        auto scores = random_floats(21 * columns, 32, scale);
        if (scale > 1 && columns > 2) scores[at(2)] = -kInf;
        const auto expected = run_loss(scalar(), c.function, scores, columns);
        for (const KernelTable* level : vector_levels()) {
          SCOPED_TRACE(testing::Message() << level->name << ", " << c.name << ", " << columns);
          const auto actual = run_loss(*level, c.function, scores, columns);
          expect_same_bits(std::vector<double>{actual.loss}, std::vector<double>{expected.loss});
          expect_same_bits(actual.slopes, expected.slopes);
        }
      }
}

TEST(Losses, StayFiniteFarFromZero) {
  for (const auto& c : kLosses)
    for (const std::vector<float>& scores : {std::vector<float>{200, -200}, {-200, 200}, {90, 90}, {-3e4f, 3e4f}}) {
      SCOPED_TRACE(testing::Message() << c.name << ' ' << scores[0] << ' ' << scores[1]);
      const auto actual = run_loss(scalar(), c.function, scores, 2);
      const double expected = c.slow({scores[0], scores[1]}) / static_cast<double>(c.divisor(1, 2));
      // In float32 the upper clamp of bpr_multi is 1.
      EXPECT_NEAR(actual.loss, expected, 1e-6 * std::abs(expected) + 2e-8);
      for (float slope : actual.slopes) EXPECT_TRUE(std::isfinite(slope));
    }
}

// As when every other row of a batch has the same item.
TEST(BprMulti, OfNoNegativeIsZero) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  std::vector<float> scores{0.5f, kNone, kNone, 1, 2, kNone};
  for (const KernelTable* level : {&scalar(), &fastest()}) {
    SCOPED_TRACE(level->name);
    const auto actual = run_loss(*level, &KernelTable::bpr_multi, scores, 3);
    EXPECT_NEAR(actual.loss, 0.5 * std::log1p(std::exp(1.0)), 1e-6) << "of the second row alone";
    for (int j = 0; j < 3; ++j) EXPECT_EQ(actual.slopes[j], 0.0f);
    EXPECT_NEAR(actual.slopes[4], 0.5 / (1 + std::exp(-1.0)), 1e-6);
    EXPECT_EQ(actual.slopes[5], 0.0f);
  }
}

TEST(BprMulti, HasNoGradientBelowItsClamp) {
  for (const std::vector<float>& scores : {std::vector<float>{-10, 10, 11}, {-10, 10}}) {
    const auto actual = run_loss(scalar(), &KernelTable::bpr_multi, scores, std::ssize(scores));
    EXPECT_NEAR(actual.loss, -std::log(1e-8), 1e-5);
    for (float slope : actual.slopes) EXPECT_EQ(slope, 0.0f);
  }
}

struct AdamTable {
  int64_t n, d;
  std::vector<float> param, m, v;
  std::vector<int64_t> last_step;

  AdamTable(int64_t n_, int64_t d_)
      : n(n_), d(d_), param(random_floats(n * d, 41, 0.1f)), m(at(n * d)), v(at(n * d)), last_step(at(n)) {
    param[0] = 0.0f;
    if (n * d > 3) param[3] = -0.0f;
    if (n * d > 5) param[5] = 1e-30f;
  }
};

struct AdamCase {
  const char* name;
  float beta1, beta2, epsilon, weight_decay;
  int64_t gap;
};
const AdamCase kAdamCases[] = {
    {"usual", 0.9f, 0.999f, 1e-8f, 0, 40},
    {"long gaps", 0.9f, 0.999f, 1e-8f, 0, 2000},
    {"weight decay", 0.9f, 0.999f, 1e-8f, 0.01f, 300},
    {"tiny epsilon", 0.9f, 0.99f, 1e-20f, 0, 500},
    {"epsilon at the bound", 0.9f, 0.99f, 1e-15f, 0, 1500},
    {"m slower than sqrt(v)", 0.99f, 0.9f, 1e-8f, 0, 400},
    {"small beta1", 0.4f, 0.999f, 1e-8f, 0, 600},
};

void expect_same_table(const AdamTable& actual, const AdamTable& expected) {
  expect_same_bits(actual.param, expected.param);
  expect_same_bits(actual.m, expected.m);
  expect_same_bits(actual.v, expected.v);
}

TEST(AdamRows, ReplayGivesTheBitsOfDenseAdam) {
  for (const auto& c : kAdamCases)
    for (int64_t d : {1, 9, 64, 100}) {
      const int64_t n = 6, n_steps = c.gap + 30;
      std::vector<AdamStep> steps(at(n_steps + 1));
      adam_steps(1e-2, c.beta1, c.beta2, n_steps, steps.data());
      for (const KernelTable* level : all_levels()) {
        if (level == &scalar() && (d == 100 || c.gap > 600)) continue;
        SCOPED_TRACE(testing::Message() << level->name << ", " << c.name << ", d = " << d);
        AdamTable dense(n, d), replayed(n, d);
        const auto step = [&](AdamTable& t, const int32_t* rows, int64_t n_rows, const float* grads, int64_t number) {
          AdamRows a{t.param.data(), t.m.data(),        t.v.data(), d,       rows,    grads,     t.last_step.data(),
                     steps.data(),   std::ssize(steps), number,     c.beta1, c.beta2, c.epsilon, c.weight_decay};
          level->adam_rows(a, 0, n_rows);
        };
        for (int64_t t = 1; t <= n_steps; ++t) {
          // Row 0 always, row 1 early and at the end, row 2 once, row 3 sometimes, row 4 with tiny gradients, 5 never.
          std::vector<int32_t> rows{0};
          if (t < 4 || t == n_steps - 5) rows.push_back(1);
          if (t == 3) rows.push_back(2);
          if (t % 17 == 1) rows.push_back(3);
          if (t == 2 || t == c.gap) rows.push_back(4);
          auto grads = random_floats(std::ssize(rows) * d, static_cast<uint64_t>(t), 0.3f);
          std::vector<float> all(at(n * d));
          for (size_t i = 0; i < rows.size(); ++i)
            for (int64_t j = 0; j < d; ++j) {
              float& g = grads[i * at(d) + at(j)];
              if (rows[i] == 4) g *= 1e-12f;
              all[at(rows[i] * d + j)] = g;
            }
          step(dense, nullptr, n, all.data(), t);
          step(replayed, rows.data(), std::ssize(rows), grads.data(), t);
        }
        step(replayed, nullptr, n, nullptr, n_steps);
        expect_same_table(replayed, dense);
        EXPECT_EQ(replayed.last_step, std::vector<int64_t>(at(n), n_steps));
      }
    }
}

TEST(AdamRows, EveryLevelGivesTheScalarBits) {
  for (int64_t d : kAwkwardSizes) {
    const int64_t n = 9;
    std::vector<AdamStep> steps(401);
    adam_steps(1e-3, 0.9, 0.999, 400, steps.data());
    const auto run = [&](const KernelTable& level) {
      AdamTable t(n, d);
      for (int64_t step : {1, 2, 30, 400}) {
        const std::vector<int32_t> rows{7, 1, static_cast<int32_t>(step % 3)};
        const auto grads = random_floats(3 * d, static_cast<uint64_t>(step));
        if (rows[2] == 1) t.last_step[8] = 0;
        level.adam_rows({t.param.data(), t.m.data(), t.v.data(), d, rows.data(), grads.data(), t.last_step.data(),
                         steps.data(), std::ssize(steps), step},
                        0, rows[2] == 1 ? 2 : 3);
      }
      return t;
    };
    const AdamTable expected = run(scalar());
    for (const KernelTable* level : vector_levels()) {
      SCOPED_TRACE(testing::Message() << level->name << ", d = " << d);
      expect_same_table(run(*level), expected);
    }
  }
}

TEST(AdamRows, FollowsTheFormulaInDouble) {
  for (double decay : {0.0, 0.02}) {
    const int64_t d = 5, n_steps = 50;
    const double lr = 1e-2;
    std::vector<AdamStep> steps(at(n_steps + 1));
    adam_steps(lr, 0.9, 0.999, n_steps, steps.data());
    AdamTable t(1, d);
    std::vector<double> param(t.param.begin(), t.param.end()), m(at(d)), v(at(d));
    for (int64_t s = 1; s <= n_steps; ++s) {
      const auto grads = random_floats(d, static_cast<uint64_t>(s));
      scalar().adam_rows({t.param.data(), t.m.data(), t.v.data(), d, nullptr, grads.data(), t.last_step.data(),
                          steps.data(), std::ssize(steps), s, 0.9f, 0.999f, 1e-8f, static_cast<float>(decay)},
                         0, 1);
      for (size_t j = 0; j < at(d); ++j) {
        const double g = grads[j] + decay * param[j];
        m[j] = 0.9 * m[j] + 0.1 * g;
        v[j] = 0.999 * v[j] + 0.001 * g * g;
        const double corrected = std::sqrt(v[j] / (1 - std::pow(0.999, static_cast<double>(s))));
        param[j] -= lr * (m[j] / (1 - std::pow(0.9, static_cast<double>(s)))) / (corrected + 1e-8);
      }
    }
    for (size_t j = 0; j < at(d); ++j) EXPECT_NEAR(t.param[j], param[j], 1e-5);
  }
}

TEST(RowOptimisers, EveryLevelGivesTheScalarBits) {
  for (int64_t d : kAwkwardSizes)
    for (float decay : {0.0f, 0.1f}) {
      const std::vector<int32_t> rows{5, 0, 3};
      const auto grads = random_floats(3 * d, 51);
      const auto run = [&](const KernelTable& level, int kind) {
        AdamTable t(7, d);
        for (int step = 0; step < 3; ++step) {
          if (kind == 0)
            level.lazy_adam_rows({t.param.data(),
                                  t.m.data(),
                                  t.v.data(),
                                  d,
                                  rows.data(),
                                  grads.data(),
                                  {0.01f, 1.5f},
                                  0.9f,
                                  0.999f,
                                  1e-8f,
                                  decay},
                                 0, 3);
          const GradientRows g{t.param.data(), t.v.data(), d, rows.data(), grads.data(), 0.05f, decay};
          if (kind == 1) level.sgd_rows(g, 0, 3);
          if (kind == 2) level.adagrad_rows(g, 0, 3);
        }
        return t;
      };
      for (int kind : {0, 1, 2})
        for (const KernelTable* level : vector_levels()) {
          SCOPED_TRACE(testing::Message() << level->name << ", d = " << d << ", kind " << kind);
          expect_same_table(run(*level, kind), run(scalar(), kind));
        }
    }
}

TEST(RowOptimisers, FollowTheirFormulas) {
  const std::vector<int32_t> rows{1};
  const std::vector<float> grads{0.5f, -2.0f};
  const std::vector<float> start{1.0f, 2.0f, 3.0f, 4.0f};
  std::vector<float> sgd = start, adagrad = start, accumulator(4, 0.25f), lazy = start, m(4), v(4);
  scalar().sgd_rows({sgd.data(), nullptr, 2, rows.data(), grads.data(), 0.1f, 0.5f}, 0, 1);
  EXPECT_FLOAT_EQ(sgd[2], 3.0f - 0.1f * (0.5f + 1.5f));
  EXPECT_FLOAT_EQ(sgd[3], 4.0f - 0.1f * (-2.0f + 2.0f));
  scalar().adagrad_rows({adagrad.data(), accumulator.data(), 2, rows.data(), grads.data(), 0.1f}, 0, 1);
  EXPECT_FLOAT_EQ(accumulator[3], 4.25f);
  EXPECT_FLOAT_EQ(adagrad[3], 4.0f + 0.1f * 2.0f / std::sqrt(4.25f));
  // Without bias correction the first step is about 3.16 lr.
  scalar().lazy_adam_rows({lazy.data(), m.data(), v.data(), 2, rows.data(), grads.data(), {0.1f, 1}}, 0, 1);
  EXPECT_NEAR(lazy[2], 3.0f - 0.316228f, 1e-5);
  for (const auto* table : {&sgd, &adagrad, &lazy}) EXPECT_EQ((*table)[0], 1.0f);
}

}  // namespace
}  // namespace rec::kernels
