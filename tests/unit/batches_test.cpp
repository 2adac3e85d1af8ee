#include "core/training/batches.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace rec {
namespace {

struct World {
  Interactions train;
  Csr positives;
  std::unique_ptr<NegativeSampler> sampler;
  BatchPlan plan;

  World() {
    Dataset data;
    const int64_t n = 100;
    data.user = Buffer<int32_t>(n);
    data.item = Buffer<int32_t>(n);
    data.part = Buffer<Part>(n, Part::kTrain);
    Buffer<int64_t> users(10), items(30);
    for (int64_t u = 0; u < 10; ++u) users[u] = u;
    for (int64_t i = 0; i < 30; ++i) items[i] = i;
    data.users = IdMap::from_int64(std::move(users));
    data.items = IdMap::from_int64(std::move(items));
    for (int64_t e = 0; e < n; ++e) {
      data.user[e] = static_cast<int32_t>(e % 10);
      data.item[e] = static_cast<int32_t>((e * 7 + e / 30) % 30);
    }
    train = build_interactions(data, true, false, false);
    positives = distinct_rows(train.by_user);
    Buffer<int64_t> counts(30, 1);
    sampler =
        std::make_unique<NegativeSampler>(positives, counts.span(), NegativeOptions{NegativeKind::kUniform, 1, 5});
    plan.train = &train;
    plan.n_items = 30;
    plan.batch_size = 16;
    plan.n_negatives = 3;
    plan.sampler = sampler.get();
    plan.seed = 5;
    plan.columns = {REC_COLUMN_USER, REC_COLUMN_ITEM};
  }

  // (epoch, batch) -> users and items.
  std::map<std::pair<int64_t, int64_t>, std::vector<int32_t>> read(Cursor start, int64_t epochs) const {
    std::map<std::pair<int64_t, int64_t>, std::vector<int32_t>> out;
    const auto source = make_row_source(plan);
    BatchStream stream(*source, start, epochs);
    while (const Batch* batch = stream.next()) {
      auto& row = out[{batch->epoch, batch->index}];
      const auto* users = batch->column(REC_COLUMN_USER).data<int32_t>();
      const Column& item = batch->column(REC_COLUMN_ITEM);
      row.assign(users, users + batch->n_rows);
      row.insert(row.end(), item.data<int32_t>(), item.data<int32_t>() + batch->n_rows * item.extent(1));
    }
    return out;
  }
};

TEST(BatchStream, VisitsEachTrainingRowOnceAnEpochInAnotherOrder) {
  const World world;
  const auto source = make_row_source(world.plan);
  BatchStream stream(*source, {}, 2);
  std::vector<std::vector<std::pair<int32_t, int32_t>>> epochs(2);
  while (const Batch* batch = stream.next()) {
    EXPECT_EQ(batch->n_rows, batch->index < 6 ? 16 : 4);
    const auto* users = batch->column(REC_COLUMN_USER).data<int32_t>();
    const auto* items = batch->column(REC_COLUMN_ITEM).data<int32_t>();
    for (int64_t b = 0; b < batch->n_rows; ++b) {
      epochs[batch->epoch].emplace_back(users[b], items[b * 4]);
      for (int64_t k = 1; k < 4; ++k) EXPECT_FALSE(world.positives.row_contains(users[b], items[b * 4 + k]));
    }
  }
  EXPECT_NE(epochs[0], epochs[1]);
  std::multiset<std::pair<int32_t, int32_t>> want;
  for (int64_t e = 0; e < 100; ++e) want.emplace(world.train.entry_user[e], world.train.by_user.columns[e]);
  for (auto& epoch : epochs) EXPECT_EQ((std::multiset<std::pair<int32_t, int32_t>>(epoch.begin(), epoch.end())), want);
}

TEST(BatchStream, GivesTheSameBatchesFromAnyCursor) {
  const World world;
  const auto whole = world.read({}, 3);
  EXPECT_EQ(whole.size(), 21u);
  const auto rest = world.read({1, 4}, 3);
  EXPECT_EQ(rest.size(), 10u);
  for (const auto& [place, rows] : rest) EXPECT_EQ(rows, whole.at(place));
  EXPECT_EQ(world.read({2, 7}, 3).size(), 0u) << "an epoch whose batches are all done";
  EXPECT_EQ(world.read({1, 7}, 3).size(), 7u);
}

TEST(BatchStream, GivesItemsInOrderForAModelInClosedForm) {
  World world;
  world.plan.rows = REC_PLAN_ITEMS;
  world.plan.n_negatives = 0;
  world.plan.batch_size = 12;
  world.plan.columns = {REC_COLUMN_ITEM};
  const auto source = make_row_source(world.plan);
  BatchStream stream(*source, {}, 1);
  int32_t next = 0;
  while (const Batch* batch = stream.next())
    for (int64_t b = 0; b < batch->n_rows; ++b) EXPECT_EQ(batch->column(REC_COLUMN_ITEM).data<int32_t>()[b], next++);
  EXPECT_EQ(next, 30);
}

TEST(BatchStream, MayBeLeftInTheMiddle) {
  const World world;
  const auto source = make_row_source(world.plan);
  for (int round = 0; round < 20; ++round) {
    BatchStream stream(*source, {}, 1000000);
    stream.next();
  }
}

}  // namespace
}  // namespace rec
