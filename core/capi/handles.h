#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/process.h"

namespace rec {

// Every handle of the C API: its value encodes slot and generation and is never dereferenced. A closed handle, or one of
// another kind, is detected; an object lives until its last use ends.
class HandleTable {
 public:
  static HandleTable& instance();

  // The numbers are those of REC_OBJECT_.
  enum class Kind : uint32_t {
    kNone,
    kError,
    kText,
    kCancel,
    kDataset,
    kTrainer,
    kModel,
    kReport,
    kRecommender,
    kTuner
  };
  static constexpr size_t kKinds = 10;

  void* add(Kind kind, std::shared_ptr<void> object);
  // nullptr unless the handle is alive and of this kind.
  std::shared_ptr<void> find(Kind kind, const void* handle);
  void remove(Kind kind, void* handle);
  // Number of handles not removed yet; of every kind for kNone.
  int64_t count(Kind kind) const;

 private:
  struct Slot {
    std::mutex mutex;
    uint32_t generation = 1;
    Kind kind = Kind::kNone;
    std::shared_ptr<void> object;
  };
  static constexpr uint32_t kPageSlots = 1024, kPages = 16384;
  using Page = std::array<Slot, kPageSlots>;

  Slot* slot_of(const void* handle, uint32_t& generation);

  std::mutex mutex_;
  std::array<std::atomic<Page*>, kPages> pages_{};
  uint32_t n_slots_ = 0;
  std::vector<uint32_t> free_;
  std::array<std::atomic<int64_t>, kKinds> n_live_{};  // by kind
};

// The object type and kind behind a handle type.
template <class Handle>
struct HandleTraits;

#define REC_HANDLE(handle_type, kind_name, object_type, argument_name)       \
  template <>                                                                \
  struct HandleTraits<handle_type> {                                         \
    using Object = object_type;                                              \
    static constexpr HandleTable::Kind kKind = HandleTable::Kind::kind_name; \
    static constexpr const char* kName = argument_name;                      \
  }

// The object behind a handle, kept alive by the result. BAD_STATE for a closed or foreign one.
template <class Handle>
auto object_of(const Handle* handle) {
  using Traits = HandleTraits<Handle>;
  if (handle == nullptr) throw invalid_argument(Traits::kName, "must not be null");
  auto object = HandleTable::instance().find(Traits::kKind, handle);
  if (object == nullptr) throw argument_error(REC_BAD_STATE, Traits::kName, "the handle is closed, or of another kind");
  return std::static_pointer_cast<typename Traits::Object>(object);
}

template <class Handle>
Handle* new_handle(std::shared_ptr<typename HandleTraits<Handle>::Object> object) {
  using Object = std::remove_const_t<typename HandleTraits<Handle>::Object>;  // the table does not look into objects
  return static_cast<Handle*>(
      HandleTable::instance().add(HandleTraits<Handle>::kKind, std::const_pointer_cast<Object>(std::move(object))));
}

template <class Handle>
void destroy_handle(Handle* handle) {
  if (handle != nullptr && !Process::is_forked_child())
    HandleTable::instance().remove(HandleTraits<Handle>::kKind, handle);
}

}  // namespace rec
