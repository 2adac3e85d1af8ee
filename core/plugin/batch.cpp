#include "core/plugin/batch.h"

#include <algorithm>

namespace rec {

int64_t dtype_size(int32_t dtype) {
  switch (dtype) {
    case REC_DTYPE_F32:
    case REC_DTYPE_I32: return 4;
    case REC_DTYPE_F64:
    case REC_DTYPE_I64: return 8;
    case REC_DTYPE_U8: return 1;
    default: return 0;
  }
}

void* Column::reshape(int32_t dtype, int64_t rows, int64_t columns, int32_t n_dims) {
  const int64_t bytes = checked_mul(checked_mul(rows, columns), dtype_size(dtype));
  // Never NULL, not even for zero rows.
  if (memory_.size() < std::max<int64_t>(bytes, 1)) memory_ = Buffer<char>::uninitialized(std::max<int64_t>(bytes, 64));
  view_ = {memory_.data(), dtype, n_dims, REC_DEVICE_CPU, 0, {rows, n_dims > 1 ? columns : 0}, {columns, 1}};
  return view_.data;
}

Column* Batch::find(int32_t id) {
  const auto found = std::find_if(columns.begin(), columns.end(), [id](const Column& c) { return c.id() == id; });
  return found == columns.end() ? nullptr : &*found;
}

Column& Batch::column(int32_t id) {
  if (Column* found = find(id)) return *found;
  return columns.emplace_back(id);
}

rec_batch_t Batch::view(int64_t n_epoch_batches) {
  views_.clear();
  for (const Column& column : columns) views_.push_back(column.view());
  return {sizeof(rec_batch_t), static_cast<int32_t>(views_.size()), views_.data(), n_rows, epoch, index, first_row,
          n_epoch_batches};
}

}  // namespace rec
