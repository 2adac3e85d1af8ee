#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/checked.h"
#include "core/data/dataset.h"
#include "core/data/id_column.h"

namespace rec {

// Collects interactions row by row and ends as a Dataset. A row that is refused leaves no trace.
class DatasetBuilder {
 public:
  DatasetBuilder(int32_t user_id_type, int32_t item_id_type, int64_t memory_limit_bytes, const CancelToken* cancel);
  DatasetBuilder(const DatasetBuilder&) = delete;
  DatasetBuilder& operator=(const DatasetBuilder&) = delete;

  // Which optional columns the rows have; called before the first row.
  void declare(bool has_time, bool has_weight);
  bool has_time() const { return has_time_; }
  bool has_weight() const { return has_weight_; }

  // Ids as text or as int64; time and weight are dropped unless declared.
  template <class UserId, class ItemId>
  void add(UserId user, ItemId item, int64_t time, float weight, Part part) {
    const IdColumn::Key user_key = users_.key(user);
    const IdColumn::Key item_key = items_.key(item);
    push(user_key, item_key, time, weight, part);
  }

  // The candidates of interaction `row`; rows must rise from call to call. An item that no interaction has gets a row.
  void add_candidates(int64_t row, std::span<const int64_t> items);

  // The title of an item that is known; the first one stays. INVALID_DATA when it is not UTF-8.
  template <class ItemId>
  void set_title(ItemId item, std::string_view title) {
    put_title(items_.find(items_.key(item)), title);
  }

  int64_t n() const { return static_cast<int64_t>(item_.size()); }
  IdColumn& users() { return users_; }
  IdColumn& items() { return items_; }
  MemoryBudget& budget() { return budget_; }
  const CancelToken* cancel() const { return cancel_; }

  // Ends the builder; INVALID_DATA without any interaction.
  Dataset finish();

 private:
  void push(const IdColumn::Key& user, const IdColumn::Key& item, int64_t time, float weight, Part part);
  void put_title(int32_t item, std::string_view title);
  void reserve_block();

  MemoryBudget budget_;
  const CancelToken* cancel_;
  IdColumn users_, items_;
  bool has_time_ = false, has_weight_ = false;
  int64_t charged_rows_ = 0;
  std::vector<int32_t> user_, item_;
  std::vector<int64_t> time_;
  std::vector<float> weight_;
  std::vector<Part> part_;
  std::vector<int64_t> candidate_rows_, candidate_ends_;
  std::vector<int32_t> candidates_;
  std::vector<int64_t> title_begin_, title_end_;  // [items seen], -1 without a title
  std::vector<char> title_bytes_;
};

}  // namespace rec
