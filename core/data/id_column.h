#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/checked.h"
#include "core/data/id_map.h"

namespace rec {

// Assigns rows to ids, by first appearance.
class IdColumn {
 public:
  // name is "user_id" or "item_id". With REC_ID_AUTO, ids are numbers as long as every one is; the first other id
  // turns all of them into text.
  IdColumn(std::string name, int32_t type, MemoryBudget* budget);

  // An id as this column holds it: value for int64 ids, text for bytes. The text is the caller's, or scratch that
  // lives until the next key().
  struct Key {
    int32_t type = REC_ID_AUTO;
    int64_t value = 0;
    std::string_view text;
  };
  // INVALID_DATA when the column was declared to have int64 ids and the text is not one.
  Key key(std::string_view text) const;
  Key key(int64_t value);
  // The id of a row of another column.
  Key key(const IdColumn& other, int32_t row) {
    return other.type_ == REC_ID_BYTES ? key(other.text(row)) : key(other.i64_[row]);
  }

  // Fetches what add() of this id will look at first; many at a time hide the waits for memory.
  void prefetch(const Key& key) const { __builtin_prefetch(&slots_[first_slot(probe(key).key)]); }
  int32_t add(const Key& key);
  // The row, or -1.
  int32_t find(const Key& key) const;

  // Sets the type, unless it was declared or an id has been added.
  void prefer(int32_t type) {
    if (type_ == REC_ID_AUTO) type_ = type, is_declared_ = true;
  }

  int32_t type() const { return type_; }
  // The type that was declared, or REC_ID_AUTO.
  int32_t declared_type() const { return is_declared_ ? type_ : REC_ID_AUTO; }
  int64_t size() const { return static_cast<int64_t>(type_ == REC_ID_BYTES ? offsets_.size() - 1 : i64_.size()); }
  const std::vector<int64_t>& i64() const { return i64_; }
  // Consumes the column.
  IdMap finish(const CancelToken* cancel = nullptr);

 private:
  // Open addressing with a keyed hash: ids cannot be chosen to collide. A slot keeps the int64 id, or the hash of a byte
  // id, so that looking up a known id touches only the table, and a byte id's text only to confirm it.
  struct Slot {
    int64_t key = 0;
    int32_t row = -1;
  };

  Slot probe(const Key& key) const;
  size_t first_slot(int64_t key) const;
  std::string_view text(int32_t row) const {
    return {bytes_.data() + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }
  size_t slot_of(const Slot& probe, std::string_view text) const;
  void grow();
  void place(const Slot& slot);
  void become_text();

  std::string name_;
  int32_t type_;
  bool is_declared_;
  MemoryBudget* budget_;
  std::vector<int64_t> i64_;
  std::vector<int64_t> offsets_{0};
  std::vector<char> bytes_;
  uint64_t hash_key_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::string scratch_;
};

}  // namespace rec
