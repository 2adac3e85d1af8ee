// SimpleX, a model outside the library's tree whose gradient comes from LibTorch. K. Mao et al.: "SimpleX: A Simple and
// Strong Baseline for Collaborative Filtering", CIKM 2021, with average pooling of the user's history:
//   h_u = g e_u + (1 - g) V p_u,   p_u = mean of e_i over the items i that u has,   score(u, i) = cos(h_u, e_i)
// Deviation: no dropout on h_u, and a history is all training items of the user (the positive of the row too), not a few.
//
// Copy this file to start such a plugin. It needs rec_plugin_api.h and LibTorch, and links nothing of the library. Both
// tables of vectors go into the model file, so whoever serves the model needs neither this plugin nor LibTorch.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "rec_plugin_api.h"

namespace {

using at::Tensor;

const rec_host_t* host = nullptr;  // written once, by init

// ---- the paper. B rows, C candidates with the positive first, d = emb_size ----------------------------------------

Tensor unit(const Tensor& x) { return x / x.norm(2, {-1}, true).clamp_min(1e-12); }

// h_u = g e_u + (1 - g) V p_u        e_u, p_u: [B, d],  V: [d, d]
Tensor aggregated(const Tensor& e_u, const Tensor& p_u, const Tensor& V, double g) {
  return g * e_u + (1 - g) * p_u.matmul(V.t());
}

// p_u, the mean of a list of rows of E for each user; 0 for an empty list.    items: [sum of lengths], starts: [B]
Tensor pooled(const Tensor& E, const Tensor& items, const Tensor& starts) {
  constexpr int64_t kMean = 1;
  return std::get<0>(at::embedding_bag(E, items, starts, false, kMean));
}

// cos(h_u, e_i)        h: [B, d],  e: [B, C, d] -> [B, C]
Tensor cosines(const Tensor& h, const Tensor& e) { return unit(e).bmm(unit(h).unsqueeze(2)).squeeze(2); }

// L_CCL = mean over rows of  (1 - y_ui) + w / |N| sum over j in N of max(0, y_uj - m)        y: [B, C]
Tensor cosine_contrastive_loss(const Tensor& y, double m, double w) {
  const Tensor positive = y.select(1, 0), negatives = y.slice(1, 1);
  return (1 - positive).mean() + w * (negatives - m).relu().mean();
}

// ---- state: named tensors, and nothing else -----------------------------------------------------------------------

// A matrix [n, d] with Adam's state. All four go through get_tensor and set_tensor: that makes a resume exact.
struct Parameter {
  Parameter(const std::string& name, int64_t n, int64_t d)
      : names{name, name + ".first_moment", name + ".second_moment", name + ".last_step"},
        tensors{at::zeros({n, d}), at::zeros({n, d}), at::zeros({n, d}), at::zeros({n}, at::kLong)} {}

  const Tensor& value() const { return tensors[0]; }
  int64_t step() const { return tensors[3][0].item<int64_t>(); }
  void initialize(int64_t seed, int32_t stream, float deviation) {
    for (Tensor& tensor : tensors) tensor.zero_();
    const int64_t d = value().size(1);
    for (int64_t row = 0; row < value().size(0); ++row)  // keyed by row: the same for any number of threads
      host->random_normal(seed, stream, 0, row, 0, deviation, value().data_ptr<float>() + row * d, d);
  }

  std::array<std::string, 4> names;
  std::array<Tensor, 4> tensors;
};

struct Model {
  Model(const rec_params_t* values, const rec_schema_t* schema)
      : lr(host->param_float(values, "lr")),
        l2(host->param_float(values, "l2")),
        g(host->param_float(values, "gamma")),
        m(host->param_float(values, "margin")),
        w(host->param_float(values, "negative_weight")),
        init_std(static_cast<float>(host->param_float(values, "init_std"))),
        d(host->param_int(values, "emb_size")),
        parameters{{{"user", schema->n_users, d}, {"item", schema->n_items, d}, {"V", d, d}}} {}

