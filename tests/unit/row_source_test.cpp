#include <gtest/gtest.h>

#include "core/training/batches.h"
#include "tests/unit/golden.h"

namespace rec {
namespace {

// User and item ids equal their rows; a user's events are in time order.
Dataset dataset_of(const std::vector<std::array<int64_t, 3>>& rows, int64_t n_users, int64_t n_items) {
  Dataset data;
  const auto n = std::ssize(rows);
  data.user = Buffer<int32_t>(n);
  data.item = Buffer<int32_t>(n);
  data.time = Buffer<int64_t>(n);
  data.part = Buffer<Part>(n, Part::kTrain);
  Buffer<int64_t> users(n_users), items(n_items);
  for (int64_t u = 0; u < n_users; ++u) users[u] = u;
  for (int64_t i = 0; i < n_items; ++i) items[i] = i;
  data.users = IdMap::from_int64(std::move(users));
  data.items = IdMap::from_int64(std::move(items));
  for (int64_t e = 0; e < n; ++e) {
    data.user[e] = static_cast<int32_t>(rows[e][0]);
    data.item[e] = static_cast<int32_t>(rows[e][1]);
    data.time[e] = rows[e][2];
  }
  return data;
}

template <class T>
std::vector<T> values(const Batch& batch, int32_t column) {
  const Column& c = batch.column(column);
  const int64_t n = c.extent(0) * std::max<int64_t>(c.extent(1), 1);
  return {c.data<T>(), c.data<T>() + n};
}

TEST(InteractionRows, GiveWhatCameBeforeEachRowCutAndPadded) {
  const Dataset data = dataset_of({{0, 4, 10}, {0, 5, 20}, {0, 6, 30}, {0, 7, 40}, {1, 8, 5}, {1, 9, 6}}, 2, 10);
  const Interactions train = build_interactions(data, true, false, false);
  BatchPlan plan;
  plan.train = &train;
  plan.n_items = 10;
  plan.batch_size = 10;
  plan.history_max = 2;
  plan.min_history = 1;
  plan.columns = {REC_COLUMN_ITEM, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH, REC_COLUMN_HISTORY_TIME,
                  REC_COLUMN_TIME};
  const auto source = make_row_source(plan);
  ASSERT_EQ(source->batches_per_epoch(), 1);
  Batch batch;
  source->seek(0, 0);
  source->fill(batch);
  ASSERT_EQ(batch.n_rows, 4) << "the first row of each user has nothing before it";
  ASSERT_EQ(batch.column(REC_COLUMN_HISTORY).extent(1), 2);
  struct Row {
    std::vector<int32_t> history;
    std::vector<int64_t> times;
    int64_t time;
  };
  const std::map<int32_t, Row> want{
      {5, {{4, -1}, {10, 0}, 20}}, {6, {{4, 5}, {10, 20}, 30}}, {7, {{5, 6}, {20, 30}, 40}}, {9, {{8, -1}, {5, 0}, 6}}};
  const auto items = values<int32_t>(batch, REC_COLUMN_ITEM), histories = values<int32_t>(batch, REC_COLUMN_HISTORY),
             lengths = values<int32_t>(batch, REC_COLUMN_HISTORY_LENGTH);
  const auto times = values<int64_t>(batch, REC_COLUMN_HISTORY_TIME), now = values<int64_t>(batch, REC_COLUMN_TIME);
  for (size_t b = 0; b < 4; ++b) {
    const Row& row = want.at(items[b]);
    EXPECT_EQ(std::vector<int32_t>(histories.begin() + 2 * b, histories.begin() + 2 * b + 2), row.history);
    EXPECT_EQ(std::vector<int64_t>(times.begin() + 2 * b, times.begin() + 2 * b + 2), row.times);
    EXPECT_EQ(now[b], row.time);
    EXPECT_EQ(lengths[b], row.history[1] < 0 ? 1 : 2);
  }
}

TEST(InteractionRows, RefuseDataInWhichNoRowHasAHistory) {
  const Dataset data = dataset_of({{0, 0, 1}, {1, 1, 2}}, 2, 2);
  const Interactions train = build_interactions(data, true, false, false);
  BatchPlan plan;
  plan.train = &train;
  plan.min_history = 1;
  try {
    make_row_source(plan);
    FAIL() << "there is no row";
  } catch (const Error& error) {
    EXPECT_EQ(error.status, REC_INVALID_DATA);
  }
}

// The trace of the authors' code over a small file: five sessions, two slots.
class SessionTrace : public testing::Test {
 protected:
  SessionTrace() : trace_(golden_json("gru4rec_official_sampler.json")["session_parallel"]) {
    std::vector<std::array<int64_t, 3>> rows;
    for (const auto& row : trace_["rows"])
      rows.push_back({row[0], trace_["item_index"][std::to_string(row[1].get<int>())], row[2]});
    data_ = dataset_of(rows, 5, 10);
    train_ = build_interactions(data_, true, false, false);
    counts_ = Buffer<int64_t>(10, 1);
    seen_ = distinct_rows(train_.by_user);
    sampler_ =
        std::make_unique<NegativeSampler>(seen_, counts_.span(), NegativeOptions{NegativeKind::kPopularity, 0.5, 3});
    plan_.train = &train_;
    plan_.n_items = 10;
    plan_.rows = REC_PLAN_SESSIONS;
    plan_.batch_size = trace_["batch_size"];
    plan_.n_shared = 4;
    plan_.sampler = sampler_.get();
    plan_.columns = {REC_COLUMN_HISTORY, REC_COLUMN_ITEM, REC_COLUMN_SESSION_RESET, REC_COLUMN_SLOT_KEEP,
                     REC_COLUMN_SHARED_ITEM};
  }

