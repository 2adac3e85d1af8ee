#pragma once

#include <string>
#include <vector>

#include "plugins/common/aligned.h"
#include "rec_plugin_api.h"

namespace rec::plugin {

// What a slot throws to say that it failed; without a message the host has said it.
struct Failure {
  rec_status_t status;
  std::string message;
};

inline void check(rec_status_t status) {
  if (status != REC_OK) throw Failure{status, {}};
}

// A named array of the model's state; the memory is the model's own.
struct TensorRef {
  const char* name;
  int32_t dtype;
  int32_t kind;
  std::vector<int64_t> shape;
  void* data;
};

inline TensorRef parameter(const char* name, Floats& values, std::vector<int64_t> shape) {
  return {name, REC_DTYPE_F32, REC_TENSOR_PARAMETER, std::move(shape), values.data()};
}

// Typed columns of a batch.
struct Batch {
  const rec_batch_t& raw;

  int64_t n_rows() const { return raw.n_rows; }
  const int32_t* users() const { return get<int32_t>(REC_COLUMN_USER); }
  const int32_t* items() const { return get<int32_t>(REC_COLUMN_ITEM); }  // [n_rows, n_candidates]
  int64_t n_candidates() const { return column(REC_COLUMN_ITEM).shape[1]; }
  const float* weights() const { return get<float>(REC_COLUMN_WEIGHT); }
  const int32_t* history() const { return get<int32_t>(REC_COLUMN_HISTORY); }  // [n_rows, history_width], -1 = none
  int64_t history_width() const { return column(REC_COLUMN_HISTORY).shape[1]; }
  const int32_t* history_lengths() const { return get<int32_t>(REC_COLUMN_HISTORY_LENGTH); }

  template <class T>
  const T* get(int32_t id) const {
    return static_cast<const T*>(column(id).data);
  }
  const rec_tensor_view_t& column(int32_t id) const {
    for (int32_t i = 0; i < raw.n_columns; ++i)
      if (raw.columns[i].column_id == id) return raw.columns[i].view;
    throw Failure{REC_INVALID_ARGUMENT, "the batch lacks column " + std::to_string(id)};
  }
};

// Host services with the call they belong to.
struct Context {
  const rec_host_t& host;
  rec_call_t* call;
};

// What every model of this tree is, in C++; plugin.h turns it into the C table. A slot that a model does not offer is
// never called: its capability is not set.
class Model {
 public:
  virtual ~Model() = default;
  virtual void initialize(const Context& context, int64_t seed) = 0;
  virtual void bind(const Context& context, const rec_dataset_view_t& view) = 0;
  virtual double compute(const Context& context, const Batch& batch) = 0;
  virtual void apply(const Context& context) = 0;
  virtual std::vector<TensorRef> tensors() = 0;
  // Before tensors are read: state that lags behind comes up to date.
  virtual void settle(const Context&) {}
  // After tensors were written.
  virtual void restored() {}
  virtual void freeze(const Context& context) = 0;

  virtual void score_live(const Context&, const Batch&, float*) {
    throw Failure{REC_UNSUPPORTED, "score_live is not offered"};
  }
  virtual rec_tensor_view_t gradients(int64_t) { throw Failure{REC_UNSUPPORTED, "gradients are not offered"}; }
  virtual rec_tensor_view_t table(int32_t) const { throw Failure{REC_UNSUPPORTED, "tables are not offered"}; }
  virtual void item_weights(rec_csr_t&, const float*&) const {
    throw Failure{REC_UNSUPPORTED, "item weights are not offered"};
  }
  virtual void encode(const Context&, const Batch&, float*) const {
    throw Failure{REC_UNSUPPORTED, "encode is not offered"};
  }
  virtual void score(const Context&, const Batch&, float*) const {
    throw Failure{REC_UNSUPPORTED, "score is not offered"};
  }
};

inline rec_tensor_view_t host_view(const void* data, int32_t dtype, int64_t rows, int64_t columns) {
  return {const_cast<void*>(data), dtype, 2, REC_DEVICE_CPU, 0, {rows, columns}, {columns, 1}};
}

}  // namespace rec::plugin