  double lr, l2, g, m, w;
  float init_std;
  int64_t d;
  std::array<Parameter, 3> parameters;
  std::vector<Tensor> gradients;  // of the last compute, one for each parameter
  std::vector<float> adam_steps;  // step sizes, a table of the host's
  rec_csr_t graph{};              // distinct items of each user; the host's memory
  Tensor user_table, item_table;  // for serving: a score is their product
};

// ---- the slots ----------------------------------------------------------------------------------------------------

const rec_param_t kParams[] = {
    {"emb_size", REC_PARAM_INT, 0, "64", 1, 1024, nullptr, "length of user and item vectors"},
    {"gamma", REC_PARAM_FLOAT, 0, "0.5", 0, 1, nullptr, "weight of the user's own vector beside the pooled history"},
    {"margin", REC_PARAM_FLOAT, 0, "0.4", -1, 1, nullptr, "cosine from which a negative counts"},
    {"negative_weight", REC_PARAM_FLOAT, 0, "10", 0, 10000, nullptr, "weight of the mean over negatives"},
    {"lr", REC_PARAM_FLOAT, 0, "0.001", 1e-8, 10, nullptr, "learning rate of Adam"},
    {"l2", REC_PARAM_FLOAT, 0, "0", 0, 10, nullptr, "weight decay of Adam"},
    {"init_std", REC_PARAM_FLOAT, 0, "0.1", 1e-8, 10, nullptr, "deviation of the normal start"},
    {"num_neg", REC_PARAM_INT, 0, "64", 1, 100000, nullptr, "negatives of a row; the paper wants many"},
};
constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_DETERMINISTIC;

// Nothing leaves a slot but a status and a text: LibTorch throws, the library is C.
template <class Body>
rec_status_t guarded(rec_call_t* call, Body&& body) noexcept {
  try {
    // The host's threads belong to the host; LibTorch's would fight with them, and sums would depend on their number.
    if (at::get_num_threads() != 1) at::set_num_threads(1);
    body();
    return REC_OK;
  } catch (const std::bad_alloc&) {
    return host->fail(call, REC_OUT_OF_MEMORY, "simplex: out of memory");
  } catch (const std::exception& error) {
    return host->fail(call, REC_PLUGIN_FAILED, error.what());
  } catch (...) {
    return host->fail(call, REC_PLUGIN_FAILED, "simplex: an exception of an unknown type");
  }
}

Model& of(rec_plugin_model_t* model) { return *reinterpret_cast<Model*>(model); }
const Model& of(const rec_plugin_model_t* model) { return *reinterpret_cast<const Model*>(model); }

rec_status_t init(rec_call_t*, const rec_host_t* given) {
  host = given;
  return REC_OK;
}

rec_status_t plan(rec_call_t*, const rec_params_t* values, const rec_schema_t* schema, rec_plan_t* out) {
  const int64_t d = host->param_int(values, "emb_size");
  const int64_t candidates = host->param_int(values, "batch_size") * (1 + host->param_int(values, "num_neg"));
  out->rows = REC_PLAN_INTERACTIONS;
  out->negatives = REC_NEGATIVES_SAMPLED;
  out->wants_graph = 1;
  out->capabilities = kCapabilities;
  out->memory_bytes = 4 * d * (6 * (schema->n_users + schema->n_items + d) + 4 * candidates);
  out->columns[out->n_columns++] = REC_COLUMN_USER;
  out->columns[out->n_columns++] = REC_COLUMN_ITEM;
  return REC_OK;
}

rec_status_t create(rec_call_t* call, const rec_params_t* values, const rec_schema_t* schema,
                    rec_plugin_model_t** out) {
  return guarded(call, [&] { *out = reinterpret_cast<rec_plugin_model_t*>(new Model(values, schema)); });
}

void destroy(rec_plugin_model_t* model) { delete reinterpret_cast<Model*>(model); }

rec_status_t initialize(rec_call_t* call, rec_plugin_model_t* model, int64_t seed) {
  return guarded(call, [&] {
    for (int32_t p = 0; p < 3; ++p) of(model).parameters[p].initialize(seed, p, of(model).init_std);  // p: the stream
  });
}

rec_status_t bind(rec_call_t*, rec_plugin_model_t* model, const rec_dataset_view_t* view) {
  of(model).graph = view->graph_users;
  return REC_OK;
}

// A copy as int64, which is what LibTorch takes for an index.
Tensor column(const rec_batch_t* batch, int32_t id) {
  for (int32_t c = 0; c < batch->n_columns; ++c)
    if (const rec_tensor_view_t& view = batch->columns[c].view; batch->columns[c].column_id == id)
      return at::from_blob(view.data, at::IntArrayRef(view.shape, view.n_dims), at::kInt).to(at::kLong);
  throw std::invalid_argument("simplex: the batch lacks column " + std::to_string(id));
}

// h_u of the listed users with the parameters E_user, E_item and V.
Tensor vectors_of(const Model& model, const Tensor& users, const std::vector<Tensor>& E) {
  if (model.graph.offsets == nullptr) throw std::logic_error("simplex: no data are bound");
  std::vector<int64_t> items, starts;
  for (int64_t b = 0; b < users.size(0); ++b) {
    const int64_t user = users.data_ptr<int64_t>()[b];
    starts.push_back(static_cast<int64_t>(items.size()));
    items.insert(items.end(), model.graph.columns + model.graph.offsets[user],
                 model.graph.columns + model.graph.offsets[user + 1]);
  }
  const Tensor p_u = pooled(E[1], at::tensor(items, at::kLong), at::tensor(starts, at::kLong));
  return aggregated(E[0].index_select(0, users), p_u, E[2], model.g);
}

rec_status_t compute(rec_call_t* call, rec_plugin_model_t* handle, const rec_batch_t* batch, double* out_loss) {
  return guarded(call, [&] {
    Model& model = of(handle);
    std::vector<Tensor> E;
    for (const Parameter& parameter : model.parameters) E.push_back(parameter.value().detach().requires_grad_());
    const Tensor users = column(batch, REC_COLUMN_USER), items = column(batch, REC_COLUMN_ITEM);
    const Tensor candidates = E[1].index_select(0, items.flatten()).view({items.size(0), items.size(1), model.d});
    const Tensor y = cosines(vectors_of(model, users, E), candidates);
    const Tensor loss = cosine_contrastive_loss(y, model.m, model.w);
    model.gradients = torch::autograd::grad({loss}, E);
    *out_loss = loss.item<double>();
  });
}

rec_status_t apply(rec_call_t* call, rec_plugin_model_t* handle) {
  return guarded(call, [&] {
    Model& model = of(handle);
    const int64_t step = model.parameters[0].step() + 1;
    if (static_cast<int64_t>(model.adam_steps.size()) < 2 * (step + 1)) {
      model.adam_steps.resize(static_cast<size_t>(4 * (step + 1)));
      host->adam_steps(model.lr, 0.9, 0.999, 2 * step + 1, model.adam_steps.data());
    }
    for (size_t p = 0; p < model.parameters.size(); ++p) {
      const auto& [value, first, second, last_step] = model.parameters[p].tensors;
      const int64_t n = value.size(0);
      const rec_adam_t adam = {sizeof(rec_adam_t),
                               0,
                               value.data_ptr<float>(),
                               first.data_ptr<float>(),
                               second.data_ptr<float>(),
                               last_step.data_ptr<int64_t>(),
                               n,
                               model.d,
                               model.adam_steps.data(),
                               0.9,
                               0.999,
                               1e-8,
                               model.l2};
      const Tensor gradient = model.gradients[p].contiguous();
      if (host->adam(call, &adam, step, nullptr, n, gradient.data_ptr<float>()) != REC_OK)
        throw std::runtime_error("simplex: the optimiser's step failed");
    }
  });
}

constexpr int64_t kEach = 4;  // tensors of a parameter

int64_t tensor_count(const rec_plugin_model_t*) { return 3 * kEach; }

const Tensor& tensor_at(const rec_plugin_model_t* model, int64_t i) {
  return of(model).parameters.at(static_cast<size_t>(i / kEach)).tensors[i % kEach];
}

rec_status_t tensor_info(rec_call_t* call, const rec_plugin_model_t* model, int64_t i, rec_tensor_info_t* out) {
  return guarded(call, [&] {
    const Tensor& tensor = tensor_at(model, i);
    out->name = of(model).parameters[i / kEach].names[i % kEach].c_str();
    out->dtype = tensor.scalar_type() == at::kLong ? REC_DTYPE_I64 : REC_DTYPE_F32;
    out->kind = i % kEach == 0 ? REC_TENSOR_PARAMETER : REC_TENSOR_OPTIMIZER;
    out->n_dims = static_cast<int32_t>(tensor.dim());
    for (int64_t k = 0; k < tensor.dim(); ++k) out->shape[k] = tensor.size(k);
  });
}

rec_status_t get_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, void* out) {
  return guarded(call, [&] { std::memcpy(out, tensor_at(model, i).data_ptr(), tensor_at(model, i).nbytes()); });
}

