// User and event rows against a slow definition over all scores.
#include "core/evaluation/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/base/log.h"
#include "core/base/rng.h"
#include "tests/unit/data_checks.h"

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
    data = dataset_of(user_ids, item_ids, parts, [&](rec_columns_t& columns) {
      columns.times = times.data();
      columns.n_times = std::ssize(times);
    });
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
    return rec::evaluate(model, data, protocol, parse_metrics(metrics), threads, nullptr);
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

TEST(Evaluation, RanksUsersAsTheSlowDefinitionDoes) {
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
        ASSERT_EQ(std::ssize(report.users), n);
        EXPECT_NEAR(report.means[0], recall / static_cast<double>(n), 1e-12);
        EXPECT_NEAR(report.means[1], ndcg / static_cast<double>(n), 1e-12);
      }
  }
}

// Parts and times are drawn independently here: masking depends on parts, not on times.
TEST(Evaluation, RanksEventsWithEveryTieAgainstTheTarget) {
  const World world(4);
  for (const Part part : {Part::kValid, Part::kTest})
    for (const int32_t mask : {REC_MASK_KNOWN, REC_MASK_NONE, REC_MASK_TRAIN}) {
      Protocol protocol;
      protocol.part = part;
      protocol.rows = REC_ROWS_EVENT;
      protocol.mask = mask;
      protocol.ties = REC_TIES_AGAINST_TARGET;
      const Report report = world.evaluate(protocol, "hit@5,rechorus.hr@5");
      double hits = 0;
      int64_t n = 0;
      for (int64_t e = 0; e < world.data.n(); ++e) {
        if (world.data.part[e] != part) continue;
        const int64_t u = world.data.user[e], target = world.data.item[e];
        std::set<int64_t> candidates;
        for (int64_t i = 0; i < kItems; ++i) candidates.insert(i);
        for (int64_t i = 0; i < world.data.n(); ++i) {
          const Part of = world.data.part[i];
          const bool known =
              of == Part::kTrain || (mask == REC_MASK_KNOWN && of == Part::kValid && part == Part::kTest);
          if (world.data.user[i] == u && known && mask != REC_MASK_NONE) candidates.erase(world.data.item[i]);
        }
        candidates.insert(target);
        const auto list = ranked(world, u, candidates, target);
        const auto end = list.begin() + std::min<int64_t>(5, std::ssize(list));
        hits += std::find(list.begin(), end, target) != end;
        ++n;
      }
      ASSERT_EQ(std::ssize(report.users), n);
      EXPECT_NEAR(report.means[0], hits / static_cast<double>(n), 1e-12);
      EXPECT_NEAR(report.means[1], report.means[0], 1e-12) << "ReChorus's own rank says the same";
    }
}

// Rows of (user, item, part), at times 0, 1, ...
Dataset small_data(const std::vector<std::array<int64_t, 3>>& rows) {
  std::vector<int64_t> user_ids, item_ids, times;
  std::vector<int32_t> parts;
  for (const auto& [user, item, part] : rows) {
    user_ids.push_back(user);
    item_ids.push_back(item);
    parts.push_back(static_cast<int32_t>(part));
    times.push_back(std::ssize(times));
  }
  return dataset_of(user_ids, item_ids, parts, [&](rec_columns_t& columns) {
      columns.times = times.data();
      columns.n_times = std::ssize(times);
    });
}

TEST(Evaluation, KeepsLaterPartsOutOfTheHistoryOfAnEvent) {
  const Dataset data =
      small_data({{1, 10, REC_PART_TEST}, {2, 10, 0}, {2, 11, 0}, {2, 12, 0}, {1, 13, 0}, {1, 11, REC_PART_VALID}});
  auto model = std::make_shared<Model>();
  model->name = "weights";
  model->catalog = make_catalog(data, build_interactions(data, true, false, false));
  // Users who had item 10 get item 12.
  model->weight_offsets = own_tensor("o", {5}, Buffer<int64_t>(std::vector<int64_t>{0, 1, 1, 1, 1}));
  model->weight_columns = own_tensor("c", {1}, Buffer<int32_t>(std::vector<int32_t>{2}));
  model->weight_values = own_tensor("v", {1}, Buffer<float>(std::vector<float>{1}));
  Protocol protocol;
  protocol.part = Part::kValid;
  protocol.rows = REC_ROWS_EVENT;
  EXPECT_EQ(evaluate(model, data, protocol, parse_metrics("hit@2"), 1, nullptr).values, std::vector<double>{1})
      << "item 11 is second among items without a score, and third behind item 12";
}

