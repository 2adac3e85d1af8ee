#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/checked.h"
#include "core/data/dataset.h"
#include "core/data/id_column.h"
#include "core/data/moment.h"

namespace rec {

// Which columns the rows have besides user and item.
struct OptionalColumns {
  bool time = false, weight = false, label = false, impression = false;
  bool operator==(const OptionalColumns&) const = default;
};

// How the item of a labelled row was shown: clicked or not, and in which of the user's lists.
struct Shown {
  float label = 0;
  int64_t impression_key = 0;
};

// Rows with ids of their own, which a thread collects for a DatasetBuilder. Their times are all dates or all numbers.
struct RowBlock {
  RowBlock(int32_t user_id_type, int32_t item_id_type)
      : users("user_id", user_id_type, &unlimited), items("item_id", item_id_type, &unlimited) {}
  RowBlock(const RowBlock&) = delete;
  RowBlock& operator=(const RowBlock&) = delete;

  MemoryBudget unlimited;
  IdColumn users, items;
  std::vector<int32_t> user, item;
  std::vector<Moment> time;   // empty without the column
  std::vector<float> weight;  // likewise
};

// Collects interactions row by row into a Dataset. A row that is refused leaves no trace.
class DatasetBuilder {
 public:
  // time_unit: REC_TIME_, of times that are numbers.
  DatasetBuilder(int32_t user_id_type, int32_t item_id_type, int64_t memory_limit_bytes, const CancelToken* cancel,
                 int32_t time_unit = REC_TIME_AUTO);
  DatasetBuilder(const DatasetBuilder&) = delete;
  DatasetBuilder& operator=(const DatasetBuilder&) = delete;

  // Called before the first row.
  void declare(const OptionalColumns& columns) { columns_ = columns; }
  const OptionalColumns& columns() const { return columns_; }

  // Ids as text or as int64; undeclared columns are dropped.
  template <class UserId, class ItemId>
  void add(UserId user, ItemId item, const Moment& time, float weight, Part part, const Shown& shown = {}) {
    const IdColumn::Key user_key = users_.key(user);
    const IdColumn::Key item_key = items_.key(item);
    if (columns_.time) time_.check(time);
    push(user_key, item_key, time, weight, part, shown);
  }

  // Whether the times of the block are of the kind that the rows before have.
  bool takes(const RowBlock& block) const { return block.time.empty() || time_.takes(block.time.front()); }
  // The rows of a block that it takes, of one part.
  void add(const RowBlock& block, Part part);
  // Makes room for so many rows in all, which need not come.
  void expect(int64_t n);

  // A number for the text of an impression id.
  int64_t impression_key(std::string_view text) { return impression_ids_.add(impression_ids_.key(text)); }

  // Replaces NaN weights by the mean of the other weights; false if every weight is NaN.
  bool fill_weights();

  // The candidates of interaction `row`; rows must ascend from call to call. Adds items that no interaction has.
  void add_candidates(int64_t row, std::span<const int64_t> items);

  // Adds a relation of the items; returns its index, for relate. Items that no interaction has are left out.
  size_t add_relation(std::string name);
  void relate(size_t relation, int64_t item, std::span<const int64_t> targets);

  void relate_rows(size_t relation, int32_t item, int32_t target);

  FeatureColumns& user_features() { return user_features_; }
  FeatureColumns& item_features() { return item_features_; }

  // Sets the title of a known item; the first one is kept. INVALID_DATA when it is not UTF-8.
  template <class ItemId>
  void set_title(ItemId item, std::string_view title) {
    put_title(items_.find(items_.key(item)), title);
  }

  int64_t n() const { return std::ssize(item_); }
  IdColumn& users() { return users_; }
  IdColumn& items() { return items_; }
  MemoryBudget& budget() { return budget_; }
  const CancelToken* cancel() const { return cancel_; }

  // Consumes the builder; INVALID_DATA without any interaction.
  Dataset finish();

 private:
  void push(const IdColumn::Key& user, const IdColumn::Key& item, const Moment& time, float weight, Part part,
            const Shown& shown);
  void finish_times(Dataset& out);
  void reorder(std::span<const int64_t> order);
  Buffer<int32_t> number_impressions() const;
  void put_title(int32_t item, std::string_view title);
  void reserve_block();

  MemoryBudget budget_;
  const CancelToken* cancel_;
  IdColumn users_, items_, impression_ids_;
  FeatureColumns user_features_{users_, budget_}, item_features_{items_, budget_};
  OptionalColumns columns_;
  int64_t charged_rows_ = 0;
  std::vector<int32_t> user_, item_;
  MomentColumn time_;
  std::vector<float> weight_, label_;
  std::vector<Part> part_;
  std::vector<int64_t> impression_key_;
  std::vector<int64_t> candidate_rows_, candidate_ends_;
  std::vector<int32_t> candidates_;
  struct Pairs {
    std::string name;
    std::vector<std::pair<int32_t, int32_t>> pairs;  // item, target
  };
  std::vector<Pairs> relations_;
  std::vector<int64_t> title_begin_, title_end_;  // [items seen], -1 without a title
  std::vector<char> title_bytes_;
};

}  // namespace rec