rec_status_t set_tensor(rec_call_t* call, rec_plugin_model_t* model, int64_t i, const void* data) {
  return guarded(call, [&] { std::memcpy(tensor_at(model, i).data_ptr(), data, tensor_at(model, i).nbytes()); });
}

rec_status_t freeze(rec_call_t* call, rec_plugin_model_t* handle) {
  return guarded(call, [&] {
    const at::NoGradGuard no_grad;
    Model& model = of(handle);
    const auto& [user, item, V] = model.parameters;
    const Tensor everybody = at::arange(user.value().size(0), at::kLong);
    model.user_table = unit(vectors_of(model, everybody, {user.value(), item.value(), V.value()})).contiguous();
    model.item_table = unit(item.value()).contiguous();
  });
}

rec_status_t get_table(rec_call_t* call, const rec_plugin_model_t* model, int32_t which, rec_tensor_view_t* out) {
  return guarded(call, [&] {
    const Tensor& t = which == REC_TABLE_USER ? of(model).user_table : of(model).item_table;
    *out = {t.data_ptr(), REC_DTYPE_F32, 2, REC_DEVICE_CPU, 0, {t.size(0), t.size(1)}, {t.size(1), 1}};
  });
}

// Slots of other ways to serve stay NULL.
constexpr rec_plugin_t kTable = {
    .struct_size = sizeof(rec_plugin_t),
    .abi_major = REC_PLUGIN_ABI_MAJOR,
    .abi_minor = REC_PLUGIN_ABI_MINOR,
    .name = "simplex",
    .version = "1.0.0",
    .doc = "cosines of pooled histories under the cosine contrastive loss",
    .paper = "Mao et al., SimpleX: A Simple and Strong Baseline for Collaborative Filtering, CIKM 2021",
    .model_version = 1,
    .capabilities = kCapabilities,
    .params = kParams,
    .n_params = sizeof kParams / sizeof *kParams,
    .init = init,
    .plan = plan,
    .create = create,
    .destroy = destroy,
    .initialize = initialize,
    .bind = bind,
    .compute = compute,
    .apply = apply,
    .tensor_count = tensor_count,
    .tensor_info = tensor_info,
    .get_tensor = get_tensor,
    .set_tensor = set_tensor,
    .freeze = freeze,
    .get_table = get_table};

}  // namespace

// "libtorch": the library runs this plugin in a worker process unless told otherwise, as two LibTorch cannot share one.
REC_PLUGIN_ENTRY(simplex, "1.0.0", "libtorch") {
  (void)host;
  return &kTable;
}