  nlohmann::ordered_json trace_;
  Dataset data_;
  Interactions train_;
  Buffer<int64_t> counts_;
  Csr seen_;
  std::unique_ptr<NegativeSampler> sampler_;
  BatchPlan plan_;
};

TEST_F(SessionTrace, IsReproducedStepByStep) {
  const auto source = make_row_source(plan_);
  ASSERT_EQ(source->batches_per_epoch(), static_cast<int64_t>(trace_["steps_in_out"].size()));
  source->seek(0, 0);
  std::vector<int32_t> fresh{1, 1}, kept;
  for (size_t step = 0; step < trace_["steps_in_out"].size(); ++step) {
    SCOPED_TRACE(step);
    Batch batch;
    source->fill(batch);
    const auto& in_out = trace_["steps_in_out"][step];
    EXPECT_EQ(values<int32_t>(batch, REC_COLUMN_HISTORY), in_out[0].get<std::vector<int32_t>>());
    EXPECT_EQ(values<int32_t>(batch, REC_COLUMN_ITEM), in_out[1].get<std::vector<int32_t>>());
    EXPECT_EQ(values<int32_t>(batch, REC_COLUMN_SESSION_RESET), fresh);
    if (step > 0) {
      EXPECT_EQ(values<int32_t>(batch, REC_COLUMN_SLOT_KEEP), kept);
    }
    // What the trace says happened after this step.
    fresh.assign(batch.n_rows, 0);
    kept.assign(batch.n_rows, 1);
    for (const auto& reset : trace_["resets"]) {
      if (reset["after_step"] != step + 1) continue;
      std::vector<int32_t> next;
      for (size_t s = 0; s < kept.size(); ++s) {
        kept[s] = reset["valid_mask"][s].get<bool>() ? 1 : 0;
        if (kept[s] != 0) next.push_back(reset["finished_mask"][s].get<bool>() ? 1 : 0);
      }
      fresh = next;
    }
    fresh.resize(std::count(kept.begin(), kept.end(), 1));
  }
}

TEST_F(SessionTrace, GoesOnFromAnyStepWithTheSameSamples) {
  const auto whole = make_row_source(plan_), rest = make_row_source(plan_);
  whole->seek(1, 0);
  for (int64_t step = 0; step < whole->batches_per_epoch(); ++step) {
    Batch a, b;
    a.epoch = b.epoch = 1;
    a.index = b.index = step;
    whole->fill(a);
    rest->seek(1, step);
    rest->fill(b);
    for (int32_t id : plan_.columns) EXPECT_EQ(values<int32_t>(a, id), values<int32_t>(b, id)) << "column " << id;
    EXPECT_EQ(a.first_row, b.first_row);
  }
}

TEST_F(SessionTrace, NeedsTwoSessionsWithoutSamples) {
  plan_.n_shared = 0;
  const auto source = make_row_source(plan_);
  EXPECT_EQ(source->batches_per_epoch(), 4) << "the last session alone has no negative";
}

}  // namespace
}  // namespace rec
