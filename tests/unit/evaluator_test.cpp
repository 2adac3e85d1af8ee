// The evaluator against a slow definition over all scores.
#include "core/evaluation/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/rng.h"
#include "core/data/columns.h"

namespace rec {
namespace {

constexpr int64_t kUsers = 70, kItems = 45, kWidth = 5;

// Interactions with times and parts, and a model of two random tables; some scores tie.
struct World {
  Dataset data;
  std::shared_ptr<Model> model = std::make_shared<Model>();
  Buffer<float> users = Buffer<float>(kUsers * kWidth), items = Buffer<float>(kItems * kWidth);

  explicit World(uint64_t seed) {
    Rng rng(seed, RngStream::kInit);
    std::vector<int64_t> user_ids, item_ids, times;
    std::vector<int32_t> parts;
    for (int64_t i = 0; i < kItems; ++i) user_ids.push_back(0), item_ids.push_back(i), parts.push_back(REC_PART_TRAIN);
    for (int64_t u = 1; u < kUsers; ++u)
      for (uint32_t n = 3 + rng.next_below(12); n > 0; --n) {
        user_ids.push_back(u);
        item_ids.push_back(rng.next_below(kItems));
        parts.push_back(static_cast<int32_t>(rng.next_below(5) < 3 ? 0 : 1 + rng.next_below(2)));
      }
    for (size_t i = 0; i < user_ids.size(); ++i) times.push_back(rng.next_below(50));
    const rec_ids_t u{sizeof u, REC_ID_INT64, user_ids.data(), nullptr, nullptr, static_cast<int64_t>(user_ids.size())};
    const rec_ids_t v{sizeof v, REC_ID_INT64, item_ids.data(), nullptr, nullptr, static_cast<int64_t>(item_ids.size())};
    rec_columns_t columns{};
    columns.struct_size = sizeof columns;
    columns.users = &u;
    columns.items = &v;
    columns.times = times.data();
    columns.parts = parts.data();
    data = dataset_from_columns(columns);
    for (float& x : users) x = static_cast<float>(rng.next_below(3)) - 1;  // small whole numbers: ties
    for (float& x : items) x = static_cast<float>(rng.next_below(3)) - 1;
    model->name = "random";
    model->catalog = make_catalog(data, build_interactions(data, true, false, false));
    model->user_table = borrow_tensor("u", {kUsers, kWidth}, users.data());
    model->item_table = borrow_tensor("i", {kItems, kWidth}, items.data());
  }

