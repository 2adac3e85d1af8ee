// Batches of impression lists and of labelled rows.
#include "core/training/labelled_rows.h"

#include <map>
#include <set>

#include "core/training/batches.h"
#include "tests/unit/data_checks.h"

namespace rec {
namespace {

// User u has lists 0 .. u % 3 with 1 + list clicked and 2 + u shown items; one more list is only shown, one is in test.
struct World {
  std::vector<int64_t> users, items, lists;
  std::vector<float> labels;
  std::vector<int32_t> parts;
  Dataset data;
  ImpressionLists train;
  Interactions clicked;
  BatchPlan plan;

  World() {
    const auto add = [&](int64_t user, int64_t item, float label, int64_t list, int32_t part) {
      users.push_back(user);
      items.push_back(item);
      labels.push_back(label);
      lists.push_back(list);
      parts.push_back(part);
    };
    for (int64_t u = 0; u < 7; ++u)
      for (int64_t list = 0; list <= u % 3; ++list) {
        for (int64_t n = 0; n < 1 + list; ++n) add(u, 10 * list + n, 1, list, REC_PART_TRAIN);
        for (int64_t n = 0; n < 2 + u; ++n) add(u, 100 + 10 * list + n, 0, list, REC_PART_TRAIN);
      }
    add(0, 1, 0, 9, REC_PART_TRAIN);
    add(0, 1, 1, 9, REC_PART_TEST);
    add(0, 2, 0, 9, REC_PART_TEST);
    data = dataset_of(users, items, parts, [&](rec_columns_t& columns) {
      columns.labels = labels.data();
      columns.n_labels = std::ssize(labels);
      columns.impressions = lists.data();
      columns.n_impressions = std::ssize(lists);
    });
    train = impression_lists(data, Part::kTrain);
    clicked = build_interactions(data, true, false, false);
    plan.train = &clicked;
    plan.data = &data;
    plan.lists = &train;
    plan.batch_size = 4;
    plan.max_pos = 2;
    plan.max_neg = 5;
    plan.seed = 3;
  }

  // Calls use(batch) for each batch of an epoch.
  template <class Use>
  void read(int64_t epoch, const Use& use) const {
    const auto source = make_row_source(plan);
    BatchStream stream(*source, {epoch, 0}, epoch + 1);
    while (const Batch* batch = stream.next()) use(*batch);
  }
  int64_t id(int32_t item) const { return data.items.int64_at(item); }
};

TEST(ListBatches, HaveEachListOnceCutAndPadded) {
  World world;
  world.plan.rows = REC_PLAN_LISTS;
  world.plan.columns = {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_IMPRESSION_MASK};
  std::vector<std::string> orders;
  for (int64_t epoch : {0, 0, 1}) {
    std::multiset<std::string> seen;
    std::string order;
    world.read(epoch, [&](const Batch& batch) {
      const Column &items = batch.column(REC_COLUMN_ITEM), &mask = batch.column(REC_COLUMN_IMPRESSION_MASK);
      ASSERT_EQ(items.extent(1), 7);
      ASSERT_EQ(mask.extent(1), 7);
      EXPECT_LE(batch.n_rows, 4);
      for (int64_t b = 0; b < batch.n_rows; ++b) {
        const int32_t* item = items.data<int32_t>() + 7 * b;
        const uint8_t* slot = mask.data<uint8_t>() + 7 * b;
        const int64_t user = world.data.users.int64_at(batch.column(REC_COLUMN_USER).data<int32_t>()[b]);
        const int64_t list = world.id(item[0]) / 10;
        for (int64_t c = 0; c < 7; ++c) {
          const bool positive_side = c < 2;
          const int64_t n = positive_side ? 1 + list : 2 + user, at = positive_side ? c : c - 2;
          EXPECT_EQ(slot[c], at >= n ? REC_SLOT_PADDING : positive_side ? REC_SLOT_POSITIVE : REC_SLOT_NEGATIVE);
          const int64_t wanted = 10 * list + (positive_side ? 0 : 100) + at;
          EXPECT_EQ(world.id(item[c]), at < n ? wanted : 10 * list) << "user " << user << " column " << c;
        }
        seen.insert(cat(user, ":", list));
        order += cat(user, ":", list, " ");
      }
    });
    std::multiset<std::string> wanted;
    for (int64_t u = 0; u < 7; ++u)
      for (int64_t list = 0; list <= u % 3; ++list) wanted.insert(cat(u, ":", list));
    EXPECT_EQ(seen, wanted);
    orders.push_back(order);
  }
  EXPECT_EQ(orders[0], orders[1]);
  EXPECT_NE(orders[0], orders[2]);
}

// Without times a row comes after the clicked rows before it in the data.
TEST(LabelledBatches, GiveWhatTheUserHadClickedBefore) {
  World world;
  world.plan.rows = REC_PLAN_LABELLED;
  world.plan.columns = {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH};
  world.plan.history_max = 2;
  std::multiset<std::string> seen, wanted;
  world.read(0, [&](const Batch& batch) {
    const int64_t T = batch.column(REC_COLUMN_HISTORY).extent(1);
    for (int64_t b = 0; b < batch.n_rows; ++b) {
      std::string row = cat(world.data.users.int64_at(batch.column(REC_COLUMN_USER).data<int32_t>()[b]), " ",
                            world.id(batch.column(REC_COLUMN_ITEM).data<int32_t>()[b]), ":");
      for (int32_t t = 0; t < batch.column(REC_COLUMN_HISTORY_LENGTH).data<int32_t>()[b]; ++t)
        row += cat(" ", world.id(batch.column(REC_COLUMN_HISTORY).data<int32_t>()[b * T + t]));
      seen.insert(row);
    }
  });
  for (size_t i = 0; i < world.users.size(); ++i) {
    if (world.parts[i] != REC_PART_TRAIN) continue;
    std::vector<int64_t> before;
    for (size_t j = 0; j < i; ++j)
      if (world.users[j] == world.users[i] && world.parts[j] == REC_PART_TRAIN && world.labels[j] == 1)
        before.push_back(world.items[j]);
    std::string row = cat(world.users[i], " ", world.items[i], ":");
    for (size_t j = before.size() > 2 ? before.size() - 2 : 0; j < before.size(); ++j) row += cat(" ", before[j]);
    wanted.insert(row);
  }
  EXPECT_EQ(seen, wanted);
}

TEST(LabelledBatches, HaveEachTrainingRowOnceWithItsLabel) {
  World world;
  world.plan.rows = REC_PLAN_LABELLED;
  world.plan.columns = {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_LABEL};
  std::multiset<std::string> seen, wanted;
  world.read(2, [&](const Batch& batch) {
    EXPECT_EQ(batch.column(REC_COLUMN_ITEM).extent(1), 1);
    for (int64_t b = 0; b < batch.n_rows; ++b)
      seen.insert(cat(world.data.users.int64_at(batch.column(REC_COLUMN_USER).data<int32_t>()[b]), " ",
                      world.id(batch.column(REC_COLUMN_ITEM).data<int32_t>()[b]), " ",
                      batch.column(REC_COLUMN_LABEL).data<float>()[b]));
  });
  for (size_t i = 0; i < world.users.size(); ++i)
    if (world.parts[i] == REC_PART_TRAIN) wanted.insert(cat(world.users[i], " ", world.items[i], " ", world.labels[i]));
  EXPECT_EQ(seen, wanted);
}

}  // namespace
}  // namespace rec
