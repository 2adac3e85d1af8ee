#include "core/plugin/model.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "core/base/checked.h"
#include "core/base/text.h"

namespace rec {

namespace {

// Calls one slot and turns a bad status or an exception into rec::Error.
template <class Slot, class... Args>
void call_slot(const Plugin& plugin, const Params* params, const char* name, rec_call_t& call, Slot slot,
               Args... args) {
  rec_status_t status;
  try {
    status = slot(&call, args...);
  } catch (const std::exception& error) {
    throw Error(REC_PLUGIN_FAILED,
                cat("plugin '", plugin.name(), "' let an exception leave ", name, ": ", error.what()));
  } catch (...) {
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin.name(), "' let an exception leave ", name));
  }
  if (params != nullptr && !params->undeclared.empty())
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin.name(), "' asked for a parameter it does not declare: '",
                                       params->undeclared, "'"));
  if (status == REC_OK) return;
  if (status < REC_OK || status > REC_INTERNAL)
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin.name(), "': ", name, " gave the unknown status ", status));
  throw Error(status, call.message.empty() ? cat("plugin '", plugin.name(), "': ", name, " failed") : call.message);
}

void check_columns(const Plugin& plugin, const char* what, const int32_t* columns, int32_t n, std::set<int32_t> built) {
  if (n < 0 || n > REC_PLAN_MAX_COLUMNS)
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin.name(), "' plans ", n, " ", what));
  for (int32_t i = 0; i < n; ++i)
    if (!built.contains(columns[i]))
      throw Error(REC_UNSUPPORTED, cat("plugin '", plugin.name(), "' wants column ", columns[i], " among its ", what,
                                       "; this version of the library does not build it"));
}

// The batches this version builds: for each kind of rows its columns and negatives.
void check_batches(const Plugin& plugin, const rec_plan_t& plan) {
  struct Kind {
    int32_t rows;
    std::set<int32_t> columns, negatives;
  };
  static const Kind kKinds[] = {
      {REC_PLAN_INTERACTIONS,
       {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_WEIGHT, REC_COLUMN_TIME, REC_COLUMN_HISTORY,
        REC_COLUMN_HISTORY_LENGTH, REC_COLUMN_HISTORY_TIME, REC_COLUMN_LOG_Q},
       {REC_NEGATIVES_NONE, REC_NEGATIVES_SAMPLED, REC_NEGATIVES_IN_BATCH}},
      {REC_PLAN_ITEMS, {REC_COLUMN_ITEM}, {REC_NEGATIVES_NONE}},
      {REC_PLAN_USERS, {REC_COLUMN_USER}, {REC_NEGATIVES_NONE}},
      {REC_PLAN_SESSIONS,
       {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_HISTORY, REC_COLUMN_SESSION_RESET, REC_COLUMN_SLOT_KEEP,
        REC_COLUMN_SHARED_ITEM},
       {REC_NEGATIVES_NONE, REC_NEGATIVES_SHARED}},
      {REC_PLAN_LISTS, {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_IMPRESSION_MASK}, {REC_NEGATIVES_NONE}},
      {REC_PLAN_LABELLED,
       {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_LABEL, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH,
        REC_COLUMN_HISTORY_TIME},
       {REC_NEGATIVES_NONE}},
  };
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](auto& k) { return k.rows == plan.rows; });
  if (kind == std::end(kKinds) || !kind->negatives.contains(plan.negatives))
    throw Error(REC_UNSUPPORTED, cat("plugin '", plugin.name(), "' plans rows of kind ", plan.rows, " with negatives ",
                                     plan.negatives, "; this version of the library does not build them"));
  constexpr int64_t kMostShared = 1 << 24;
  struct Size {
    const char* name;
    int64_t value, most;
  };
  for (const auto& [name, value, most] : {Size{"max_epochs", plan.max_epochs, INT64_MAX},
                                          {"batch_size", plan.batch_size, INT64_MAX},
                                          {"memory_bytes", plan.memory_bytes, INT64_MAX},
                                          {"history_max", plan.history_max, INT64_MAX},
                                          {"min_history", plan.min_history, INT64_MAX},
                                          {"n_shared", plan.n_shared, kMostShared}})
    if (value < 0 || value > most)
      throw Error(REC_PLUGIN_FAILED,
                  cat("plugin '", plugin.name(), "' plans ", name, " = ", value, "; it must be 0 .. ", most));
  check_columns(plugin, "training columns", plan.columns, plan.n_columns, kind->columns);
  check_columns(plugin, "query columns", plan.query_columns, plan.n_query_columns,
                {REC_COLUMN_USER, REC_COLUMN_ITEM, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH,
                 REC_COLUMN_HISTORY_TIME, REC_COLUMN_TIME});
}

}  // namespace

