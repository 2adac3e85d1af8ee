#include "core/data/id_column.h"

#include <functional>

#include "core/base/text.h"

namespace rec {

namespace {

// The finaliser of MurmurHash3: every bit of the id reaches every bit of the hash.
uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

}  // namespace

IdColumn::IdColumn(std::string name, int32_t type, MemoryBudget* budget)
    : name_(std::move(name)), type_(type), budget_(budget) {
  grow();
}

IdColumn::Key IdColumn::key(std::string_view text) {
  if (type_ == REC_ID_AUTO) type_ = parse_int64(text) ? REC_ID_INT64 : REC_ID_BYTES;
  if (type_ == REC_ID_BYTES) return {0, text};
  const auto value = parse_int64(text);
  if (!value) {
    const char* why = looks_like_integer(text) ? "does not fit an int64 written plainly" : "is not an int64";
    throw Error(REC_INVALID_DATA, cat(name_, ": '", printable(text), "' ", why, ", as the ids of this column are; declare ",
                                      name_, "_type as bytes to take any text"))
        .at_argument(name_);
  }
  return {*value, {}};
}

IdColumn::Key IdColumn::key(int64_t value) {
  if (type_ == REC_ID_AUTO) type_ = REC_ID_INT64;
  if (type_ == REC_ID_INT64) return {value, {}};
  scratch_ = std::to_string(value);
  return {value, scratch_};
}

uint64_t IdColumn::hash(const Key& key) const {
  return type_ == REC_ID_BYTES ? mix(std::hash<std::string_view>()(key.text)) : mix(static_cast<uint64_t>(key.value));
}

bool IdColumn::equal(int32_t row, const Key& key) const {
  if (type_ != REC_ID_BYTES) return i64_[static_cast<size_t>(row)] == key.value;
  const int64_t begin = offsets_[static_cast<size_t>(row)];
  const auto length = static_cast<size_t>(offsets_[static_cast<size_t>(row) + 1] - begin);
  return std::string_view(bytes_.data() + begin, length) == key.text;
}

size_t IdColumn::slot_of(const Key& key, uint64_t hash) const {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  size_t at = hash & mask_;
  while (slots_[at].row >= 0 && !(slots_[at].tag == tag && equal(slots_[at].row, key))) at = (at + 1) & mask_;
  return at;
}

int32_t IdColumn::add(const Key& key) {
  const uint64_t h = hash(key);
  const size_t at = slot_of(key, h);
  if (slots_[at].row >= 0) return slots_[at].row;
  const int64_t row = size();
  if (row == INT32_MAX) throw Error(REC_LIMIT, cat(name_, ": more than ", INT32_MAX, " different ids"));
  slots_[at] = {static_cast<int32_t>(row), static_cast<uint32_t>(h >> 32)};
  if (type_ == REC_ID_BYTES) {
    budget_->charge(8 + static_cast<int64_t>(key.text.size()), "ids");
    bytes_.insert(bytes_.end(), key.text.begin(), key.text.end());
    offsets_.push_back(static_cast<int64_t>(bytes_.size()));
  } else {
    budget_->charge(8, "ids");
    i64_.push_back(key.value);
  }
  if (static_cast<size_t>(row + 1) * 2 > slots_.size()) grow();
  return static_cast<int32_t>(row);
}

int32_t IdColumn::find(const Key& key) const { return slots_[slot_of(key, hash(key))].row; }

void IdColumn::grow() {
  const size_t n = slots_.empty() ? 1024 : slots_.size() * 2;
  budget_->charge(static_cast<int64_t>((n - slots_.size()) * sizeof(Slot)), "the table of ids");
  std::vector<Slot> old(n);
  old.swap(slots_);
  mask_ = n - 1;
  // 31 bits of position are in the low half of the hash, so the tag alone cannot place a slot anew.
  for (const Slot& slot : old) {
    if (slot.row < 0) continue;
    Key key;
    if (type_ == REC_ID_BYTES) {
      const int64_t begin = offsets_[static_cast<size_t>(slot.row)];
      key.text = {bytes_.data() + begin, static_cast<size_t>(offsets_[static_cast<size_t>(slot.row) + 1] - begin)};
    } else {
      key.value = i64_[static_cast<size_t>(slot.row)];
    }
    size_t at = hash(key) & mask_;
    while (slots_[at].row >= 0) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
}

IdMap IdColumn::finish() {
  slots_ = {};
  if (type_ == REC_ID_BYTES)
    return IdMap::from_bytes(Buffer<int64_t>(std::span<const int64_t>(offsets_)), Buffer<char>(std::span<const char>(bytes_)));
  return IdMap::from_int64(Buffer<int64_t>(std::span<const int64_t>(i64_)));
}

}  // namespace rec
