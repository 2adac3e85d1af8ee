// The base class of a model, and the C table over it. Part of rec_plugin_cpp.h.
#pragma once

#include <cstring>
#include <memory>
#include <utility>

#include "recore/plugin_parameter.h"

namespace rec::plugin {

// A model is a list of trained parameters, other state, and the equations. Only the slots behind the capabilities that a
// model declares are ever called. See rec_plugin_t for the order of calls and for what each may assume.
class Model {
 public:
  virtual ~Model() = default;

  // Every trained tensor. `state` appends whatever else a resumed training needs.
  virtual std::vector<Parameter*> parameters() { return {}; }
  virtual void append_state(std::vector<TensorRef>&) {}

  // Starts parameter i from random stream i.
  virtual void initialize(const Context& context, int64_t seed) {
    int32_t stream = 0;
    for (Parameter* parameter : parameters()) parameter->initialize(context, seed, stream++);
  }
  virtual void bind(const Context&, const rec_dataset_view_t&) {}
  // Forward and backward of a batch; gives the loss.
  virtual double compute(const Context& context, const Batch& batch) = 0;
  // The optimiser's step of every parameter. Small ones run side by side, since none is worth splitting among threads.
  virtual void apply(const Context& context) {
    constexpr int64_t kSmall = 65536;
    std::vector<Parameter*> all = parameters();
    const auto large =
        std::stable_partition(all.begin(), all.end(), [](Parameter* p) { return p->step_size() < kSmall; });
    parallel_for(context, large - all.begin(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) all[i]->step(context);
    });
    std::for_each(large, all.end(), [&](Parameter* parameter) { parameter->step(context); });
  }
  // After tensors were written.
  virtual void restored() {
    for (Parameter* parameter : parameters()) parameter->restored();
  }
  // Makes what serving reads. Every parameter is up to date.
  virtual void freeze(const Context&) {}

  virtual void score_live(const Context&, const Batch&, float*) { throw missing("score_live"); }
  virtual rec_tensor_view_t table(int32_t) const { throw missing("get_table"); }
  virtual void item_weights(rec_csr_t&, const float*&) const { throw missing("get_item_weights"); }
  virtual void encode(const Context&, const Batch&, float*) const { throw missing("encode"); }
  virtual void score(const Context&, const Batch&, float*) const { throw missing("score"); }

  std::vector<TensorRef> tensors() {
    std::vector<TensorRef> out;
    for (Parameter* parameter : parameters()) parameter->append_tensors(out);
    append_state(out);
    return out;
  }
  // Brings every row of every parameter up to date.
  void settle(const Context& context) {
    for (Parameter* parameter : parameters()) parameter->catch_up_all(context);
  }
  rec_tensor_view_t gradients(int64_t i) {
    const std::string name = tensors().at(i).name;
    for (Parameter* parameter : parameters())
      if (parameter->name() == name) return parameter->gradient_view();
    throw Failure{REC_INVALID_ARGUMENT, "tensor '" + name + "' has no gradient"};
  }

 private:
  static Failure missing(const char* slot) {
    return {REC_UNSUPPORTED, std::string("the model does not implement ") + slot};
  }
};

// The slots of a model class M. M has
//   M::Options                       void declare(Fields&), and if some values follow from others or must fit the data
//                                    set, void complete(const rec_schema_t&)
//   M::plan(options, schema, plan)   plan.capabilities is preset to those of the table
//   M(options, schema), or M::make(options, schema) -> unique_ptr<Model> where the options choose the class
//   int64_t warm_start(infos, data, n), optional
template <class M>
class Slots {
 public:
  static void fill(rec_plugin_t& table) {
    const int64_t capabilities = capabilities_ = table.capabilities;
    static Fields fields;
    typename M::Options options{};
    options.declare(fields);
    table.params = fields.declared().data();
    table.n_params = static_cast<int64_t>(fields.declared().size());
    table.init = init;
    table.plan = plan;
    table.create = create;
    table.destroy = [](rec_plugin_model_t* handle) { delete &model(handle); };
    table.initialize = initialize;
    table.bind = bind;
    table.compute = compute;
    table.apply = apply;
    table.tensor_count = tensor_count;
    table.tensor_info = tensor_info;
    table.get_tensor = get_tensor;
    table.set_tensor = set_tensor;
    table.freeze = freeze;
    const auto has = [capabilities](int64_t any) { return (capabilities & any) != 0; };
    if (has(REC_CAP_GRADIENTS)) table.gradients = gradients;
    if (has(REC_CAP_SCORE_LIVE)) table.score_live = score_live;
    if (has(REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_VECTORS)) table.get_table = get_table;
    if (has(REC_CAP_ITEM_WEIGHTS)) table.get_item_weights = get_item_weights;
    if (has(REC_CAP_ENCODE)) table.encode = encode;
    if (has(REC_CAP_SCORE)) table.score = score;
    if constexpr (requires { &M::warm_start; }) table.warm_start = warm_start;
  }

 private:
  static inline const rec_host_t* host_ = nullptr;  // written once, by init
  static inline int64_t capabilities_ = 0;          // written once, before init

