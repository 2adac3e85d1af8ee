#include <cmath>
#include <functional>

#include "tests/unit/kernels_fixture.h"

namespace rec::kernels {
namespace {

struct Graph {
  int64_t n_rows = 23, n_columns = 40;
  std::vector<int64_t> offsets = random_offsets(n_rows, 30, 1);
  std::vector<int32_t> columns = random_rows(offsets.back(), n_columns, 2);
  std::vector<float> row_scale = random_floats(n_rows, 3), column_scale = random_floats(n_columns, 4);
  std::vector<float> weights = random_floats(offsets.back(), 5);
};

struct PropagationCase {
  const char* name;
  bool row_scale, column_scale, addend, row_list;
};
constexpr PropagationCase kPropagationCases[] = {
    {"plain", false, false, false, false},    {"both scales", true, true, false, false},
    {"addend", true, true, true, false},      {"addend without scales", false, false, true, false},
    {"listed rows", false, true, true, true},
};

std::vector<float> propagate(const KernelTable& level, const Graph& graph, const PropagationCase& c, int64_t d) {
  const auto x = random_floats(graph.n_columns * d, 6), addend = random_floats(graph.n_rows * d, 7);
  const std::vector<int32_t> listed{4, 0, 22, 9};
  std::vector<float> y(at(graph.n_rows * d), -7.0f);
  Propagation p;
  p.offsets = graph.offsets.data();
  p.columns = graph.columns.data();
  p.row_scale = c.row_scale ? graph.row_scale.data() : nullptr;
  p.column_scale = c.column_scale ? graph.column_scale.data() : nullptr;
  p.x = x.data();
  p.addend = c.addend ? addend.data() : nullptr;
  p.addend_scale = 0.3f;
  p.y = y.data();
  p.d = d;
  p.row_list = c.row_list ? listed.data() : nullptr;
  const int64_t n = c.row_list ? 4 : graph.n_rows;
  level.propagate_rows(p, 0, n / 3);
  level.propagate_rows(p, n / 3, n);
  return y;
}

TEST(PropagateRows, EveryLevelGivesTheScalarBits) {
  const Graph graph;
  for (const KernelTable* level : vector_levels())
    for (const auto& c : kPropagationCases)
      for (int64_t d : kAwkwardSizes) {
        SCOPED_TRACE(testing::Message() << level->name << ", " << c.name << ", d = " << d);
        expect_same_bits(propagate(*level, graph, c, d), propagate(scalar(), graph, c, d));
      }
}

TEST(PropagateRows, IsTheWrittenDownSum) {
  const Graph graph;
  const int64_t d = 17;
  const auto x = random_floats(graph.n_columns * d, 6), addend = random_floats(graph.n_rows * d, 7);
  const auto y = propagate(scalar(), graph, kPropagationCases[2], d);
  const auto listed = propagate(scalar(), graph, kPropagationCases[4], d);
  for (int64_t r = 0; r < graph.n_rows; ++r)
    for (int64_t j = 0; j < d; ++j) {
      double sum = 0, size = 0;
      for (int64_t e = graph.offsets[at(r)]; e < graph.offsets[at(r + 1)]; ++e) {
        const int64_t c = graph.columns[at(e)];
        const double term = static_cast<double>(graph.column_scale[at(c)]) * x[at(c * d + j)];
        sum += term;
        size += std::abs(term);
      }
      const double scale = graph.row_scale[at(r)], plus = 0.3f * static_cast<double>(addend[at(r * d + j)]);
      const double bound = 1e-6 * (1 + size * std::abs(scale) + std::abs(plus));
      ASSERT_NEAR(y[at(r * d + j)], scale * sum + plus, bound);
      const bool is_listed = r == 4 || r == 0 || r == 22 || r == 9;
      ASSERT_NEAR(listed[at(r * d + j)], is_listed ? sum + plus : -7, 1e-6 * (1 + size + std::abs(plus)));
    }
}

std::vector<float> weighted(const KernelTable& level, const Graph& graph, int64_t d, bool accumulate, bool scattered) {
  const auto x = random_floats(graph.n_columns * d, 8);
  auto y = random_floats(graph.n_rows * d, 9);
  std::vector<int32_t> rows;
  for (int64_t r = 0; r < graph.n_rows; ++r) rows.push_back(static_cast<int32_t>(graph.n_rows - 1 - r));
  WeightedRows w;
  w.offsets = graph.offsets.data();
  w.columns = graph.columns.data();
  w.weights = graph.weights.data();
  w.x = x.data();
  w.y = y.data();
  w.d = d;
  w.rows = scattered ? rows.data() : nullptr;
  w.accumulate = accumulate;
  level.weighted_rows(w, 0, graph.n_rows);
  return y;
}

TEST(WeightedRows, EveryLevelGivesTheScalarBits) {
  const Graph graph;
  for (const KernelTable* level : vector_levels())
    for (int64_t d : kAwkwardSizes)
      for (bool flag : {false, true}) {
        SCOPED_TRACE(testing::Message() << level->name << ", d = " << d << ", accumulate " << flag);
        expect_same_bits(weighted(*level, graph, d, flag, !flag), weighted(scalar(), graph, d, flag, !flag));
      }
}

TEST(WeightedRows, IsOneChainInTheOrderGiven) {
  const Graph graph;
  const int64_t d = 9;
  const auto x = random_floats(graph.n_columns * d, 8), before = random_floats(graph.n_rows * d, 9);
  for (bool accumulate : {false, true})
    for (bool scattered : {false, true}) {
      std::vector<float> expected = before;
      for (int64_t r = 0; r < graph.n_rows; ++r)
        for (int64_t j = 0; j < d; ++j) {
          float& y = expected[at((scattered ? graph.n_rows - 1 - r : r) * d + j)];
          if (!accumulate) y = 0;
          for (int64_t e = graph.offsets[at(r)]; e < graph.offsets[at(r + 1)]; ++e)
            y = std::fma(graph.weights[at(e)], x[at(graph.columns[at(e)] * d + j)], y);
        }
      expect_same_bits(weighted(scalar(), graph, d, accumulate, scattered), expected);
    }
}

float chain(const float* u, const float* v, int64_t d) {
  float acc = 0;
  for (int64_t k = 0; k < d; ++k) acc = std::fma(u[k], v[k], acc);
  return acc;
}

TEST(PairScores, AreChainsAtEveryLevel) {
  for (int64_t d : kAwkwardSizes)
    for (int64_t c : {1, 2, 5, 33}) {
      const int64_t b = 13;
      const auto user_table = random_floats(20 * d, 10), item_table = random_floats(50 * d, 11);
      const auto users = random_rows(b, 20, 12), items = random_rows(b * c, 50, 13);
      std::vector<float> expected;
      for (int64_t i = 0; i < b * c; ++i)
        expected.push_back(chain(&user_table[at(users[at(i / c)] * d)], &item_table[at(items[at(i)] * d)], d));
      for (const KernelTable* level : all_levels()) {
        SCOPED_TRACE(testing::Message() << level->name << ", d = " << d << ", c = " << c);
        std::vector<float> scores(at(b * c));
        const PairScores p{users.data(), items.data(), user_table.data(), item_table.data(), scores.data(), c, d};
        level->pair_scores(p, 0, 6);
        level->pair_scores(p, 6, b);
        expect_same_bits(scores, expected);
      }
    }
}

TEST(ScoreTiles, AreChainsAtEveryLevel) {
  for (int64_t d : kAwkwardSizes)
    for (int64_t n : {1, 15, 16, 17, 1000})
      for (int64_t n_queries : {1, 5, 29}) {
        if (n == 1000 && n_queries == 29 && d % 8 != 1) continue;
        const auto items = random_floats(n * d, 14), queries = random_floats(n_queries * d, 15);
        const auto tiles = tiled(items, n, d);
        const int64_t first = n > 100 ? 2 : 0, stride = (tile_count(n) - first) * kTileItems + 3;
        for (const KernelTable* level : all_levels()) {
          SCOPED_TRACE(testing::Message() << level->name << ", d = " << d << ", n = " << n << ", q = " << n_queries);
          std::vector<float> scores(at(n_queries * stride), -9.0f);
          level->score_tiles({queries.data(), n_queries, tiles.data(), d, scores.data(), stride}, first, tile_count(n));
          for (int64_t q = 0; q < n_queries; ++q)
            for (int64_t j = 0; j < stride; ++j) {
              const int64_t i = first * kTileItems + j;
              const float expected = i < n                            ? chain(&queries[at(q * d)], &items[at(i * d)], d)
                                     : i < tile_count(n) * kTileItems ? 0.0f
                                                                      : -9.0f;
              ASSERT_EQ(scores[at(q * stride + j)], expected) << "query " << q << ", item " << i;
            }
        }
      }
}

// Distance in units of the last place of the exact value.
double ulps(float actual, double exact) {
  if (std::isnan(exact)) return std::isnan(actual) ? 0 : 1e9;
  const float rounded = static_cast<float>(exact);
  if (actual == rounded) return 0;
  if (std::isinf(rounded) || std::isinf(actual)) return 1e9;
  int exponent;
  std::frexp(exact, &exponent);
  return std::abs(actual - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct FunctionCase {
  const char* name;
  void (*KernelTable::*function)(const float*, float*, int64_t);
  double (*exact)(double);
  float low, high;
};

TEST(Math, IsWithinTwoUlpAndTheSameAtEveryLevel) {
  const FunctionCase cases[] = {
      {"exp", &KernelTable::exp, [](double x) { return std::exp(x); }, -110, 95},
      {"log", &KernelTable::log, [](double x) { return std::log(x); }, 0, 4},
      {"log, large", &KernelTable::log, [](double x) { return std::log(x); }, 0, 3e38f},
      {"log, subnormal", &KernelTable::log, [](double x) { return std::log(x); }, 0, 1e-37f},
      {"log1p", &KernelTable::log1p, [](double x) { return std::log1p(x); }, 0, 1},
      {"log1p, small", &KernelTable::log1p, [](double x) { return std::log1p(x); }, -1e-4f, 1e-4f},
      {"log1p, wide", &KernelTable::log1p, [](double x) { return std::log1p(x); }, -1, 1e20f},
  };
  const int64_t n = 200001;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<float> x{0.0f,          -0.0f,      kInf,           -kInf, kNan,       1e-45f,    1.17549435e-38f,
                         3.4028235e38f, -1.0f,      -2.0f,          1.0f,  88.722839f, 88.72285f, -103.972f,
                         -103.9721f,    -87.33655f, -3.4028235e38f, 1e-10f};
    for (int64_t i = 0; i < n; ++i)
      x.push_back(c.low + (c.high - c.low) * static_cast<float>(i) / static_cast<float>(n - 1));
    std::vector<float> expected(x.size());
    (scalar().*c.function)(x.data(), expected.data(), std::ssize(x));
    for (size_t i = 0; i < x.size(); ++i) ASSERT_LE(ulps(expected[i], c.exact(x[i])), 2) << "at " << x[i];
    for (const KernelTable* level : vector_levels()) {
      std::vector<float> y(x.size());
      (level->*c.function)(x.data(), y.data(), std::ssize(x));
      expect_same_bits(y, expected);
    }
  }
}

TEST(RankUpdate, IsOneChainPerElementAtEveryLevel) {
  for (int64_t m : {1, 7, 8, 19})
    for (int64_t n : {1, 7, 8, 23, 24, 25, 50})
      for (int64_t k : {1, 5, 64, 70}) {
        Rng rng(16, RngStream::kInit);
        const int64_t lda = k + 2, ldb = n + 1, ldc = n + 3;
        std::vector<double> a(at(m * lda)), b(at(k * ldb)), before(at(m * ldc));
        for (auto* matrix : {&a, &b, &before})
          for (double& x : *matrix) x = rng.next_double() - 0.5;
        std::vector<double> expected = before;
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j)
            for (int64_t p = 0; p < k; ++p)
              expected[at(i * ldc + j)] = std::fma(-a[at(i * lda + p)], b[at(p * ldb + j)], expected[at(i * ldc + j)]);
        for (const KernelTable* level : all_levels()) {
          SCOPED_TRACE(testing::Message() << level->name << ' ' << m << ' ' << n << ' ' << k);
          std::vector<double> c = before;
          const RankUpdate u{c.data(), ldc, a.data(), lda, b.data(), ldb, n, k};
          level->rank_update_f64(u, 0, m / 2);
          level->rank_update_f64(u, m / 2, m);
          expect_same_bits(c, expected);
        }
      }
}

TEST(Product, IsOneChainPerElementAtEveryLevel) {
  for (int64_t m : {1, 5, 13, 29})
    for (int64_t n : {1, 16, 23, 50, 64})
      for (int64_t k : {1, 7, 600})  // 600: several panels
        for (bool transposed : {false, true}) {
          const int64_t ldb = n + 1, ldc = n + 3;
          const auto a = random_floats(m * k, 17), b = random_floats(k * ldb, 18), before = random_floats(m * ldc, 19);
          for (bool accumulate : {false, true}) {
            std::vector<float> expected = before;
            for (int64_t i = 0; i < m; ++i)
              for (int64_t j = 0; j < n; ++j) {
                float chain = accumulate ? before[at(i * ldc + j)] : 0;
                for (int64_t p = 0; p < k; ++p)
                  chain = std::fma(a[at(transposed ? p * m + i : i * k + p)], b[at(p * ldb + j)], chain);
                expected[at(i * ldc + j)] = chain;
              }
            for (const KernelTable* level : all_levels()) {
              SCOPED_TRACE(testing::Message() << level->name << ' ' << m << ' ' << n << ' ' << k);
              std::vector<float> c = before;
              const Product job{a.data(), transposed ? 1 : k, transposed ? m : 1, b.data(), ldb, c.data(), ldc, n,
                                k,        accumulate};
              level->product(job, 0, m / 2);
              level->product(job, m / 2, m);
              expect_same_bits(c, expected);
            }
          }
        }
}

TEST(Levels, BestIsTheHighestThatTheMachineHas) {
  const auto levels = vector_levels();
  EXPECT_EQ(&fastest(), levels.empty() ? &scalar() : levels.back());
}

TEST(PhiloxFloats, AreThoseThatAnRngGivesOneByOne) {
  for (const KernelTable* level : all_levels())
    for (int64_t n : {0, 64, 128, 640}) {
      SCOPED_TRACE(testing::Message() << level->name << ", " << n);
      Rng rng(uint64_t{5} << 33 | 7, RngStream::kDropout, 2, int64_t{9} << 40);
      const auto& c = rng.counter();
      const PhiloxFloats blocks{{c[0], c[1], c[2], c[3]}, {rng.key()[0], rng.key()[1]}};
      std::vector<float> floats(at(n));
      level->philox_floats(blocks, floats.data(), n);
      for (float x : floats) ASSERT_EQ(x, rng.next_float());
    }
}

TEST(Transpose, PutsEachElementInItsPlace) {
  for (const KernelTable* level : all_levels())
    for (int64_t rows : kAwkwardSizes)
      for (int64_t columns : {1, 7, 8, 33}) {
        SCOPED_TRACE(testing::Message() << level->name << ", " << rows << " x " << columns);
        const auto a = random_floats(rows * columns, 3);
        std::vector<float> turned(a.size(), kNan);
        level->transpose(a.data(), rows, columns, turned.data());
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t j = 0; j < columns; ++j) ASSERT_EQ(turned[at(j * rows + i)], a[at(i * columns + j)]);
      }
}

}  // namespace
}  // namespace rec::kernels
