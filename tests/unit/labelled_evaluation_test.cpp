// List and label rows against slow definitions over all scores.
#include <algorithm>
#include <cmath>

#include "core/base/rng.h"
#include "core/data/impressions.h"
#include "core/evaluation/evaluation.h"
#include "tests/unit/data_checks.h"

namespace rec {
namespace {

constexpr int64_t kUsers = 90, kItems = 40, kWidth = 4;

// Labelled rows in lists, and a model of two tables of small whole numbers, so that scores tie.
struct World {
  std::vector<int64_t> users, items, lists;
  std::vector<float> labels;
  std::vector<int32_t> parts;
  Dataset data;
  std::shared_ptr<Model> model = std::make_shared<Model>();
  Buffer<float> user_table = Buffer<float>(kUsers * kWidth), item_table = Buffer<float>(kItems * kWidth);

  void add(int64_t user, int64_t item, float label, int64_t list, int32_t part) {
    users.push_back(user);
    items.push_back(item);
    labels.push_back(label);
    lists.push_back(list);
    parts.push_back(part);
  }
  Dataset dataset() const {
    return dataset_of(users, items, parts, [&](rec_columns_t& columns) {
      columns.labels = labels.data();
      columns.n_labels = std::ssize(labels);
      columns.impressions = lists.data();
      columns.n_impressions = std::ssize(lists);
    });
  }
  explicit World(uint64_t seed) {
    Rng rng(seed, RngStream::kInit);
    for (int64_t i = 0; i < std::max(kItems, kUsers); ++i) add(i % kUsers, i % kItems, 1, 0, REC_PART_TRAIN);
    for (int64_t u = 0; u < kUsers; ++u)
      for (int64_t list = 1; list < 4; ++list)
        for (uint32_t n = 1 + rng.next_below(9); n > 0; --n)
          add(u, rng.next_below(kItems), rng.next_below(3) == 0 ? 1.f : 0.f, list, REC_PART_TEST);
    data = dataset();
    for (float& x : user_table) x = static_cast<float>(rng.next_below(3)) - 1;
    for (float& x : item_table) x = static_cast<float>(rng.next_below(3)) - 1;
    model->name = "random";
    model->catalog = make_catalog(data, build_interactions(data, true, false, false));
    model->user_table = borrow_tensor("u", {kUsers, kWidth}, user_table.data());
    model->item_table = borrow_tensor("i", {kItems, kWidth}, item_table.data());
  }

