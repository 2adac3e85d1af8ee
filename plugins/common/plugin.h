#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "plugins/common/model.h"

// The C table over a rec::plugin::Model: guards every slot, moves named tensors. One instance per plugin.
namespace rec::plugin {

template <class M>
class Table {
 public:
  // Fills the slots that every model has; capabilities decide which optional ones are non-NULL.
  static constexpr rec_plugin_t make(const char* name, const char* version, const char* doc, const char* paper,
                                     int32_t model_version, int64_t capabilities, const rec_param_t* params,
                                     int64_t n_params) {
    rec_plugin_t table{};
    table.struct_size = sizeof table;
    table.abi_major = REC_PLUGIN_ABI_MAJOR;
    table.abi_minor = REC_PLUGIN_ABI_MINOR;
    table.name = name;
    table.version = version;
    table.doc = doc;
    table.paper = paper;
    table.model_version = model_version;
    table.capabilities = capabilities;
    table.params = params;
    table.n_params = n_params;
    table.init = init;
    table.plan = plan;
    table.create = create;
    table.destroy = destroy;
    table.initialize = initialize;
    table.bind = bind;
    table.compute = compute;
    table.apply = apply;
    if ((capabilities & REC_CAP_GRADIENTS) != 0) table.gradients = gradients;
    if ((capabilities & REC_CAP_SCORE_LIVE) != 0) table.score_live = score_live;
    table.tensor_count = tensor_count;
    table.tensor_info = tensor_info;
    table.get_tensor = get_tensor;
    table.set_tensor = set_tensor;
    table.freeze = freeze;
    if ((capabilities & (REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE)) != 0) table.get_table = get_table;
    if ((capabilities & REC_CAP_ITEM_WEIGHTS) != 0) table.get_item_weights = get_item_weights;
    if ((capabilities & REC_CAP_ENCODE) != 0) table.encode = encode;
    if ((capabilities & REC_CAP_SCORE) != 0) table.score = score;
    if constexpr (requires { &M::warm_start; }) table.warm_start = warm_start;
    return table;
  }

 private:
  static inline const rec_host_t* host_ = nullptr;  // written once, by init

