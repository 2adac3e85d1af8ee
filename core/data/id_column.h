#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/checked.h"
#include "core/data/id_map.h"

namespace rec {

// Gives ids their rows, by first appearance.
class IdColumn {
 public:
  // name is "user_id" or "item_id"; REC_ID_AUTO decides by the first id.
  IdColumn(std::string name, int32_t type, MemoryBudget* budget);

  // An id as this column holds it: value for int64 ids, text for bytes. The text is the caller's, or scratch that
  // lives until the next key().
  struct Key {
    int64_t value = 0;
    std::string_view text;
  };
  // INVALID_DATA when the column is of int64 ids and the text is none.
  Key key(std::string_view text);
  Key key(int64_t value);

  int32_t add(const Key& key);
  // The row, or -1.
  int32_t find(const Key& key) const;

  int32_t type() const { return type_; }
  int64_t size() const { return type_ == REC_ID_BYTES ? static_cast<int64_t>(offsets_.size()) - 1 : static_cast<int64_t>(i64_.size()); }
  const std::vector<int64_t>& i64() const { return i64_; }
  // Ends the column.
  IdMap finish();

 private:
  uint64_t hash(const Key& key) const;
  bool equal(int32_t row, const Key& key) const;
  size_t slot_of(const Key& key, uint64_t hash) const;
  void grow();

  std::string name_;
  int32_t type_;
  MemoryBudget* budget_;
  std::vector<int64_t> i64_;
  std::vector<int64_t> offsets_{0};
  std::vector<char> bytes_;
  // Open addressing; a slot keeps 32 bits of the hash so that most misses touch no id.
  struct Slot {
    int32_t row = -1;
    uint32_t tag = 0;
  };
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::string scratch_;
};

}  // namespace rec
