#include "core/serving/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/text.h"

namespace rec {

std::string_view Catalog::title(int64_t item) const {
  if (title_offsets.empty()) return {};
  return {title_bytes.data() + title_offsets[item], static_cast<size_t>(title_offsets[item + 1] - title_offsets[item])};
}

std::shared_ptr<const Catalog> make_catalog(const Dataset& dataset, const Interactions& train, int64_t history_kept) {
  auto catalog = std::make_shared<Catalog>();
  catalog->users = dataset.users.copy();
  catalog->items = dataset.items.copy();
  catalog->title_offsets = dataset.title_offsets.copy();
  catalog->title_bytes = dataset.title_bytes.copy();
  for (const Relation& relation : dataset.relations) catalog->relations.push_back(relation.copy());
  catalog->has_user_data = true;
  catalog->seen = distinct_rows(train.by_user);
  if (std::ranges::any_of(dataset.part, [](Part part) { return part != Part::kTrain; }))
    catalog->held_out = distinct_rows(build_interactions(dataset, false, true, true).by_user);

  const Csr& all = train.by_user;
  catalog->history.offsets = Buffer<int64_t>(all.n_rows() + 1);
  for (int64_t user = 0; user < all.n_rows(); ++user)
    catalog->history.offsets[user + 1] =
        catalog->history.offsets[user] + std::min<int64_t>(history_kept, static_cast<int64_t>(all.row(user).size()));
  const int64_t kept = catalog->history.offsets[all.n_rows()];
  catalog->history.columns = Buffer<int32_t>::uninitialized(kept);
  if (!train.entry_time.empty()) catalog->history_time = Buffer<int64_t>::uninitialized(kept);
  for (int64_t user = 0; user < all.n_rows(); ++user) {
    const int64_t begin = catalog->history.offsets[user], n = catalog->history.offsets[user + 1] - begin;
    const int64_t from = all.offsets[user + 1] - n;
    std::copy_n(all.columns.data() + from, n, catalog->history.columns.data() + begin);
    if (!train.entry_time.empty()) std::copy_n(train.entry_time.data() + from, n, catalog->history_time.data() + begin);
  }
  return catalog;
}

std::vector<uint8_t> untrained_items(const Dataset& dataset, bool any_label) {
  std::vector<uint8_t> bits((dataset.n_items() + 7) / 8);
  for (int64_t item = 0; item < dataset.n_items(); ++item) bits[item / 8] |= static_cast<uint8_t>(1 << item % 8);
  for (int64_t i = 0; i < dataset.n(); ++i)
    if (const int32_t item = dataset.item[i]; dataset.part[i] == Part::kTrain && (any_label || dataset.is_positive(i)))
      bits[item / 8] &= static_cast<uint8_t>(~(1 << item % 8));
  if (std::ranges::all_of(bits, [](uint8_t byte) { return byte == 0; })) bits.clear();
  return bits;
}

std::vector<rec_csr_t> views_of(const std::vector<Relation>& relations) {
  std::vector<rec_csr_t> views;
  for (const Relation& relation : relations) {
    const int64_t n_items = relation.items.n_rows();
    views.push_back({relation.items.offsets.data(), relation.items.columns.data(), n_items, n_items});
  }
  return views;
}

std::vector<rec_feature_t> views_of(const std::vector<Feature>& features, FeatureData data) {
  std::vector<rec_feature_t> views;
  for (const Feature& feature : features) {
    const bool dense = feature.kind == FeatureKind::kDense, filled = data == FeatureData::kAll;
    views.push_back({feature.name.c_str(), dense ? REC_FEATURE_DENSE : REC_FEATURE_CATEGORICAL, 0, feature.width,
                     feature.vocabulary, dense && filled ? feature.dense.data() : nullptr,
                     !dense && filled ? feature.values.data() : nullptr});
  }
  return views;
}

// A product of two vectors of the largest width stays 100 times below the largest float; so does a sum of 2^31 weights.
bool can_be_scored(std::span<const float> values) {
  constexpr float kLargest = 1e15f;
  bool can = true;
  for (const float value : values) can &= std::abs(value) <= kLargest;
  return can;
}

void bind_for_serving(PluginModel& model, const Catalog& catalog) {
  if (model.plan().wants_relations == 0) return;
  const std::vector<rec_csr_t> relations = views_of(catalog.relations);
  rec_dataset_view_t view{};
  view.struct_size = sizeof view;
  view.relations = relations.data();
  view.n_relations = std::ssize(relations);
  model.bind(view);
}

namespace {

NamedTensor copy_of_table(const PluginModel& live, int32_t which, const char* name,
                          const std::vector<NamedTensor>& known) {
  const rec_tensor_view_t view = live.table(which);
  const int64_t n = view.shape[0] * view.shape[1];
  const auto* data = static_cast<const float*>(view.data);
  for (int64_t i = 0; i < n; ++i)
    if (!can_be_scored({data + i, 1}))
      throw Error(REC_NUMERIC, cat("the ", which == REC_TABLE_USER ? "user" : "item", " table has ", data[i],
                                   " in row ", i / view.shape[1]));
  // A table that is a parameter is stored once, under the parameter's name.
  for (const NamedTensor& tensor : known)
    if (tensor.dtype == REC_DTYPE_F32 && tensor.shape == std::vector<int64_t>{view.shape[0], view.shape[1]} &&
        std::memcmp(tensor.data, data, tensor.bytes()) == 0)
      return tensor;
  return own_tensor(name, {view.shape[0], view.shape[1]}, Buffer<float>(std::span(data, n)));
}

}  // namespace

std::vector<NamedTensor> copies_of_tensors(PluginModel& live, int32_t kind) {
  const std::vector<rec_tensor_info_t> infos = live.tensors();
  std::vector<NamedTensor> copies;
  for (size_t i = 0; i < infos.size(); ++i) {
    const rec_tensor_info_t& info = infos[i];
    if (kind != 0 && info.kind != kind) continue;
    const int64_t bytes = checked_mul(tensor_elements(info), dtype_size(info.dtype));
    auto buffer = std::make_shared<Buffer<char>>(Buffer<char>::uninitialized(bytes));
    live.get_tensor(static_cast<int64_t>(i), buffer->data());
    NamedTensor& tensor = copies.emplace_back();
    tensor.name = info.name;
    tensor.dtype = info.dtype;
    tensor.kind = info.kind;
    tensor.shape.assign(info.shape, info.shape + info.n_dims);
    tensor.data = buffer->data();
    tensor.owner = std::move(buffer);
  }
  return copies;
}

void set_from_file(PluginModel& model, const rec_tensor_info_t& info, int64_t i, const NamedTensor& tensor) {
  if (tensor.dtype != info.dtype || !std::ranges::equal(tensor.shape, std::span(info.shape, info.n_dims)))
    throw Error(REC_CORRUPT_DATA, cat("tensor '", printable(tensor.name), "' has a different type or shape"));
  check_values(tensor, info.min, info.max);
  model.set_tensor(i, tensor.data);
}

std::shared_ptr<const Model> snapshot(PluginModel& live, const std::shared_ptr<const Params>& params,
                                      std::shared_ptr<const Catalog> catalog, std::vector<uint8_t> untrained,
                                      Json info) {
  auto model = std::make_shared<Model>();
  model->untrained = std::move(untrained);
  model->name = live.plugin().name();
  model->model_version = live.plugin().slots->model_version;
  model->info = std::move(info);
  model->catalog = std::move(catalog);
  model->parameters = copies_of_tensors(live, REC_TENSOR_PARAMETER);
  for (const NamedTensor& tensor : model->parameters) {
    try {
      check_values(tensor);
    } catch (const Error& error) {  // no file has given it
      throw Error(REC_NUMERIC, error.message);
    }
  }
  live.freeze();
  if (live.has(REC_CAP_ITEM_TABLE))
    model->item_table = copy_of_table(live, REC_TABLE_ITEM, "serving.item_table", model->parameters);
  if (live.has(REC_CAP_USER_TABLE))
    model->user_table = copy_of_table(live, REC_TABLE_USER, "serving.user_table", model->parameters);
  if (live.has(REC_CAP_ITEM_WEIGHTS)) {
    rec_csr_t csr{};
    const float* weights = nullptr;
    live.item_weights(csr, weights);
    const auto nnz = static_cast<size_t>(csr.offsets[csr.n_rows]);
    model->weight_offsets = own_tensor("serving.weights.offsets", {csr.n_rows + 1},
                                       Buffer<int64_t>(std::span(csr.offsets, csr.n_rows + 1)));
    model->weight_columns =
        own_tensor("serving.weights.columns", {csr.offsets[csr.n_rows]}, Buffer<int32_t>(std::span(csr.columns, nnz)));
    model->weight_values =
        own_tensor("serving.weights.values", {csr.offsets[csr.n_rows]}, Buffer<float>(std::span(weights, nnz)));
  }
  if (!model->user_table.shape.empty() && model->user_table.shape[1] != model->item_table.shape[1])
    throw Error(REC_PLUGIN_FAILED, cat("plugin '", model->name, "': the user table has ", model->user_table.shape[1],
                                       " columns and the item table ", model->item_table.shape[1]));
  // An item table comes first, then item weights; score is for a model that has neither.
  const bool by_table = !model->item_table.shape.empty();
  if (by_table ? live.has(REC_CAP_ENCODE) : !model->has_item_weights()) {
    auto served = std::make_shared<PluginModel>(live.plugin(), params, live.schema());
    const std::vector<rec_tensor_info_t> tensors = served->tensors();
    for (size_t i = 0; i < tensors.size(); ++i)
      for (const NamedTensor& tensor : model->parameters)
        if (tensor.name == tensors[i].name) served->set_tensor(static_cast<int64_t>(i), tensor.data);
    bind_for_serving(*served, *model->catalog);
    served->freeze();
    model->needs_plugin = true;
    model->set_plugin(std::move(served));
  }
  return model;
}

Json describe_model(const Model& model) {
  Json out = {{"model", model.name},
              {"model_version", model.model_version},
              {"n_users", model.n_users()},
              {"n_items", model.n_items()}};
  if (!model.untrained.empty()) {
    int64_t n = 0;
    for (int64_t item = 0; item < model.n_items(); ++item) n += model.is_untrained(item);
    out["n_untrained_items"] = n;
  }
  for (const auto& [key, value] : model.info.items())
    if (!out.contains(key)) out[key] = value;
  out["user_id_type"] = model.catalog->users.type() == REC_ID_INT64 ? "int64" : "bytes";
  out["item_id_type"] = model.catalog->items.type() == REC_ID_INT64 ? "int64" : "bytes";
  out["served_by"] = model.needs_plugin ? "plugin" : model.has_item_weights() ? "item weights" : "tables";
  Json sections = Json::array();
  if (model.catalog->has_user_data) sections.insert(sections.end(), {"seen", "history"});
  if (!model.catalog->held_out.offsets.empty()) sections.push_back("held_out");
  if (!model.catalog->title_offsets.empty()) sections.push_back("item_title");
  if (!model.catalog->relations.empty()) sections.push_back("relations");
  if (!model.untrained.empty()) sections.push_back("untrained");
  out["sections"] = std::move(sections);
  Json tensors = Json::array();
  for (const NamedTensor& tensor : model.parameters)
    tensors.push_back({{"name", tensor.name}, {"shape", tensor.shape}, {"bytes", tensor.bytes()}});
  out["tensors"] = std::move(tensors);
  return out;
}

}  // namespace rec