  double score(int64_t u, int64_t i) const {
    double sum = 0;
    for (int64_t k = 0; k < kWidth; ++k) sum += user_table[u * kWidth + k] * item_table[i * kWidth + k];
    return sum;
  }
  Report evaluate(const Dataset& rows, Protocol protocol, const std::string& metrics, int threads = 2) const {
    return rec::evaluate(model, rows, protocol, parse_metrics(metrics), threads, nullptr);
  }
};

Protocol rows_of_kind(int32_t rows) {
  Protocol protocol;
  protocol.rows = rows;
  return protocol;
}

TEST(ListRows, AreRankedAsTheSlowDefinitionDoes) {
  for (uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    const World world(seed);
    Protocol protocol = rows_of_kind(REC_ROWS_LIST);
    protocol.max_pos = 2;
    protocol.max_neg = 3;
    constexpr int64_t kCutoff = 3;
    const Report report = world.evaluate(world.data, protocol, "rechorus.hr@3,rechorus.ndcg@3,rechorus.map@3");
    EXPECT_EQ(report.names[1], "rechorus.ndcg@3[list2+3]");
    double hr = 0, ndcg = 0, map = 0;
    int64_t n = 0;
    for (int64_t u = 0; u < kUsers; ++u)
      for (int64_t list = 1; list < 4; ++list) {
        std::vector<int64_t> sides[2];  // shown, clicked: each item once, in order
        for (size_t i = 0; i < world.users.size(); ++i) {
          if (world.users[i] != u || world.lists[i] != list || world.parts[i] != REC_PART_TEST) continue;
          auto& side = sides[world.labels[i] > 0];
          if (std::find(side.begin(), side.end(), world.items[i]) == side.end()) side.push_back(world.items[i]);
        }
        if (sides[0].empty() || sides[1].empty()) continue;
        sides[1].resize(std::min<size_t>(sides[1].size(), 2));
        sides[0].resize(std::min<size_t>(sides[0].size(), 3));
        std::vector<std::pair<double, int>> ranked;  // (-score, clicked): shown items first on ties
        for (int clicked : {0, 1})
          for (int64_t item : sides[clicked]) ranked.push_back({-world.score(u, item), clicked});
        std::sort(ranked.begin(), ranked.end());
        double hits = 0, gain = 0, ideal = 0, precisions = 0;
        for (size_t j = 0; j < std::min<size_t>(kCutoff, ranked.size()); ++j) {
          if (ranked[j].second == 0) continue;
          hits += 1;
          gain += 1 / std::log2(static_cast<double>(j) + 2);
          precisions += hits / static_cast<double>(j + 1);
        }
        for (size_t j = 0; j < sides[1].size(); ++j) ideal += 1 / std::log2(static_cast<double>(j) + 2);
        hr += hits > 0;
        ndcg += gain / ideal;
        map += precisions / static_cast<double>(sides[1].size());
        ++n;
      }
    ASSERT_EQ(std::ssize(report.users), n);
    EXPECT_NEAR(report.means[0], hr / static_cast<double>(n), 1e-12);
    EXPECT_NEAR(report.means[1], ndcg / static_cast<double>(n), 1e-12);
    EXPECT_NEAR(report.means[2], map / static_cast<double>(n), 1e-12);
  }
}

TEST(ListRows, OfAnUnknownUserAreMissesAndUnknownItemsComeLast) {
  const World world(4);
  World other(4);
  for (auto* column : {&other.users, &other.items, &other.lists}) column->clear();
  other.labels.clear(), other.parts.clear();
  for (const auto& [user, clicked, shown] : {std::tuple{1000, 0, 1}, std::tuple{1, 777, 0}, std::tuple{1, 3, 778}}) {
    other.add(user, clicked, 1, clicked, REC_PART_TEST);
    other.add(user, shown, 0, clicked, REC_PART_TEST);
  }
  const Report report = world.evaluate(other.dataset(), rows_of_kind(REC_ROWS_LIST), "rechorus.hr@1,rechorus.hr@2");
  EXPECT_EQ(report.values, (std::vector<double>{0, 0, 1, 0, 1, 1}));
  EXPECT_EQ(report.users, (std::vector<int64_t>{-1, 1, 1}));
}

TEST(LabelRows, GiveMeansAndRowValuesOfTheSlowDefinition) {
  const World world(5);
  const Report report = world.evaluate(world.data, rows_of_kind(REC_ROWS_LABEL),
                                       "auc,rechorus.log_loss,mae,rmse,rechorus.acc,rechorus.f1_score");
  double order = 0, pairs = 0, loss = 0, error = 0, square = 0, right = 0, hits = 0, found = 0, wanted = 0, n = 0;
  std::vector<std::pair<double, float>> rows;
  for (size_t i = 0; i < world.users.size(); ++i)
    if (world.parts[i] == REC_PART_TEST) rows.push_back({world.score(world.users[i], world.items[i]), world.labels[i]});
  ASSERT_EQ(report.users.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& [s, y] = rows[i];
    for (const auto& [t, z] : rows)
      if (y > z) order += s > t ? 1 : s == t ? 0.5 : 0, pairs += 1;
    const double p = 1 / (1 + std::exp(-s));
    loss -= y > 0 ? std::log(p) : std::log(1 - p);
    error += std::abs(p - y);
    square += (p - y) * (p - y);
    right += (p > 0.5) == (y > 0);
    hits += p > 0.5 && y > 0;
    found += p > 0.5;
    wanted += y > 0;
    n += 1;
    EXPECT_NEAR(report.values[2 * rows.size() + i], std::abs(p - y), 1e-7);
    EXPECT_TRUE(std::isnan(report.values[i])) << "auc has no value of a row";
  }
  const std::vector<double> expected{order / pairs,         loss / n,  error / n,
                                     std::sqrt(square / n), right / n, 2 * hits / (found + wanted)};
  for (size_t m = 0; m < expected.size(); ++m) EXPECT_NEAR(report.means[m], expected[m], 1e-6) << report.names[m];
}

// As in training; so the test part does not help to choose an epoch.
TEST(LabelledRows, LookAtClicksOfEarlierTimesInTheirPartAndThoseBefore) {
  // Items 0 .. 5 are train, valid at the same time, test, valid, valid but only shown, and the row itself.
  const std::vector<int64_t> users(6, 7), items{0, 1, 2, 3, 4, 5}, times{1, 9, 2, 3, 4, 9}, lists{1, 9, 2, 3, 4, 9};
  const std::vector<float> labels{1, 1, 1, 1, 0, 0};
  const std::vector<int32_t> parts{REC_PART_TRAIN, REC_PART_VALID, REC_PART_TEST,
                                   REC_PART_VALID, REC_PART_VALID, REC_PART_VALID};
  const Dataset data = dataset_of(users, items, parts, [&](rec_columns_t& columns) {
    columns.times = times.data();
    columns.n_times = std::ssize(times);
    columns.labels = labels.data();
    columns.n_labels = std::ssize(labels);
    columns.impressions = lists.data();
    columns.n_impressions = std::ssize(lists);
  });
  auto model = std::make_shared<Model>();
  model->name = "weights";
  model->catalog = make_catalog(data, build_interactions(data, true, false, false));
  // Each item in the history adds its own power of two to the score of item 5.
  model->weight_offsets = own_tensor("o", {7}, Buffer<int64_t>(std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  model->weight_columns = own_tensor("c", {6}, Buffer<int32_t>(std::vector<int32_t>(6, 5)));
  model->weight_values = own_tensor("v", {6}, Buffer<float>(std::vector<float>{1, 2, 4, 8, 16, 32}));
  Protocol protocol = rows_of_kind(REC_ROWS_LABEL);
  protocol.part = Part::kValid;
  const Report report = evaluate(model, data, protocol, parse_metrics("mae"), 1, nullptr);
  EXPECT_NEAR(report.values.back(), 1 / (1 + std::exp(-9.0)), 1e-6) << "items 0 and 3";

  // Without the first click no history is left for the clicked row at 3, and what remains is of one class.
  Protocol of_test = rows_of_kind(REC_ROWS_LABEL);
  of_test.part = Part::kTest;
  const Dataset rest = dataset_of({7, 7}, {1, 2}, {REC_PART_TEST, REC_PART_TEST}, [&](rec_columns_t& columns) {
    columns.times = times.data() + 2;
    columns.n_times = 2;
    columns.labels = labels.data() + 3;
    columns.n_labels = 2;
  });
  const Report undefined = evaluate(model, rest, of_test, parse_metrics("auc"), 1, nullptr);
  EXPECT_TRUE(std::isnan(undefined.means[0]));
}

TEST(LabelRows, OfUnknownUsersOrItemsAreLeftOut) {
  const World world(6);
  World other(6);
  other.add(1000, 1, 1, 9, REC_PART_TEST);
  other.add(1, 1000, 0, 9, REC_PART_TEST);
  const Report all = world.evaluate(world.data, rows_of_kind(REC_ROWS_LABEL), "auc,mae");
  const Report more = world.evaluate(other.dataset(), rows_of_kind(REC_ROWS_LABEL), "auc,mae", 7);
  EXPECT_EQ(more.means, all.means);
  ASSERT_EQ(more.users.size(), all.users.size() + 2);
  EXPECT_TRUE(std::isnan(more.values.back()));
}

TEST(LabelledRows, AreNotMistakenForRankedOnes) {
  const World world(7);
  struct Case {
    const char* name;
    int32_t rows;
    const char *metrics, *use;
  };
  for (const Case& row : {Case{"auc of users", REC_ROWS_USER, "auc", "REC_ROWS_LABEL"},
                          Case{"auc of lists", REC_ROWS_LIST, "rechorus.auc", "REC_ROWS_LABEL"},
                          Case{"map of events", REC_ROWS_EVENT, "rechorus.map@5", "REC_ROWS_LIST"},
                          Case{"hr of users", REC_ROWS_USER, "rechorus.hr@5", "REC_ROWS_EVENT or REC_ROWS_LIST"},
                          Case{"ndcg of labels", REC_ROWS_LABEL, "ndcg@5", "REC_ROWS_USER or REC_ROWS_EVENT"},
                          Case{"mrr of lists", REC_ROWS_LIST, "gru4rec.mrr@5", "use rows = REC_ROWS_EVENT"}}) {
    SCOPED_TRACE(row.name);
    const Error error = error_of([&] { world.evaluate(world.data, rows_of_kind(row.rows), row.metrics); });
    EXPECT_EQ(error.status, REC_INVALID_ARGUMENT);
    EXPECT_NE(error.message.find(row.use), std::string::npos) << error.message;
  }
  Protocol sampled = rows_of_kind(REC_ROWS_LIST);
  sampled.candidates = REC_CANDIDATES_UNIFORM;
  EXPECT_EQ(error_of([&] { world.evaluate(world.data, sampled, "rechorus.hr@5"); }).argument, "candidates");

  World clicked(7);
  std::fill(clicked.labels.begin(), clicked.labels.end(), 1.f);
  EXPECT_EQ(error_of([&] { world.evaluate(clicked.dataset(), rows_of_kind(REC_ROWS_LABEL), "auc"); }).status,
            REC_INVALID_DATA);
  EXPECT_EQ(error_of([&] { world.evaluate(clicked.dataset(), rows_of_kind(REC_ROWS_LIST), "rechorus.hr@5"); }).status,
            REC_INVALID_DATA);
}

TEST(LabelledRows, OnlyClickedOnesAreLookedForByUsersAndEvents) {
  const World world(8);
  World clicked(8);  // the same without the rows that were only shown
  for (size_t i = clicked.users.size(); i-- > 0;) {
    if (clicked.labels[i] > 0) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    for (auto* column : {&clicked.users, &clicked.items, &clicked.lists}) column->erase(column->begin() + at);
    clicked.labels.erase(clicked.labels.begin() + at);
    clicked.parts.erase(clicked.parts.begin() + at);
  }
  for (const int32_t rows : {REC_ROWS_USER, REC_ROWS_EVENT})
    EXPECT_EQ(world.evaluate(world.data, rows_of_kind(rows), "recall@5,mrr@5").values,
              world.evaluate(clicked.dataset(), rows_of_kind(rows), "recall@5,mrr@5").values);
}

}  // namespace
}  // namespace rec