  float score(int64_t u, int64_t i) const {
    float sum = 0;
    for (int64_t k = 0; k < kWidth; ++k) sum = std::fma(users[u * kWidth + k], items[i * kWidth + k], sum);
    return sum;
  }
  Report evaluate(const Protocol& protocol, const std::string& metrics, int threads = 2) const {
    const Evaluator evaluator(data, *model->catalog, protocol, parse_metrics(metrics));
    ThreadPool pool(threads);
    return evaluator.run(Ranker(model), pool, nullptr);
  }
};

// Ranked candidates of a user: score descending, then lower row; or every tie before the target.
std::vector<int64_t> ranked(const World& world, int64_t u, const std::set<int64_t>& candidates, int64_t target = -1) {
  std::vector<int64_t> list(candidates.begin(), candidates.end());
  std::sort(list.begin(), list.end(), [&](int64_t a, int64_t b) {
    const float x = world.score(u, a), y = world.score(u, b);
    if (x != y) return x > y;
    if (target >= 0 && (a == target) != (b == target)) return b == target;
    return a < b;
  });
  return list;
}

TEST(Evaluator, RanksUsersAsTheSlowDefinitionDoes) {
  for (uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const World world(seed);
    for (const Part part : {Part::kValid, Part::kTest})
      for (const int32_t mask : {REC_MASK_KNOWN, REC_MASK_NONE, REC_MASK_TRAIN}) {
        Protocol protocol;
        protocol.part = part;
        protocol.mask = mask;
        const Report report = world.evaluate(protocol, "recall@10,ndcg@10");
        double recall = 0, ndcg = 0;
        int64_t n = 0;
        for (int64_t u = 0; u < kUsers; ++u) {
          std::set<int64_t> positives, known, candidates;
          for (int64_t i = 0; i < world.data.n(); ++i) {
            if (world.data.user[i] != u) continue;
            const Part p = world.data.part[i];
            if (p == part) positives.insert(world.data.item[i]);
            const bool before =
                p == Part::kTrain || (p == Part::kValid && part == Part::kTest && mask == REC_MASK_KNOWN);
            if (before && mask != REC_MASK_NONE) known.insert(world.data.item[i]);
          }
          if (positives.empty()) continue;
          for (int64_t i = 0; i < kItems; ++i)
            if (known.count(i) == 0 || positives.count(i) > 0) candidates.insert(i);
          const auto list = ranked(world, u, candidates);
          double hits = 0, gain = 0, ideal = 0;
          for (size_t j = 0; j < std::min<size_t>(10, list.size()); ++j)
            if (positives.count(list[j]) > 0) hits += 1, gain += 1 / std::log2(static_cast<double>(j) + 2);
          for (size_t j = 0; j < std::min<size_t>(10, positives.size()); ++j)
            ideal += 1 / std::log2(static_cast<double>(j) + 2);
          recall += hits / static_cast<double>(positives.size());
          ndcg += gain / ideal;
          ++n;
        }
        ASSERT_EQ(static_cast<int64_t>(report.users.size()), n);
        EXPECT_NEAR(report.means[0], recall / static_cast<double>(n), 1e-12);
        EXPECT_NEAR(report.means[1], ndcg / static_cast<double>(n), 1e-12);
      }
  }
}

TEST(Evaluator, RanksEventsWithEveryTieAgainstTheTarget) {
  const World world(4);
  Protocol protocol;
  protocol.rows = REC_ROWS_EVENT;
  protocol.mask = REC_MASK_NONE;
  protocol.ties = REC_TIES_AGAINST_TARGET;
  const Report report = world.evaluate(protocol, "hit@5,rechorus.hr@5");
  double hits = 0;
  int64_t n = 0;
  std::set<int64_t> all;
  for (int64_t i = 0; i < kItems; ++i) all.insert(i);
  for (int64_t e = 0; e < world.data.n(); ++e) {
    if (world.data.part[e] != Part::kTest) continue;
    const int64_t u = world.data.user[e], target = world.data.item[e];
    const auto list = ranked(world, u, all, target);
    hits += std::find(list.begin(), list.begin() + 5, target) != list.begin() + 5;
    ++n;
  }
  ASSERT_EQ(static_cast<int64_t>(report.users.size()), n);
  EXPECT_NEAR(report.means[0], hits / static_cast<double>(n), 1e-12);
  EXPECT_NEAR(report.means[1], report.means[0], 1e-12) << "ReChorus's own rank says the same";
}

TEST(Evaluator, DrawsCandidatesOutsideEverythingTheUserHas) {
  const World world(5);
  Protocol protocol;
  protocol.rows = REC_ROWS_EVENT;
  protocol.mask = REC_MASK_NONE;
  protocol.candidates = REC_CANDIDATES_UNIFORM;
  protocol.n_candidates = 20;
  const Report first = world.evaluate(protocol, "recall@5,gauc");
  const Report again = world.evaluate(protocol, "recall@5,gauc", 7);
  EXPECT_EQ(first.names, (std::vector<std::string>{"recall@5[uni20]", "gauc[uni20]"}));
  for (size_t v = 0; v < first.values.size(); ++v)
    EXPECT_TRUE(first.values[v] == again.values[v] || (std::isnan(first.values[v]) && std::isnan(again.values[v])));
  protocol.seed = 9;
  EXPECT_NE(world.evaluate(protocol, "recall@5").values,
            std::vector<double>(first.values.begin(), first.values.begin() + static_cast<int64_t>(first.users.size())));
  // Chance level: random tables put the target among 21 as often as not.
  EXPECT_NEAR(first.means[0], 5.0 / 21, 0.12);
}

TEST(Evaluator, CountsWhatTheModelDoesNotKnowAsMisses) {
  const World world(6);
  // The same users and one item that only this data set has.
  const std::vector<int64_t> users{1, 2}, items{int64_t{100000}, 3};
  const std::vector<int32_t> parts{REC_PART_TEST, REC_PART_TEST};
  const rec_ids_t u{sizeof u, REC_ID_INT64, users.data(), nullptr, nullptr, 2},
      v{sizeof v, REC_ID_INT64, items.data(), nullptr, nullptr, 2};
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &u;
  columns.items = &v;
  columns.parts = parts.data();
  const Dataset other = dataset_from_columns(columns);
  const Evaluator evaluator(other, *world.model->catalog, Protocol{}, parse_metrics("recall@45"));
  ThreadPool pool(1);
  const Report report = evaluator.run(Ranker(world.model), pool, nullptr);
  EXPECT_EQ(report.values, (std::vector<double>{0, 1}));
}

TEST(Evaluator, RefusesWhatDoesNotGoTogether) {
  const World world(7);
  const auto status = [&](Protocol protocol, const char* metrics) {
    try {
      world.evaluate(protocol, metrics);
      return REC_OK;
    } catch (const Error& error) {
      return error.status;
    }
  };
  Protocol given, ties;
  given.candidates = REC_CANDIDATES_GIVEN;
  ties.ties = REC_TIES_AGAINST_TARGET;
  EXPECT_EQ(status(given, "recall@5"), REC_INVALID_ARGUMENT);
  EXPECT_EQ(status(ties, "recall@5"), REC_INVALID_ARGUMENT);
  EXPECT_EQ(status(Protocol{}, "rechorus.hr@5"), REC_INVALID_ARGUMENT);
  EXPECT_EQ(status(Protocol{}, "rmse"), REC_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace rec