  // Runs the body of a slot; nothing but a status and a text leaves it.
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
  static const Model& model(const rec_plugin_model_t* handle) { return *reinterpret_cast<const Model*>(handle); }
  static TensorRef tensor(const rec_plugin_model_t* handle, int64_t i) {
    return model(const_cast<rec_plugin_model_t*>(handle)).tensors().at(i);
  }
  static size_t bytes_of(const TensorRef& ref) {
    size_t n = ref.dtype == REC_DTYPE_F64 || ref.dtype == REC_DTYPE_I64 ? 8 : ref.dtype == REC_DTYPE_U8 ? 1 : 4;
    for (int64_t extent : ref.shape) n *= static_cast<size_t>(extent);
    return n;
  }
  static typename M::Options options_of(const Context& context, const rec_params_t& params,
                                        const rec_schema_t& schema) {
    typename M::Options options{};
    Fields fields(context, params);
    options.declare(fields);
    if constexpr (requires { options.complete(schema); }) options.complete(schema);
    return options;
  }

  static rec_status_t init(rec_call_t*, const rec_host_t* host) {
    host_ = host;
    return REC_OK;
  }
  static rec_status_t plan(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                           rec_plan_t* out_plan) {
    return guarded(call, [&](const Context& context) {
      out_plan->capabilities = capabilities_;
      M::plan(options_of(context, *params, *schema), *schema, *out_plan);
    });
  }
  static rec_status_t create(rec_call_t* call, const rec_params_t* params, const rec_schema_t* schema,
                             rec_plugin_model_t** out_model) {
    return guarded(call, [&](const Context& context) {
      const typename M::Options options = options_of(context, *params, *schema);
      std::unique_ptr<Model> made;
      if constexpr (requires { M::make(options, *schema); })
        made = M::make(options, *schema);
      else
        made = std::make_unique<M>(options, *schema);
      *out_model = reinterpret_cast<rec_plugin_model_t*>(made.release());
    });
  }
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
    return static_cast<int64_t>(model(const_cast<rec_plugin_model_t*>(handle)).tensors().size());
  }
  static rec_status_t tensor_info(rec_call_t* call, const rec_plugin_model_t* handle, int64_t i,
                                  rec_tensor_info_t* out_info) {
    return guarded(call, [&](const Context&) {
      const TensorRef ref = tensor(handle, i);
      *out_info = {ref.name, ref.dtype, ref.kind, static_cast<int32_t>(ref.shape.size()), 0, {}, ref.min, ref.max};
      std::copy(ref.shape.begin(), ref.shape.end(), out_info->shape);
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
    return guarded(call, [&](const Context&) {
      const int64_t needed = (which == REC_TABLE_USER ? REC_CAP_USER_TABLE : REC_CAP_ITEM_TABLE) | REC_CAP_VECTORS;
      if ((capabilities_ & needed) == 0)
        throw Failure{REC_UNSUPPORTED,
                      which == REC_TABLE_USER ? "the model has no user table" : "the model has no item table"};
      *out_view = model(handle).table(which);
    });
  }
  static rec_status_t get_item_weights(rec_call_t* call, const rec_plugin_model_t* handle, rec_csr_t* out_csr,
                                       const float** out_weights) {
    return guarded(call, [&](const Context&) { model(handle).item_weights(*out_csr, *out_weights); });
  }
  static rec_status_t encode(rec_call_t* call, const rec_plugin_model_t* handle, const rec_batch_t* queries,
                             float* out_vectors) {
    return guarded(call, [&](const Context& context) { model(handle).encode(context, Batch{*queries}, out_vectors); });
  }
  static rec_status_t score(rec_call_t* call, const rec_plugin_model_t* handle, const rec_batch_t* queries,
                            float* out_scores) {
    return guarded(call, [&](const Context& context) { model(handle).score(context, Batch{*queries}, out_scores); });
  }
  static rec_status_t warm_start(rec_call_t* call, rec_plugin_model_t* handle, const rec_tensor_info_t* infos,
                                 const void* const* data, int64_t n, int64_t* out_taken) {
    return guarded(call, [&](const Context&) {
      if constexpr (requires { &M::warm_start; })
        *out_taken = static_cast<M&>(model(handle)).warm_start(infos, data, n);
    });
  }
};

// The C table of a model class, for REC_PLUGIN_ENTRY. Name, version, doc and ABI are those of the note.
template <class M>
const rec_plugin_t* table(const rec_plugin_note_t& note, int64_t capabilities, int32_t model_version, const char* paper) {
  static const rec_plugin_t made = [&] {
    rec_plugin_t out{};
    out.struct_size = sizeof out;
    out.abi_major = note.abi_major;
    out.abi_minor = note.abi_minor;
    out.min_host_minor = note.min_host_minor;
    out.name = note.model;
    out.version = note.version;
    out.doc = note.doc;
    out.paper = paper;
    out.model_version = model_version;
    out.capabilities = capabilities;
    Slots<M>::fill(out);
    return out;
  }();
  return &made;
}

}  // namespace rec::plugin
