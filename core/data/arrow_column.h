#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/data/arrow_abi.h"
#include "core/data/moment.h"

namespace rec {

// One column of a record batch, read cell by cell. Its shape is checked when it is opened, offsets and indices as they
// are read; the producer must ensure that buffers are as long as they claim.
class ArrowColumn {
 public:
  enum class Kind { kInteger, kFloating, kBoolean, kText, kTime };

  // Cells first .. first + n - 1 of the array. INVALID_DATA for an unsupported type, naming it. base_row is the first
  // cell's row in the stream, for messages.
  ArrowColumn(const ArrowSchema& schema, const ArrowArray& array, std::string name, int64_t first, int64_t n,
              int64_t base_row);

  Kind kind() const { return dictionary_ ? dictionary_->kind() : kind_; }
  std::string type_name() const;  // in words
  // INVALID_DATA for a null, naming its row.
  void refuse_null(int64_t i) const;
  int64_t integer_at(int64_t i) const;        // kInteger; INVALID_DATA above INT64_MAX
  double number_at(int64_t i) const;          // kInteger, kFloating, kBoolean
  std::string_view text_at(int64_t i) const;  // kText
  Moment moment_at(int64_t i, const std::optional<std::string>& text_format) const;          // any kind; INVALID_DATA for a text that is no time

 private:
  bool is_null(int64_t i) const;
  std::string_view view_at(int64_t at) const;
  int64_t index_at(int64_t i) const;
  int64_t offset_at(int64_t i) const;
  template <class T>
  T value(int64_t i) const {
    return static_cast<const T*>(values_)[first_ + i];
  }
  [[noreturn]] void fail(int64_t i, const std::string& what) const;

  const ArrowArray* array_;
  std::string name_, format_;
  int64_t first_, base_row_;
  Kind kind_ = Kind::kInteger;
  int64_t units_per_second_ = 1, seconds_per_unit_ = 1;
  const uint8_t* valid_ = nullptr;
  const void* values_ = nullptr;
  std::unique_ptr<ArrowColumn> dictionary_;
  int64_t dictionary_size_ = 0;
  int64_t n_bytes_ = 0;  // of text that offsets lead to: the last offset
};

}  // namespace rec
