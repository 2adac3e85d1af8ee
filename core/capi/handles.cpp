#include "core/capi/handles.h"

namespace rec {

HandleTable& HandleTable::instance() {
  static HandleTable& table = *new HandleTable;  // outlives static destructors: hosts close handles from theirs
  return table;
}

// Handle value: generation in the high 32 bits, slot number + 1 in the low ones.
HandleTable::Slot* HandleTable::slot_of(const void* handle, uint32_t& generation) {
  const auto value = reinterpret_cast<uintptr_t>(handle);
  static_assert(sizeof value == 8, "handles need 64-bit pointers");
  generation = static_cast<uint32_t>(value >> 32);
  const auto number = static_cast<uint32_t>(value) - 1;
  if (number >= kPageSlots * kPages) return nullptr;
  Page* page = pages_[number / kPageSlots].load(std::memory_order_acquire);
  return page == nullptr ? nullptr : &(*page)[number % kPageSlots];
}

void* HandleTable::add(Kind kind, std::shared_ptr<void> object) {
  uint32_t number;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      number = free_.back();
      free_.pop_back();
    } else {
      if (n_slots_ == kPageSlots * kPages) throw Error(REC_LIMIT, "too many open handles");
      free_.reserve(n_slots_ + 1);  // so that remove never allocates
      if (n_slots_ % kPageSlots == 0) pages_[n_slots_ / kPageSlots].store(new Page, std::memory_order_release);
      number = n_slots_++;
    }
  }
  Slot& slot = (*pages_[number / kPageSlots].load(std::memory_order_acquire))[number % kPageSlots];
  const std::lock_guard lock(slot.mutex);
  slot.kind = kind;
  slot.object = std::move(object);
  n_live_[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<void*>(uintptr_t{slot.generation} << 32 | (number + 1));
}

std::shared_ptr<void> HandleTable::find(Kind kind, const void* handle) {
  uint32_t generation;
  Slot* slot = slot_of(handle, generation);
  if (slot == nullptr) return nullptr;
  const std::lock_guard lock(slot->mutex);
  return slot->generation == generation && slot->kind == kind ? slot->object : nullptr;
}

void HandleTable::remove(Kind kind, void* handle) {
  uint32_t generation;
  Slot* slot = slot_of(handle, generation);
  if (slot == nullptr) return;
  std::shared_ptr<void> object;  // ends outside the locks
  {
    const std::lock_guard lock(slot->mutex);
    if (slot->generation != generation || slot->kind != kind) return;
    object = std::move(slot->object);
    slot->object = nullptr;
    slot->kind = Kind::kNone;
    if (++slot->generation == 0) slot->generation = 1;
  }
  n_live_[static_cast<size_t>(kind)].fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  free_.push_back(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(handle)) - 1);
}

int64_t HandleTable::count(Kind kind) const {
  int64_t n = 0;
  for (size_t i = 0; i < kKinds; ++i)
    if (kind == Kind::kNone || i == static_cast<size_t>(kind)) n += n_live_[i].load(std::memory_order_relaxed);
  return n;
}

}  // namespace rec