TEST(Evaluation, DoesNotTakeWhatComesLaterForTheHistoryOfAnEvent) {
  // User 1 has item 12 before item 10; users who had item 10 get item 12.
  const std::vector<int64_t> times{0, 5, 1, 2};
  const Dataset data = dataset_of({1, 1, 2, 2}, {12, 10, 10, 11}, {REC_PART_TEST, 0, 0, 0},
                                  [&](rec_columns_t& columns) {
      columns.times = times.data();
      columns.n_times = std::ssize(times);
    });
  auto model = std::make_shared<Model>();
  model->name = "weights";
  const auto catalog =
      std::const_pointer_cast<Catalog>(make_catalog(data, build_interactions(data, true, false, false)));
  model->catalog = catalog;
  model->weight_offsets = own_tensor("o", {4}, Buffer<int64_t>(std::vector<int64_t>{0, 0, 1, 1}));
  model->weight_columns = own_tensor("c", {1}, Buffer<int32_t>(std::vector<int32_t>{0}));
  model->weight_values = own_tensor("v", {1}, Buffer<float>(std::vector<float>{1}));
  const auto hits = [&](int32_t rows) {
    Protocol protocol;
    protocol.rows = rows;
    return evaluate(model, data, protocol, parse_metrics("hit@1000000"), 1, nullptr).values;
  };
  EXPECT_EQ(hits(REC_ROWS_EVENT), std::vector<double>{0}) << "nothing came before";
  EXPECT_EQ(hits(REC_ROWS_USER), std::vector<double>{1});
  catalog->has_user_data = false;
  EXPECT_EQ(hits(REC_ROWS_EVENT), std::vector<double>{0});
  EXPECT_EQ(hits(REC_ROWS_USER), std::vector<double>{1}) << "a model without histories gets those of the data";
}

// User 1 had item 10 in train, 11 in valid and 13 in test. Item 11 leads to item 13, item 10 to item 12.
TEST(Evaluation, TellsAModelOfAUserWhatTheProtocolAllows) {
  const Dataset data =
      small_data({{2, 10, 0}, {2, 12, 0}, {1, 10, 0}, {1, 11, REC_PART_VALID}, {1, 13, REC_PART_TEST}});
  auto model = std::make_shared<Model>();
  model->name = "weights";
  const auto catalog =
      std::const_pointer_cast<Catalog>(make_catalog(data, build_interactions(data, true, false, false)));
  model->catalog = catalog;
  model->weight_offsets = own_tensor("o", {5}, Buffer<int64_t>(std::vector<int64_t>{0, 1, 1, 2, 2}));
  model->weight_columns = own_tensor("c", {2}, Buffer<int32_t>(std::vector<int32_t>{1, 3}));
  model->weight_values = own_tensor("v", {2}, Buffer<float>(std::vector<float>{1, 2}));
  const struct {
    int32_t rows, history;
    double hit;
    const char* name;
  } cases[] = {
      {REC_ROWS_USER, REC_HISTORY_DEFAULT, 0, "hit@1"},
      {REC_ROWS_USER, REC_HISTORY_TRAINING, 0, "hit@1"},
      {REC_ROWS_USER, REC_HISTORY_BEFORE, 1, "hit@1[before]"},
      {REC_ROWS_EVENT, REC_HISTORY_DEFAULT, 1, "hit@1"},
      {REC_ROWS_EVENT, REC_HISTORY_TRAINING, 0, "hit@1[training]"},
      {REC_ROWS_EVENT, REC_HISTORY_BEFORE, 1, "hit@1"},
  };
  for (const bool has_user_data : {true, false})
    for (const auto& row : cases) {
      SCOPED_TRACE(testing::Message() << row.name << ", rows " << row.rows << ", user data " << has_user_data);
      catalog->has_user_data = has_user_data;
      Protocol protocol;
      protocol.rows = row.rows;
      protocol.history = row.history;
      protocol.mask = REC_MASK_TRAIN;
      const Report report = evaluate(model, data, protocol, parse_metrics("hit@1"), 1, nullptr);
      EXPECT_EQ(report.values, std::vector<double>{row.hit});
      EXPECT_EQ(report.names[0], row.name);
    }

  // With data of the test part only, the model uses what its file knows.
  const Dataset rest = small_data({{1, 12, REC_PART_TEST}});
  for (const bool has_user_data : {true, false}) {
    catalog->has_user_data = has_user_data;
    const Report report = evaluate(model, rest, Protocol{}, parse_metrics("hit@1"), 1, nullptr);
    EXPECT_EQ(report.values, std::vector<double>{has_user_data ? 1. : 0.});
  }
}

