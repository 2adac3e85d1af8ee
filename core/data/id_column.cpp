#include "core/data/id_column.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <random>

#include "core/base/text.h"

namespace rec {

namespace {

// Rows are numbered by first appearance, so nothing visible depends on the key.
uint64_t random_key() {
  std::random_device bits;
  return uint64_t{bits()} << 32 | bits();
}

// A round with the key, then the finaliser of MurmurHash3: every bit of the id reaches every bit of the hash.
uint64_t mix(uint64_t x, uint64_t key) {
  x ^= key;
  x ^= x >> 33;
  x *= key << 1 | 1;
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

}  // namespace

IdColumn::IdColumn(std::string name, int32_t type, MemoryBudget* budget)
    : name_(std::move(name)), type_(type), is_declared_(type != REC_ID_AUTO), budget_(budget), hash_key_(random_key()) {
  grow();
}

IdColumn::Key IdColumn::key(std::string_view text) const {
  if (type_ == REC_ID_BYTES) return {REC_ID_BYTES, 0, text};
  const auto value = parse_int64(text);
  if (!value && !is_declared_) return {REC_ID_BYTES, 0, text};
  if (!value) {
    const char* why = looks_like_integer(text) ? "does not fit an int64 written plainly" : "is not an int64";
    throw argument_error(REC_INVALID_DATA, name_, "'", printable(text), "' ", why,
                         ", as the ids of this column are; declare ", name_, "_type as bytes to take any text");
  }
  return {REC_ID_INT64, *value, {}};
}

IdColumn::Key IdColumn::key(int64_t value) {
  if (type_ != REC_ID_BYTES) return {REC_ID_INT64, value, {}};
  scratch_ = std::to_string(value);
  return {REC_ID_BYTES, 0, scratch_};
}

IdColumn::Slot IdColumn::probe(const Key& key) const {
  if (key.type != REC_ID_BYTES) return {key.value, -1};
  return {static_cast<int64_t>(XXH3_64bits_withSeed(key.text.data(), key.text.size(), hash_key_)), -1};
}

size_t IdColumn::first_slot(int64_t key) const { return mix(static_cast<uint64_t>(key), hash_key_) & mask_; }

size_t IdColumn::slot_of(const Slot& probe, std::string_view text) const {
  const Slot* const slots = slots_.data();
  size_t at = first_slot(probe.key);
  while (slots[at].row >= 0 &&
         (slots[at].key != probe.key || (type_ == REC_ID_BYTES && this->text(slots[at].row) != text)))
    at = (at + 1) & mask_;
  return at;
}

int32_t IdColumn::add(const Key& key) {
  if (type_ == REC_ID_INT64 && key.type == REC_ID_BYTES) become_text();
  type_ = key.type;
  const Slot wanted = probe(key);
  Slot& slot = slots_[slot_of(wanted, key.text)];
  if (slot.row >= 0) return slot.row;
  const int64_t row = size();
  if (row == INT32_MAX) throw Error(REC_LIMIT, cat(name_, ": more than ", INT32_MAX, " different ids"));
  if (type_ == REC_ID_BYTES) {
    budget_->charge(8 + std::ssize(key.text), "ids");
    bytes_.insert(bytes_.end(), key.text.begin(), key.text.end());
    offsets_.push_back(std::ssize(bytes_));
  } else {
    budget_->charge(8, "ids");
    i64_.push_back(key.value);
  }
  slot = {wanted.key, static_cast<int32_t>(row)};
  if (static_cast<size_t>(row + 1) * 2 > slots_.size()) grow();
  return static_cast<int32_t>(row);
}

int32_t IdColumn::find(const Key& key) const {
  return key.type == type_ ? slots_[slot_of(probe(key), key.text)].row : -1;
}

// The same ids in the same rows, written as text.
void IdColumn::become_text() {
  budget_->charge(size() * 8, "ids");
  std::vector<int64_t> numbers;
  numbers.swap(i64_);
  std::fill(slots_.begin(), slots_.end(), Slot());
  type_ = REC_ID_BYTES;
  for (size_t row = 0; row < numbers.size(); ++row) {
    const Key key = this->key(numbers[row]);
    budget_->charge(std::ssize(key.text), "ids");
    bytes_.insert(bytes_.end(), key.text.begin(), key.text.end());
    offsets_.push_back(std::ssize(bytes_));
    place({probe(key).key, static_cast<int32_t>(row)});
  }
}

// Into a free slot; the id must not be in the table.
void IdColumn::place(const Slot& slot) {
  size_t at = first_slot(slot.key);
  while (slots_[at].row >= 0) at = (at + 1) & mask_;
  slots_[at] = slot;
}

void IdColumn::grow() {
  const size_t n = slots_.empty() ? 1024 : slots_.size() * 2;
  budget_->charge(static_cast<int64_t>((n - slots_.size()) * sizeof(Slot)), "the table of ids");
  std::vector<Slot> old(n);
  old.swap(slots_);
  mask_ = n - 1;
  for (const Slot& slot : old)
    if (slot.row >= 0) place(slot);
}

IdMap IdColumn::finish(const CancelToken* cancel) {
  slots_ = {};
  if (type_ == REC_ID_BYTES)
    return IdMap::from_bytes(Buffer<int64_t>(std::span<const int64_t>(offsets_)),
                             Buffer<char>(std::span<const char>(bytes_)), cancel);
  return IdMap::from_int64(Buffer<int64_t>(std::span<const int64_t>(i64_)), cancel);
}

}  // namespace rec
