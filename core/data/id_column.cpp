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
    throw Error(REC_INVALID_DATA,
                cat(name_, ": '", printable(text), "' ", why, ", as the ids of this column are; declare ", name_,
                    "_type as bytes to take any text"))
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

IdColumn::Slot IdColumn::probe(const Key& key) const {
  return {type_ == REC_ID_BYTES ? static_cast<int64_t>(std::hash<std::string_view>()(key.text)) : key.value, -1};
}

bool IdColumn::same_text(int32_t row, std::string_view text) const {
  const int64_t begin = offsets_[static_cast<size_t>(row)];
  const auto length = static_cast<size_t>(offsets_[static_cast<size_t>(row) + 1] - begin);
  return std::string_view(bytes_.data() + begin, length) == text;
}

size_t IdColumn::slot_of(const Slot& probe, std::string_view text) const {
  const Slot* const slots = slots_.data();
  size_t at = mix(static_cast<uint64_t>(probe.key)) & mask_;
  while (slots[at].row >= 0 &&
         (slots[at].key != probe.key || (type_ == REC_ID_BYTES && !same_text(slots[at].row, text))))
    at = (at + 1) & mask_;
  return at;
}

int32_t IdColumn::add(const Key& key) {
  const Slot wanted = probe(key);
  Slot& slot = slots_[slot_of(wanted, key.text)];
  if (slot.row >= 0) return slot.row;
  const int64_t row = size();
  if (row == INT32_MAX) throw Error(REC_LIMIT, cat(name_, ": more than ", INT32_MAX, " different ids"));
  if (type_ == REC_ID_BYTES) {
    budget_->charge(8 + static_cast<int64_t>(key.text.size()), "ids");
    bytes_.insert(bytes_.end(), key.text.begin(), key.text.end());
    offsets_.push_back(static_cast<int64_t>(bytes_.size()));
  } else {
    budget_->charge(8, "ids");
    i64_.push_back(key.value);
  }
  slot = {wanted.key, static_cast<int32_t>(row)};
  if (static_cast<size_t>(row + 1) * 2 > slots_.size()) grow();
  return static_cast<int32_t>(row);
}

int32_t IdColumn::find(const Key& key) const { return slots_[slot_of(probe(key), key.text)].row; }

void IdColumn::grow() {
  const size_t n = slots_.empty() ? 1024 : slots_.size() * 2;
  budget_->charge(static_cast<int64_t>((n - slots_.size()) * sizeof(Slot)), "the table of ids");
  std::vector<Slot> old(n);
  old.swap(slots_);
  mask_ = n - 1;
  for (const Slot& slot : old) {
    if (slot.row < 0) continue;
    size_t at = mix(static_cast<uint64_t>(slot.key)) & mask_;
    while (slots_[at].row >= 0) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
}

IdMap IdColumn::finish() {
  slots_ = {};
  if (type_ == REC_ID_BYTES)
    return IdMap::from_bytes(Buffer<int64_t>(std::span<const int64_t>(offsets_)),
                             Buffer<char>(std::span<const char>(bytes_)));
  return IdMap::from_int64(Buffer<int64_t>(std::span<const int64_t>(i64_)));
}

}  // namespace rec