TEST(Evaluation, RanksGivenCandidatesAsTheyAre) {
  World world(8);
  // A user with one test event, a better item for them than its own, and one they had in train.
  int64_t event = -1, user = 0, target = 0, better = 0, seen = -1;
  for (int64_t e = 0; e < world.data.n() && seen < 0; ++e) {
    if (world.data.part[e] != Part::kTest) continue;
    event = e, user = world.data.user[e], target = world.data.item[e];
    int64_t n_test = 0;
    for (int64_t i = 0; i < kItems; ++i)
      if (world.score(user, i) > world.score(user, better)) better = i;
    for (int64_t i = 0; i < world.data.n(); ++i) {
      if (world.data.user[i] != user) continue;
      n_test += world.data.part[i] == Part::kTest;
      if (world.data.part[i] == Part::kTrain && world.score(user, world.data.item[i]) > world.score(user, target))
        seen = world.data.item[i];
    }
    if (n_test != 1 || world.score(user, better) <= world.score(user, target)) seen = -1;
  }
  ASSERT_GE(seen, 0);
  const auto rank = [&](std::vector<int32_t> items) {
    world.data.candidate_offsets = Buffer<int64_t>(world.data.n() + 1);
    for (int64_t e = event + 1; e <= world.data.n(); ++e) world.data.candidate_offsets[e] = std::ssize(items);
    world.data.candidates = Buffer<int32_t>(items);
    Protocol protocol;
    protocol.rows = REC_ROWS_EVENT;
    protocol.candidates = REC_CANDIDATES_GIVEN;
    const Report report = world.evaluate(protocol, "gru4rec.mrr@100");
    return std::lround(1 /
                       report.values[std::find(report.users.begin(), report.users.end(), user) - report.users.begin()]);
  };
  const auto b = static_cast<int32_t>(better);
  EXPECT_EQ(rank({b}), 2);
  EXPECT_EQ(rank({b, b, b}), 4) << "each time it is listed";
  EXPECT_EQ(rank({b, static_cast<int32_t>(target)}), 2) << "the target is no candidate against itself";
  EXPECT_EQ(rank({static_cast<int32_t>(seen)}), 2) << "what the user had already was put there on purpose";
}

// No candidate is left for a row whose target the model does not know and whose user has everything else.
TEST(Evaluation, RanksARowWithoutCandidates) {
  const World world(9);
  const std::vector<std::array<int64_t, 3>> rows = [] {
    std::vector<std::array<int64_t, 3>> all;
    for (int64_t i = 0; i < kItems; ++i) all.push_back({1, i, 0});
    all.push_back({1, 100000, REC_PART_TEST});
    all.push_back({2, 3, REC_PART_TEST});
    return all;
  }();
  Protocol protocol;
  protocol.candidates = REC_CANDIDATES_UNIFORM;
  const Dataset data = small_data(rows);
  EXPECT_EQ(evaluate(world.model, data, protocol, parse_metrics("recall@45"), 1, nullptr).values,
            (std::vector<double>{0, 1}));
}

TEST(Evaluation, WarnsWhenItKnowsNoUser) {
  const World world(9);
  static std::string said;
  said.clear();
  log::set_sink([](int32_t, const char* line, void*) { said += line; }, REC_LOG_WARNING, nullptr, nullptr);
  const auto evaluate_users = [&](int64_t user, const Protocol& protocol = Protocol()) {
    evaluate(world.model, small_data({{user, 1, 0}, {user, 3, REC_PART_TEST}}), protocol, parse_metrics("recall@5"), 1,
             nullptr);
    log::deliver();
  };
  evaluate_users(1);
  EXPECT_EQ(said, "");
  Protocol sessions;
  sessions.rows = REC_ROWS_EVENT;
  sessions.skip_first = true;
  evaluate_users(100000, sessions);
  EXPECT_EQ(said, "");
  evaluate_users(100000);
  log::set_sink(nullptr, 0, nullptr, nullptr);
  EXPECT_EQ(said.find("evaluation: the model knows none of the users of the 1 rows of the test part, such as '100000'"), 0u)
      << said;
}