int64_t tensor_elements(const rec_tensor_info_t& info) {
  int64_t n = 1;
  for (int32_t i = 0; i < info.n_dims; ++i) n = checked_mul(n, info.shape[i]);
  return n;
}

rec_plan_t PluginModel::plan(const Plugin& plugin, const Params& params, const rec_schema_t& schema) {
  rec_plan_t plan{};
  plan.struct_size = sizeof plan;
  rec_call_t call;
  call_slot(plugin, &params, "plan", call, plugin.slots->plan, &params, &schema, &plan);
  if ((plan.capabilities & ~plugin.slots->capabilities) != 0)
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin.name(), "' plans capabilities it does not declare"));
  check_batches(plugin, plan);
  const int64_t servable = REC_CAP_ITEM_TABLE | REC_CAP_SCORE | REC_CAP_ITEM_WEIGHTS;
  if ((plan.capabilities & servable) == 0 || ((plan.capabilities & REC_CAP_ITEM_TABLE) != 0 &&
                                              (plan.capabilities & (REC_CAP_USER_TABLE | REC_CAP_ENCODE)) == 0))
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin.name(), "' plans no way to be served"));
  if (plan.wants_features != 0 && (plan.capabilities & (REC_CAP_ENCODE | REC_CAP_SCORE)) != 0)
    throw Error(REC_UNSUPPORTED, cat("plugin '", plugin.name(),
                                     "' plans to look at features when it serves, which a "
                                     "model file does not have; it must be served by its tables"));
  return plan;
}

template <class Slot, class... Args>
void PluginModel::invoke(const char* name, Slot slot, Args... args) const {
  rec_call_t call{pool_, nullptr, {}};
  call_slot(plugin_, params_.get(), name, call, slot, args...);
}

// For slots that may stop early. What a cancelled one has made is incomplete, so it is discarded.
template <class Slot, class... Args>
void PluginModel::invoke_cancellable(const char* name, Slot slot, Args... args) const {
  rec_call_t call{pool_, cancel_, {}};
  try {
    call_slot(plugin_, params_.get(), name, call, slot, args...);
  } catch (const Error&) {  // incomplete results may fail in any way
    throw_if_cancelled(cancel_);
    throw;
  }
  throw_if_cancelled(cancel_);
}

PluginModel::PluginModel(const Plugin& plugin, std::shared_ptr<const Params> params, const rec_schema_t& schema)
    : plugin_(plugin), params_(std::move(params)), schema_(schema), plan_(plan(plugin, *params_, schema)) {
  invoke("create", plugin_.slots->create, params_.get(), &schema_, &model_);
  if (model_ == nullptr) throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin_.name(), "': create gave no model"));
}

PluginModel::~PluginModel() {
  if (model_ == nullptr) return;
  try {
    plugin_.slots->destroy(model_);
  } catch (...) {  // from the plugin's destructor, where it can no longer be reported
  }
}

void PluginModel::initialize(int64_t seed) {
  invoke_cancellable("initialize", plugin_.slots->initialize, model_, seed);
}

void PluginModel::bind(const rec_dataset_view_t& view) {
  invoke_cancellable("bind", plugin_.slots->bind, model_, &view);
}

double PluginModel::compute(const rec_batch_t& batch) {
  double loss = 0;
  invoke_cancellable("compute", plugin_.slots->compute, model_, &batch, &loss);
  return loss;
}

void PluginModel::apply() { invoke("apply", plugin_.slots->apply, model_); }

rec_tensor_view_t PluginModel::gradients(int64_t i) {
  rec_tensor_view_t view{};
  invoke("gradients", plugin_.slots->gradients, model_, i, &view);
  return view;
}

void PluginModel::score_live(const rec_batch_t& batch, float* out_scores) {
  invoke_cancellable("score_live", plugin_.slots->score_live, model_, &batch, out_scores);
}

std::vector<rec_tensor_info_t> PluginModel::tensors() const {
  const int64_t n = plugin_.slots->tensor_count(model_);
  if (n < 0 || n > 100000) throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin_.name(), "' counts ", n, " tensors"));
  std::vector<rec_tensor_info_t> tensors(n);
  std::set<std::string_view> names;
  for (int64_t i = 0; i < n; ++i) {
    rec_tensor_info_t& info = tensors[i];
    invoke("tensor_info", plugin_.slots->tensor_info, model_, i, &info);
    const bool sound =
        info.name != nullptr && dtype_size(info.dtype) > 0 && info.n_dims >= 1 && info.n_dims <= REC_MAX_DIMS &&
        info.kind >= REC_TENSOR_PARAMETER && info.kind <= REC_TENSOR_STATE &&
        (info.kind != REC_TENSOR_PARAMETER || info.dtype == REC_DTYPE_F32 || info.dtype == REC_DTYPE_F64) &&
        std::all_of(info.shape, info.shape + info.n_dims, [](int64_t extent) { return extent >= 0; });
    if (!sound)
      throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin_.name(), "': tensor ", i, " is not well described"));
    if (!is_tensor_name(info.name))
      throw Error(REC_PLUGIN_FAILED,
                  cat("plugin '", plugin_.name(), "': no tensor may be called '", printable(info.name), "'"));
    if (!names.insert(info.name).second)
      throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin_.name(), "': two tensors are called '", info.name, "'"));
    tensor_elements(info);
  }
  return tensors;
}

