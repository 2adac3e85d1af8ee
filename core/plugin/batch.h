#pragma once

#include <vector>

#include "core/base/buffer.h"
#include "rec_plugin_api.h"

namespace rec {

int64_t dtype_size(int32_t dtype);  // bytes; 0 for an unknown type

template <class T>
inline constexpr int32_t kDtypeOf = 0;
template <>
inline constexpr int32_t kDtypeOf<double> = REC_DTYPE_F64;
template <>
inline constexpr int32_t kDtypeOf<char> = REC_DTYPE_U8;
template <>
inline constexpr int32_t kDtypeOf<float> = REC_DTYPE_F32;
template <>
inline constexpr int32_t kDtypeOf<int32_t> = REC_DTYPE_I32;
template <>
inline constexpr int32_t kDtypeOf<int64_t> = REC_DTYPE_I64;
template <>
inline constexpr int32_t kDtypeOf<uint8_t> = REC_DTYPE_U8;

// One array of a batch with its shape. Its memory only grows, so that batches built over and over allocate nothing.
class Column {
 public:
  explicit Column(int32_t id) : id_(id) {}

  int32_t id() const { return id_; }
  int64_t extent(int dimension) const { return view_.shape[dimension]; }

  // [rows], or [rows, columns]; shrinking the array keeps its contents.
  template <class T>
  T* reshape(int64_t rows) {
    return static_cast<T*>(reshape(kDtypeOf<T>, rows, 1, 1));
  }
  template <class T>
  T* reshape(int64_t rows, int64_t columns) {
    return static_cast<T*>(reshape(kDtypeOf<T>, rows, columns, 2));
  }
  template <class T>
  T* data() {
    return static_cast<T*>(view_.data);
  }
  template <class T>
  const T* data() const {
    return static_cast<const T*>(view_.data);
  }

  rec_column_t view() const { return {id_, 0, view_}; }

 private:
  void* reshape(int32_t dtype, int64_t rows, int64_t columns, int32_t n_dims);

  int32_t id_;
  rec_tensor_view_t view_{};
  Buffer<char> memory_;
};

// Rows of one training step, or queries, column by column; the plugin gets views of them.
struct Batch {
  int64_t epoch = 0, index = 0, first_row = 0, n_rows = 0;
  std::vector<Column> columns;

  Column* find(int32_t id);
  Column& column(int32_t id);  // created if missing
  const Column& column(int32_t id) const { return *const_cast<Batch*>(this)->find(id); }

  // Valid until the batch changes.
  rec_batch_t view(int64_t n_epoch_batches);

 private:
  std::vector<rec_column_t> views_;
};

}  // namespace rec