TEST(Evaluation, WarnsOfRowsWithFewCandidates) {
  const World world(9);
  std::vector<std::array<int64_t, 3>> rows = {{2, 3, REC_PART_TEST}};
  for (int64_t i = 0; i + 7 < kItems; ++i) rows.push_back({1, i, 0});
  rows.push_back({1, kItems - 1, REC_PART_TEST});
  Protocol protocol;
  protocol.candidates = REC_CANDIDATES_UNIFORM;
  protocol.n_candidates = 7;
  static std::string said;
  said.clear();
  log::set_sink([](int32_t, const char* line, void*) { said += line; }, REC_LOG_WARNING, nullptr, nullptr);
  evaluate(world.model, small_data(rows), protocol, parse_metrics("recall@5"), 1, nullptr);
  log::deliver();
  log::set_sink(nullptr, 0, nullptr, nullptr);
  EXPECT_EQ(said.find("evaluation: 1 of 2 rows have fewer than 7 candidates"), 0u) << said;
}

TEST(Evaluation, StopsWhileItsRowsArePrepared) {
  const World world(10);
  Protocol protocol;
  protocol.candidates = REC_CANDIDATES_UNIFORM;
  CancelToken cancel;
  cancel.request();
  EXPECT_THROW(prepare_evaluation(world.data, *world.model->catalog, {}, protocol, parse_metrics("recall@5"), &cancel),
               Error);
}

TEST(Evaluation, DrawsCandidatesOutsideEverythingTheUserHas) {
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
            std::vector<double>(first.values.begin(), first.values.begin() + std::ssize(first.users)));
  // Chance level: random tables rank the target anywhere among the 21 candidates.
  EXPECT_NEAR(first.means[0], 5.0 / 21, 0.12);
}

TEST(Evaluation, CountsWhatTheModelDoesNotKnowAsMisses) {
  const World world(6);
  // The same users and one item that only this data set has.
  const Dataset other = dataset_of({1, 2}, {100000, 3}, {REC_PART_TEST, REC_PART_TEST}, [](rec_columns_t&) {});
  const Report report = evaluate(world.model, other, Protocol{}, parse_metrics("recall@45"), 1, nullptr);
  EXPECT_EQ(report.values, (std::vector<double>{0, 1}));
  Protocol events;
  events.rows = REC_ROWS_EVENT;
  const std::vector<double> values =
      evaluate(world.model, other, events, parse_metrics("rechorus.hr@100,gru4rec.mrr@100,hit@100"), 1, nullptr).values;
  for (size_t m = 0; m < 3; ++m) {
    EXPECT_EQ(values[2 * m], 0) << "a miss for any k";
    EXPECT_GT(values[2 * m + 1], 0);
  }
}

// Users are what varies: the rows of one are summed before they are squared.
TEST(Evaluation, TellsTheStandardErrorOfAMean) {
  const World world(11);
  for (const int32_t rows : {REC_ROWS_USER, REC_ROWS_EVENT}) {
    Protocol protocol;
    protocol.rows = rows;
    const Report report = world.evaluate(protocol, "recall@10,ndcg@10");
    const size_t n = report.users.size();
    for (size_t m = 0; m < 2; ++m) {
      std::map<int64_t, double> deviation;
      for (size_t row = 0; row < n; ++row) deviation[report.users[row]] += report.values[m * n + row] - report.means[m];
      double squares = 0;
      for (const auto& [user, d] : deviation) squares += d * d;
      const auto n_users = static_cast<double>(deviation.size());
      EXPECT_NEAR(report.standard_errors[m], std::sqrt(n_users / (n_users - 1) * squares) / static_cast<double>(n),
                  1e-12);
    }
  }
}

TEST(Evaluation, MeasuresTheSameSampleOfUsers) {
  const World world(12);
  Protocol all, sampled;
  sampled.n_users = 20;
  sampled.seed = 5;
  for (const int32_t rows : {REC_ROWS_USER, REC_ROWS_EVENT}) {
    all.rows = sampled.rows = rows;
    const Report whole = world.evaluate(all, "recall@10"), part = world.evaluate(sampled, "recall@10");
    EXPECT_EQ(part.names[0], "recall@10[users20]");
    EXPECT_EQ(part.users, world.evaluate(sampled, "recall@10", 1).users);
    const std::set<int64_t> users(part.users.begin(), part.users.end());
    EXPECT_EQ(users.size(), 20u);
    std::vector<double> values;  // of the whole evaluation, for these users
    for (size_t row = 0; row < whole.users.size(); ++row)
      if (users.count(whole.users[row]) > 0) values.push_back(whole.values[row]);
    EXPECT_EQ(part.values, values);
    Protocol other = sampled;
    other.seed = 6;
    EXPECT_NE(world.evaluate(other, "recall@10").users, part.users);
    Protocol more = sampled;
    more.n_users = 1000;
    EXPECT_EQ(world.evaluate(more, "recall@10").users, whole.users);
  }
}

