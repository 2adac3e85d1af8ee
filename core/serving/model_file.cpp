// A Model as a .rec file and back. The file is hostile: every cross-reference is checked before it is used.
#include <algorithm>

#include "core/base/files.h"
#include "core/base/staged_file.h"
#include "core/base/text.h"
#include "core/kernels/kernels.h"
#include "core/plugin/loop_params.h"
#include "core/serving/model.h"

namespace rec {

namespace {

constexpr std::string_view kFormat = "recore.model";
constexpr size_t kMostRelations = 1000;

void add_ids(std::vector<NamedTensor>& out, const std::string& name, const IdMap& ids) {
  if (ids.type() == REC_ID_INT64) {
    out.push_back(borrow_tensor(name + ".ids", {ids.size()}, ids.i64().data()));
  } else {
    out.push_back(borrow_tensor(name + ".offsets", {ids.size() + 1}, ids.offsets().data()));
    out.push_back(borrow_tensor(name + ".bytes", {ids.bytes().size()}, ids.bytes().data()));
  }
  out.push_back(borrow_tensor(name + ".sorted", {ids.size()}, ids.sorted().data()));
}

void add_csr(std::vector<NamedTensor>& out, const std::string& name, const Csr& csr) {
  out.push_back(borrow_tensor(name + ".offsets", {csr.offsets.size()}, csr.offsets.data()));
  out.push_back(borrow_tensor(name + ".items", {csr.columns.size()}, csr.columns.data()));
}

// A file whose tensors are copied as far as the budget allows.
struct Sections {
  const TensorFile& file;
  MemoryBudget& budget;