  // Nothing leaves a slot but a status and a text.
  template <class Body>
  static rec_status_t guarded(rec_call_t* call, Body&& body) noexcept {
    try {
      body(Context{*host_, call});
      return REC_OK;
    } catch (const Failure& failure) {
      if (failure.message.empty()) return failure.status;
      return host_->fail(call, failure.status, failure.message.c_str());
    } catch (const std::bad_alloc&) {
      return host_->fail(call, REC_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
      return host_->fail(call, REC_PLUGIN_FAILED, error.what());
    } catch (...) {
      return host_->fail(call, REC_PLUGIN_FAILED, "an exception of an unknown type");
    }
  }
  static Model& model(rec_plugin_model_t* handle) { return *reinterpret_cast<Model*>(handle); }
  static Model& model(const rec_plugin_model_t* handle) {
    return *reinterpret_cast<Model*>(const_cast<rec_plugin_model_t*>(handle));
  }

  static rec_status_t init(rec_call_t*, const rec_host_t* host) {
    host_ = host;
    return REC_OK;
  }
  static rec_status_t plan(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                           rec_plan_t* out_plan) {
    return guarded(call, [&](const Context& context) { M::plan(context, *params, *schema, *out_plan); });
  }
  static rec_status_t create(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                             rec_plugin_model_t** out_model) {
    return guarded(call, [&](const Context& context) {
      std::unique_ptr<Model> made;
      if constexpr (requires { M::make(context, *params, *schema); })  // a plugin whose parameters choose the class
        made = M::make(context, *params, *schema);
      else
        made = std::make_unique<M>(context, *params, *schema);
      *out_model = reinterpret_cast<rec_plugin_model_t*>(made.release());
    });
  }
  static void destroy(rec_plugin_model_t* handle) { delete &model(handle); }
  static rec_status_t initialize(rec_call_t* call, rec_plugin_model_t* handle, int64_t seed) {
    return guarded(call, [&](const Context& context) { model(handle).initialize(context, seed); });
  }
  static rec_status_t bind(rec_call_t* call, rec_plugin_model_t* handle, const rec_dataset_view_t* view) {
    return guarded(call, [&](const Context& context) { model(handle).bind(context, *view); });
  }
  static rec_status_t compute(rec_call_t* call, rec_plugin_model_t* handle, const rec_batch_t* batch,
                              double* out_loss) {
    return guarded(call, [&](const Context& context) { *out_loss = model(handle).compute(context, Batch{*batch}); });
  }
  static rec_status_t apply(rec_call_t* call, rec_plugin_model_t* handle) {
    return guarded(call, [&](const Context& context) { model(handle).apply(context); });
  }
  static rec_status_t gradients(rec_call_t* call, rec_plugin_model_t* handle, int64_t i, rec_tensor_view_t* out_view) {
    return guarded(call, [&](const Context&) { *out_view = model(handle).gradients(i); });
  }
  static rec_status_t score_live(rec_call_t* call, rec_plugin_model_t* handle, const rec_batch_t* batch,
                                 float* out_scores) {
    return guarded(call, [&](const Context& context) { model(handle).score_live(context, Batch{*batch}, out_scores); });
  }
  static int64_t tensor_count(const rec_plugin_model_t* handle) {
    return static_cast<int64_t>(model(handle).tensors().size());
  }
  static TensorRef tensor(const rec_plugin_model_t* handle, int64_t i) {
    std::vector<TensorRef> tensors = model(handle).tensors();
    if (i < 0 || i >= static_cast<int64_t>(tensors.size()))
      throw Failure{REC_INVALID_ARGUMENT, "there is no such tensor"};
    return tensors[static_cast<size_t>(i)];
  }
  static size_t bytes_of(const TensorRef& tensor) {
    size_t bytes = tensor.dtype == REC_DTYPE_F64 || tensor.dtype == REC_DTYPE_I64 ? 8
                   : tensor.dtype == REC_DTYPE_U8                                 ? 1
                                                                                  : 4;
    for (int64_t extent : tensor.shape) bytes *= static_cast<size_t>(extent);
    return bytes;
  }
  static rec_status_t tensor_info(rec_call_t* call, const rec_plugin_model_t* handle, int64_t i,
                                  rec_tensor_info_t* out_info) {
    return guarded(call, [&](const Context&) {
      const TensorRef ref = tensor(handle, i);
      *out_info = {ref.name, ref.dtype, ref.kind, static_cast<int32_t>(ref.shape.size()), 0, {}};
      for (size_t k = 0; k < ref.shape.size(); ++k) out_info->shape[k] = ref.shape[k];
    });
  }
  static rec_status_t get_tensor(rec_call_t* call, rec_plugin_model_t* handle, int64_t i, void* out_data) {
    return guarded(call, [&](const Context& context) {
      model(handle).settle(context);
      const TensorRef ref = tensor(handle, i);
      if (const size_t n = bytes_of(ref); n > 0) std::memcpy(out_data, ref.data, n);
    });
  }
  static rec_status_t set_tensor(rec_call_t* call, rec_plugin_model_t* handle, int64_t i, const void* data) {
    return guarded(call, [&](const Context&) {
      const TensorRef ref = tensor(handle, i);
      if (const size_t n = bytes_of(ref); n > 0) std::memcpy(ref.data, data, n);
      model(handle).restored();
    });
  }
  static rec_status_t freeze(rec_call_t* call, rec_plugin_model_t* handle) {
    return guarded(call, [&](const Context& context) {
      model(handle).settle(context);
      model(handle).freeze(context);
    });
  }
  static rec_status_t get_table(rec_call_t* call, const rec_plugin_model_t* handle, int32_t which,
                                rec_tensor_view_t* out_view) {
    return guarded(call, [&](const Context&) { *out_view = model(handle).table(which); });
  }
  static rec_status_t get_item_weights(rec_call_t* call, const rec_plugin_model_t* handle, rec_csr_t* out_csr,
                                       const float** out_weights) {
    return guarded(call, [&](const Context&) { model(handle).item_weights(*out_csr, *out_weights); });
  }
  static rec_status_t encode(rec_call_t* call, const rec_plugin_model_t* handle, const rec_batch_t* queries,
                             float* out_vectors) {
    return guarded(call, [&](const Context& context) {
      std::as_const(model(handle)).encode(context, Batch{*queries}, out_vectors);
    });
  }
  static rec_status_t score(rec_call_t* call, const rec_plugin_model_t* handle, const rec_batch_t* queries,
                            float* out_scores) {
    return guarded(call, [&](const Context& context) {
      std::as_const(model(handle)).score(context, Batch{*queries}, out_scores);
    });
  }
  static rec_status_t warm_start(rec_call_t* call, rec_plugin_model_t* handle, const rec_tensor_info_t* infos,
                                 const void* const* data, int64_t n, int64_t* out_taken) {
    return guarded(call, [&](const Context&) {
      if constexpr (requires { &M::warm_start; })
        *out_taken = static_cast<M&>(model(handle)).warm_start(infos, data, n);
    });
  }
};

}  // namespace rec::plugin