TEST(Evaluation, LeavesOutFirstEvents) {
  const std::vector<int64_t> users{1, 1, 1, 2, 3, 3}, items{0, 1, 2, 0, 1, 0}, times{1, 2, 3, 1, 9, 4};
  const std::vector<int32_t> parts{REC_PART_TRAIN, REC_PART_TEST, REC_PART_TEST,
                                   REC_PART_TEST,  REC_PART_TEST, REC_PART_TEST};
  World world(13);
  world.data = dataset_of(users, items, parts, [&](rec_columns_t& columns) {
    columns.times = times.data();
    columns.n_times = std::ssize(times);
  });
  Protocol protocol;
  protocol.rows = REC_ROWS_EVENT;
  EXPECT_EQ(world.evaluate(protocol, "recall@10").users, (std::vector<int64_t>{1, 1, 2, 3, 3}));
  protocol.skip_first = true;
  const Report report = world.evaluate(protocol, "recall@10");
  EXPECT_EQ(report.users, (std::vector<int64_t>{1, 1, 3}));
  EXPECT_EQ(report.names[0], "recall@10[skip_first]");
}

// As in the GRU4Rec authors' evaluation; otherwise they are misses.
TEST(Evaluation, LeavesOutUnknownItemsWithFirstEvents) {
  World world(13);
  world.data = dataset_of({1, 1, 1, 1, 2, 2}, {1000, 3, 1001, 4, 1002, 5}, std::vector<int32_t>(6, REC_PART_TEST),
                          [](rec_columns_t&) {});
  Protocol protocol;
  protocol.rows = REC_ROWS_EVENT;
  EXPECT_EQ(world.evaluate(protocol, "recall@45").values, (std::vector<double>{0, 1, 0, 1, 0, 1}));
  protocol.skip_first = true;
  const Report report = world.evaluate(protocol, "recall@45");
  EXPECT_EQ(report.users, (std::vector<int64_t>{1}));
  EXPECT_EQ(report.values, (std::vector<double>{1}));
}

// A file of test rows alone: what the model was trained on is in its file.
TEST(Evaluation, MasksWhatTheModelFileHasOfAUserWithoutEarlierRows) {
  const World world(14);
  World alone(14);
  std::vector<int64_t> users, items;
  for (int64_t i = 0; i < world.data.n(); ++i) {
    if (world.data.part[i] != Part::kTest) continue;
    users.push_back(world.data.user[i]);
    items.push_back(world.data.item[i]);
  }
  alone.data = dataset_of(users, items, std::vector<int32_t>(users.size(), REC_PART_TEST), [](rec_columns_t&) {});
  for (const int32_t rows : {REC_ROWS_USER, REC_ROWS_EVENT})
    for (const int32_t mask : {REC_MASK_KNOWN, REC_MASK_TRAIN, REC_MASK_NONE}) {
      Protocol train, given;
      train.rows = given.rows = rows;
      train.mask = mask == REC_MASK_NONE ? REC_MASK_NONE : REC_MASK_TRAIN;
      given.mask = mask;
      const Report want = world.evaluate(train, "recall@10"), got = alone.evaluate(given, "recall@10");
      EXPECT_DOUBLE_EQ(got.means[0], want.means[0]) << rows << " " << mask;
    }
  Dataset elsewhere = dataset_of({1, 1}, {1000, 1001}, {REC_PART_TRAIN, REC_PART_TEST}, [](rec_columns_t&) {});
  EXPECT_THROW(rec::evaluate(world.model, elsewhere, Protocol{}, parse_metrics("recall@10"), 1, nullptr), Error);
}

TEST(Evaluation, RefusesWhatDoesNotGoTogether) {
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
  const Dataset elsewhere = dataset_of({1}, {1000}, {REC_PART_TEST}, [](rec_columns_t&) {});
  EXPECT_THROW(rec::evaluate(world.model, elsewhere, Protocol{}, parse_metrics("recall@5"), 1, nullptr), Error);
  Protocol skip, sample;
  skip.skip_first = true;
  EXPECT_EQ(status(skip, "recall@5"), REC_INVALID_ARGUMENT);
  sample.n_users = 5;
  sample.rows = REC_ROWS_LABEL;
  EXPECT_EQ(status(sample, "rmse"), REC_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace rec