  bool has(const std::string& name) const { return file.find(name) != nullptr; }
  template <class T>
  Buffer<T> copy(const std::string& name) const {
    const NamedTensor& tensor = file.require(name, kDtypeOf<T>, 1);
    budget.charge(tensor.bytes(), "what the file says of users and items");
    return Buffer<T>(tensor.as<const T>());
  }
};

Error corrupt(std::string_view what) {
  return Error(REC_CORRUPT_DATA, cat("the model file is damaged: its ", what, " cannot be right"));
}

// Checks that offsets ascend from 0 to `end`.
void check_offsets(std::span<const int64_t> offsets, int64_t n_rows, int64_t end, std::string_view what) {
  bool sound = std::ssize(offsets) == n_rows + 1 && offsets.front() == 0 && offsets.back() == end;
  for (size_t i = 1; sound && i < offsets.size(); ++i) sound = offsets[i - 1] <= offsets[i];
  if (!sound) throw corrupt(what);
}

IdMap read_ids(const Sections& file, const std::string& name) {
  auto sorted = file.copy<int32_t>(name + ".sorted");
  if (file.has(name + ".ids"))
    return IdMap::from_sorted(REC_ID_INT64, file.copy<int64_t>(name + ".ids"), {}, std::move(sorted));
  return IdMap::from_sorted(REC_ID_BYTES, file.copy<int64_t>(name + ".offsets"), file.copy<char>(name + ".bytes"),
                            std::move(sorted));
}

Csr read_csr(const Sections& file, const std::string& name, int64_t n_rows, int64_t n_items, bool ascending) {
  Csr csr{file.copy<int64_t>(name + ".offsets"), file.copy<int32_t>(name + ".items")};
  check_offsets(csr.offsets.span(), n_rows, csr.columns.size(), name + ".offsets");
  for (int64_t r = 0; r < n_rows; ++r) {
    int64_t previous = -1;
    for (int32_t item : csr.row(r)) {
      if (item < 0 || item >= n_items || (ascending && item <= previous)) throw corrupt(name + ".items");
      previous = item;
    }
  }
  return csr;
}

std::shared_ptr<const Catalog> read_catalog(const Sections& file) {
  auto catalog = std::make_shared<Catalog>();
  catalog->users = read_ids(file, "users");
  catalog->items = read_ids(file, "items");
  const int64_t n_users = catalog->users.size(), n_items = catalog->items.size();
  if (n_users == 0 || n_items == 0)
    throw Error(REC_CORRUPT_DATA, cat("the model file is damaged: it has no ", n_users == 0 ? "users" : "items"));
  if (file.has("seen.offsets")) {
    catalog->has_user_data = true;
    catalog->seen = read_csr(file, "seen", n_users, n_items, true);
    if (file.has("held_out.offsets")) catalog->held_out = read_csr(file, "held_out", n_users, n_items, true);
    catalog->history = read_csr(file, "history", n_users, n_items, false);
    if (file.has("history.times")) {
      catalog->history_time = file.copy<int64_t>("history.times");
      if (catalog->history_time.size() != catalog->history.nnz()) throw corrupt("history.times");
    }
  }
  if (file.has("item_title.offsets")) {
    catalog->title_offsets = file.copy<int64_t>("item_title.offsets");
    catalog->title_bytes = file.copy<char>("item_title.bytes");
    check_offsets(catalog->title_offsets.span(), n_items, catalog->title_bytes.size(), "item_title.offsets");
    if (invalid_utf8({catalog->title_bytes.data(), static_cast<size_t>(catalog->title_bytes.size())}))
      throw corrupt("item_title.bytes");
  }
  if (!file.has("relations.names")) return catalog;
  const auto bytes = file.copy<char>("relations.names");  // NUL after each name
  for (int64_t begin = 0; begin < bytes.size();) {
    const int64_t end = std::find(bytes.begin() + begin, bytes.end(), '\0') - bytes.begin();
    if (end == bytes.size() || catalog->relations.size() == kMostRelations) throw corrupt("relations.names");
    const std::string section = cat("relations.", catalog->relations.size());
    catalog->relations.push_back(
        {std::string(bytes.data() + begin, end - begin), read_csr(file, section, n_items, n_items, true)});
    begin = end + 1;
  }
  return catalog;
}

NamedTensor read_table(const TensorFile& file, const Json& serving, const char* key, int64_t n_rows,
                       bool one_row_will_do) {
  if (!serving.contains(key)) return {};
  NamedTensor table = file.require(serving.at(key).get<std::string>(), REC_DTYPE_F32, 2);
  // A file that is written again has it under its own name, or as the parameter that it is.
  if (table.name != cat("serving.", key) && table.kind != REC_TENSOR_PARAMETER) throw corrupt(key);
  // A table without rows has no bytes, whatever its width.
  if ((table.shape[0] != n_rows && !(one_row_will_do && table.shape[0] == 1)) || table.shape[1] < 1 ||
      table.shape[1] > kWidestTable)
    throw corrupt(key);
  if (!can_be_scored(table.as<const float>())) throw corrupt(key);
  return table;
}

void read_item_weights(const TensorFile& file, int64_t n_items, Model& model) {
  model.weight_offsets = file.require("serving.weights.offsets", REC_DTYPE_I64, 1);
  model.weight_columns = file.require("serving.weights.columns", REC_DTYPE_I32, 1);
  model.weight_values = file.require("serving.weights.values", REC_DTYPE_F32, 1);
  const auto offsets = model.weight_offsets.as<const int64_t>();
  const auto columns = model.weight_columns.as<const int32_t>();
  if (columns.size() != model.weight_values.as<const float>().size()) throw corrupt("item weights");
  check_offsets(offsets, n_items, std::ssize(columns), "item weights");
  for (int64_t r = 0; r < n_items; ++r)
    for (int64_t e = offsets[r]; e < offsets[r + 1]; ++e) {
      if (columns[e] < 0 || columns[e] >= n_items || (e > offsets[r] && columns[e - 1] >= columns[e]))
        throw corrupt("item weights");
    }
  if (!can_be_scored(model.weight_values.as<const float>())) throw corrupt("item weights");
}

// Makes something from the parameters in a file, so that a bad one is an error of the file.
template <class Make>
auto from_parameters(const Make& make) {
  const auto unsound = [](const char* why) {
    return Error(REC_CORRUPT_DATA, cat("the model file's parameters are not sound: ", printable(why)));
  };
  try {
    return make();
  } catch (const Json::exception& error) {
    throw unsound(error.what());
  } catch (const Error& error) {
    if (error.status != REC_INVALID_ARGUMENT) throw;
    throw unsound(error.what());
  }
}

// For a model that tables cannot serve: finds its plugin by name and creates the model with the file's parameters.
std::shared_ptr<const PluginModel> open_plugin(const Model& model) {
  const Plugin& plugin = PluginRegistry::instance().find(model.name);
  const bool renames = REC_HAS_SLOT(plugin.slots, tensor_name_of);
  if (const int32_t version = plugin.slots->model_version;
      model.model_version > version || (model.model_version < version && !renames))
    throw Error(REC_UNSUPPORTED, cat("the file is of version ", model.model_version, " of '", model.name,
                                     "', its plugin is of version ", version));
  const std::span<const rec_param_t> tables[] = {plugin.params(), loop_params()};
  const auto params = from_parameters(
      [&] { return std::make_shared<const Params>(parse_params(model.info.at("parameters"), tables)); });
  rec_schema_t schema{};
  schema.struct_size = sizeof schema;
  schema.n_users = model.n_users();
  schema.n_items = model.n_items();
  schema.n_relations = static_cast<int32_t>(model.catalog->relations.size());
  schema.has_times = !model.catalog->history_time.empty();
  const rec_plan_t plan = from_parameters([&] { return PluginModel::plan(plugin, *params, schema); });
  // The scorer gives the plugin room for vectors as wide as the file's item table. Asked before the plugin gets anything:
  // a model that its tables serve may need its training data to freeze.
  const bool by_vectors = !model.item_table.shape.empty();
  const int64_t needed = by_vectors ? REC_CAP_ENCODE | REC_CAP_ITEM_TABLE : REC_CAP_SCORE;
  if ((plan.capabilities & needed) != needed) throw corrupt("serving tables");
  const bool by_times = std::find(plan.query_columns, plan.query_columns + plan.n_query_columns,
                                  REC_COLUMN_HISTORY_TIME) != plan.query_columns + plan.n_query_columns;
  if (by_times && model.catalog->has_user_data && model.catalog->history_time.empty()) throw corrupt("history.times");
  MemoryBudget budget = model.budget;
  budget.charge(plan.memory_bytes, "the plugin with the file's parameters");
  const auto served = from_parameters([&] { return std::make_shared<PluginModel>(plugin, params, schema); });
  const std::vector<rec_tensor_info_t> tensors = served->tensors();
  std::vector<bool> filled(tensors.size());
  for (const NamedTensor& tensor : model.parameters) {
    const char* name = tensor.name.c_str();
    if (model.model_version != plugin.slots->model_version)
      name = plugin.slots->tensor_name_of(model.model_version, name);
    for (size_t i = 0; name != nullptr && i < tensors.size(); ++i) {
      if (std::string_view(tensors[i].name) != name) continue;
      if (tensors[i].kind != REC_TENSOR_PARAMETER) throw corrupt(cat("tensor '", printable(tensor.name), "'"));
      set_from_file(*served, tensors[i], static_cast<int64_t>(i), tensor);
      filled[i] = true;
    }
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].kind == REC_TENSOR_PARAMETER && !filled[i])
      throw Error(REC_CORRUPT_DATA, cat("the model file has no tensor '", tensors[i].name, "'"));
  bind_for_serving(*served, *model.catalog);
  served->freeze();
  if (by_vectors && served->table(REC_TABLE_ITEM).shape[1] != model.item_table.shape[1])
    throw corrupt("serving tables");
  return served;
}

// What hosts read of it has the type that they expect; the rest is theirs to look at.
bool has_sound_info(const Json& info) {
  if (!info.is_object()) return false;
  for (const char* key : {"seed", "n_train"})
    if (info.contains(key) && !info[key].is_number_integer()) return false;
  if (!info.contains("valid_metrics")) return true;
  const Json& metrics = info["valid_metrics"];
  return metrics.is_null() || (metrics.is_object() && std::ranges::all_of(metrics, [](const Json& value) {
                                 return value.is_number() || value.is_null();  // null: not a number
                               }));
}

std::shared_ptr<const Model> to_model(TensorFile file, MemoryBudget budget,
                                      PluginOpening opening = PluginOpening::kNow) {
  auto model = std::make_shared<Model>();
  try {
    model->name = file.manifest.at("model").get<std::string>();
    check_model_name(model->name);
    model->model_version = whole_number<int32_t>(file.manifest.at("model_version"), REC_CORRUPT_DATA);
    model->info = file.manifest.at("info");
    if (!has_sound_info(model->info)) throw corrupt("manifest's info");
    model->catalog = read_catalog({file, budget});
    if (const Sections sections{file, budget}; sections.has("untrained")) {
      const auto bits = sections.copy<uint8_t>("untrained");
      if (bits.size() != (model->n_items() + 7) / 8) throw corrupt("untrained");
      model->untrained.assign(bits.begin(), bits.end());
    }
    const Json& serving = file.manifest.at("serving");
    model->user_table = read_table(file, serving, "user_table", model->n_users(), true);
    model->item_table = read_table(file, serving, "item_table", model->n_items(), false);
    if (!model->user_table.shape.empty() &&
        (model->item_table.shape.empty() || model->item_table.shape[1] != model->user_table.shape[1]))
      throw corrupt("serving tables");
    if (const auto& shape = model->item_table.shape; !shape.empty())
      budget.charge(checked_mul(4, kernels::tiled_size(shape[0], shape[1])), "the item table as it is served");
    if (serving.value("item_weights", false)) read_item_weights(file, model->n_items(), *model);
    for (const NamedTensor& tensor : file.tensors)
      if (tensor.kind == REC_TENSOR_PARAMETER) {
        if ((tensor.dtype != REC_DTYPE_F32 && tensor.dtype != REC_DTYPE_F64) || !is_tensor_name(tensor.name))
          throw corrupt(cat("tensor '", printable(tensor.name), "'"));
        check_values(tensor);
        model->parameters.push_back(tensor);
      }
    model->budget = budget;
    model->needs_plugin = serving.value("plugin", false);
    if (model->needs_plugin) {
      // Open the plugin now, so that a bad file fails here; but do not load LibTorch just to open a file.
      if (opening == PluginOpening::kNow && PluginRegistry::instance().locate(model->name).runtime.empty())
        model->plugin();
    } else if (model->user_table.shape.empty() && (!model->item_table.shape.empty() || !model->has_item_weights())) {
      throw corrupt("serving tables");
    }
  } catch (const Json::exception& error) {
    throw Error(REC_CORRUPT_DATA, cat("the model file's manifest is not sound: ", printable(error.what())));
  }
  return model;
}

// Unless the caller gives a limit, a plugin may take a few times the file's size, as its parameters are in it.
MemoryBudget budget_after_file(std::span<const char> file, int64_t memory_limit_bytes) {
  const int64_t usual = checked_add(int64_t{256} << 20, checked_mul(std::ssize(file), 8));
  MemoryBudget budget(memory_limit_bytes > 0 ? memory_limit_bytes : usual);
  budget.charge(std::ssize(file), "the file");
  return budget;
}

}  // namespace