bool is_tensor_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  if (name.empty() || name == "__metadata__" || name.find_first_not_of(kAllowed) != name.npos) return false;
  constexpr std::string_view kTaken[] = {"users.",     "items.",   "seen.", "history.", "item_title.",
                                         "relations.", "serving.", "best.", "last.",    "sampler."};
  return std::ranges::none_of(kTaken, [&](std::string_view taken) { return name.starts_with(taken); });
}

void PluginModel::get_tensor(int64_t i, void* out_data) {
  invoke("get_tensor", plugin_.slots->get_tensor, model_, i, out_data);
}

void PluginModel::set_tensor(int64_t i, const void* data) {
  invoke("set_tensor", plugin_.slots->set_tensor, model_, i, data);
}

int64_t PluginModel::warm_start(const std::vector<rec_tensor_info_t>& infos, const std::vector<const void*>& data) {
  int64_t taken = 0;
  if (REC_HAS_SLOT(plugin_.slots, warm_start)) {
    invoke("warm_start", plugin_.slots->warm_start, model_, infos.data(), data.data(), std::ssize(infos), &taken);
    return taken;
  }
  const std::vector<rec_tensor_info_t> own = tensors();
  for (size_t i = 0; i < own.size(); ++i)
    for (size_t j = 0; j < infos.size(); ++j) {
      const rec_tensor_info_t &mine = own[i], &theirs = infos[j];
      if (mine.kind != REC_TENSOR_PARAMETER || std::string_view(mine.name) != theirs.name ||
          mine.dtype != theirs.dtype || mine.n_dims != theirs.n_dims ||
          !std::equal(mine.shape, mine.shape + mine.n_dims, theirs.shape))
        continue;
      set_tensor(static_cast<int64_t>(i), data[j]);
      ++taken;
    }
  return taken;
}

void PluginModel::freeze() { invoke_cancellable("freeze", plugin_.slots->freeze, model_); }

rec_tensor_view_t PluginModel::table(int32_t which) const {
  rec_tensor_view_t view{};
  invoke("get_table", plugin_.slots->get_table, model_, which, &view);
  const int64_t rows = which == REC_TABLE_USER ? schema_.n_users : schema_.n_items;
  const bool sound = view.data != nullptr && view.dtype == REC_DTYPE_F32 && view.device_type == REC_DEVICE_CPU &&
                     view.n_dims == 2 && view.shape[1] >= 1 && view.shape[1] <= kWidestTable &&
                     (view.shape[0] == rows || (which == REC_TABLE_USER && view.shape[0] == 1)) &&
                     view.strides[1] == 1 && view.strides[0] == view.shape[1];
  if (!sound)
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin_.name(), "': get_table gave no float32 [", rows, ", d]"));
  return view;
}

void PluginModel::item_weights(rec_csr_t& csr, const float*& weights) const {
  invoke("get_item_weights", plugin_.slots->get_item_weights, model_, &csr, &weights);
  bool sound = csr.offsets != nullptr && csr.n_rows == schema_.n_items && csr.offsets[0] == 0;
  sound = sound && (csr.offsets[csr.n_rows] == 0 || (csr.columns != nullptr && weights != nullptr));
  for (int64_t row = 0; sound && row < csr.n_rows; ++row) {
    sound = csr.offsets[row] <= csr.offsets[row + 1];
    for (int64_t e = csr.offsets[row]; sound && e < csr.offsets[row + 1]; ++e)
      sound = csr.columns[e] >= 0 && csr.columns[e] < schema_.n_items &&
              (e == csr.offsets[row] || csr.columns[e - 1] < csr.columns[e]);
  }
  if (!sound)
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", plugin_.name(), "': get_item_weights gave rows that are not sound"));
}

void PluginModel::encode(const rec_batch_t& queries, float* out_vectors) const {
  invoke("encode", plugin_.slots->encode, model_, &queries, out_vectors);
}

void PluginModel::score(const rec_batch_t& queries, float* out_scores) const {
  invoke("score", plugin_.slots->score, model_, &queries, out_scores);
}

}  // namespace rec