const PluginModel& Model::plugin() const {
  const std::lock_guard lock(served_by_->mutex);
  if (served_by_->plugin == nullptr) served_by_->plugin = open_plugin(*this);
  return *served_by_->plugin;
}

void save_model(const Model& model, const std::string& path, bool user_data, const CancelToken* cancel) {
  write_file_atomically(path, [&](FileWriter& out) { write_model(out, model, user_data); }, /*keep_as=*/"", cancel);
}

void write_model(FileWriter& out, const Model& model, bool user_data) {
  std::vector<NamedTensor> tensors = model.parameters;
  Json serving = Json::object();
  for (const auto& [key, table] : {std::pair{"user_table", &model.user_table}, {"item_table", &model.item_table}}) {
    if (table->shape.empty()) continue;
    serving[key] = table->name;
    // A table that equals a parameter has its name and is among the tensors already: copy_of_table in model.cpp.
    if (table->name.starts_with("serving.")) tensors.push_back(*table);
  }
  serving["item_weights"] = model.has_item_weights();
  if (model.has_item_weights())
    tensors.insert(tensors.end(), {model.weight_offsets, model.weight_columns, model.weight_values});
  serving["plugin"] = model.needs_plugin;

  const Catalog& catalog = *model.catalog;
  add_ids(tensors, "users", catalog.users);
  add_ids(tensors, "items", catalog.items);
  if (user_data && catalog.has_user_data) {
    add_csr(tensors, "seen", catalog.seen);
    if (!catalog.held_out.offsets.empty()) add_csr(tensors, "held_out", catalog.held_out);
    add_csr(tensors, "history", catalog.history);
    if (!catalog.history_time.empty())
      tensors.push_back(borrow_tensor("history.times", {catalog.history_time.size()}, catalog.history_time.data()));
  }
  if (!catalog.title_offsets.empty()) {
    tensors.push_back(
        borrow_tensor("item_title.offsets", {catalog.title_offsets.size()}, catalog.title_offsets.data()));
    tensors.push_back(borrow_tensor("item_title.bytes", {catalog.title_bytes.size()}, catalog.title_bytes.data()));
  }
  if (!model.untrained.empty())
    tensors.push_back(borrow_tensor("untrained", {std::ssize(model.untrained)}, model.untrained.data()));
  std::string relation_names;
  for (size_t r = 0; r < catalog.relations.size(); ++r) {
    relation_names += catalog.relations[r].name + '\0';
    add_csr(tensors, cat("relations.", r), catalog.relations[r].items);
  }
  if (!relation_names.empty())
    tensors.push_back(borrow_tensor("relations.names", {std::ssize(relation_names)},
                                    static_cast<const char*>(relation_names.data())));
  write_tensors(out,
                {{"format", kFormat},
                 {"model", model.name},
                 {"model_version", model.model_version},
                 {"info", model.info},
                 {"serving", std::move(serving)}},
                tensors);
}

std::shared_ptr<const Model> load_model(const std::string& path, int64_t memory_limit_bytes,
                                        const CancelToken* cancel) {
  return of_file(path, [&] {
    read_manifest(path, kFormat, cancel);  // so that no memory is taken for a file that begins like no model
    auto bytes = std::make_shared<Buffer<char>>(read_file(path, memory_limit_bytes, cancel));
    return to_model(parse_tensor_file(bytes, path, kFormat, cancel),
                    budget_after_file(bytes->span(), memory_limit_bytes));
  });
}

std::shared_ptr<const Model> load_model_bytes(std::span<const char> bytes, int64_t memory_limit_bytes,
                                              const CancelToken* cancel) {
  const MemoryBudget budget = budget_after_file(bytes, memory_limit_bytes);
  return to_model(parse_tensor_file(std::make_shared<Buffer<char>>(bytes), "model bytes", kFormat, cancel), budget);
}

std::shared_ptr<const Model> load_model_over(std::shared_ptr<const Buffer<char>> bytes, PluginOpening opening) {
  const MemoryBudget budget = budget_after_file(bytes->span(), 0);
  return to_model(parse_tensor_file(std::move(bytes), "model bytes", kFormat), budget, opening);
}

}  // namespace rec
