#include "core/plugin/registry.h"

#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "core/base/cancel.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/trusted_path.h"
#include "core/plugin/host.h"
#include "core/plugin/params.h"
#include "core/plugin/runtime_guard.h"

namespace rec {

namespace {

constexpr std::string_view kPrefix = "librecore_";
constexpr std::string_view kSuffix = ".so";

std::string version_text(int32_t major, int32_t minor) { return cat(major, ".", minor); }

// The checks that need none of the plugin's code.
rec_plugin_note_t check_identity(const std::string& path, const ElfFile& file) {
  if (!file.note) throw Error(REC_PLUGIN_FAILED, cat(path, ": not a Recore plugin: no .note.recore in it"));
  rec_plugin_note_t note = *file.note;
  for (auto text : {std::span<char>(note.model), std::span<char>(note.version), std::span<char>(note.runtime),
                    std::span<char>(note.doc)})
    text.back() = '\0';
  if (note.magic != REC_PLUGIN_MAGIC || note.pointer_bits != static_cast<int32_t>(8 * sizeof(void*)))
    throw Error(REC_ABI_MISMATCH, cat(path, ": built for another byte order or pointer size"));
  if (note.abi_major != REC_PLUGIN_ABI_MAJOR || note.min_host_minor > REC_PLUGIN_ABI_MINOR)
    throw Error(REC_ABI_MISMATCH,
                cat(path, ": needs plugin ABI ", version_text(note.abi_major, note.min_host_minor),
                    ", this library has ", version_text(REC_PLUGIN_ABI_MAJOR, REC_PLUGIN_ABI_MINOR), "; ",
                    note.abi_major < REC_PLUGIN_ABI_MAJOR ? "build the plugin against this library's header"
                                                          : "update the library"));
  check_model_name(note.model);
  return note;
}

// The same for a file that is found by its name, librecore_MODEL.so.
rec_plugin_note_t check_found(std::string_view model, const std::string& path) {
  const rec_plugin_note_t note = check_identity(path, read_elf(path));
  if (note.model != model)
    throw Error(REC_PLUGIN_FAILED, cat(path, ": its note names the model '", note.model, "', not '", model, "'"));
  return note;
}

// A set capability is a promise that the slots behind it are there.
void check_table(const std::string& path, const rec_plugin_note_t& note, const rec_plugin_t* table) {
  const auto fail = [&](const std::string& why) { throw Error(REC_PLUGIN_FAILED, cat(path, ": ", why)); };
  if (table == nullptr) fail("rec_plugin_entry gave no table");
  if (table->struct_size < offsetof(rec_plugin_t, tensor_name_of)) fail("its table is too short");
  if (table->name == nullptr || table->version == nullptr || table->doc == nullptr || table->paper == nullptr ||
      table->n_params < 0 || table->n_params > 1000 || (table->n_params > 0 && table->params == nullptr))
    fail("its table has null texts, or no parameters although it counts some");
  if (table->abi_major != note.abi_major || table->abi_minor != note.abi_minor ||
      table->min_host_minor != note.min_host_minor)
    fail(cat("its table names plugin ABI ", version_text(table->abi_major, table->abi_minor), " and lowest host minor ",
             table->min_host_minor, ", its note ", version_text(note.abi_major, note.abi_minor), " and ",
             note.min_host_minor));
  if (std::string_view(table->name) != note.model || std::string_view(table->version) != note.version)
    fail(cat("its table names ", printable(table->name), " ", printable(table->version), ", its note ", note.model, " ",
             note.version));
  for (int64_t i = 0; i < table->n_params; ++i) {
    const rec_param_t& param = table->params[i];
    if (param.name == nullptr || param.default_value == nullptr || param.doc == nullptr || param.type < REC_PARAM_INT ||
        param.type > REC_PARAM_TEXT || (param.type == REC_PARAM_CHOICE) != (param.choices != nullptr))
      fail(cat("parameter ", param.name != nullptr ? printable(param.name) : std::to_string(i),
               " of its table is incomplete"));
    for (int64_t j = 0; j < i; ++j)
      if (std::string_view(param.name) == table->params[j].name)
        fail(cat("parameter ", printable(param.name), " is twice in its table"));
  }
  struct Promise {
    int64_t capability;
    bool kept;
    const char* slot;
  };
  const int64_t tables = REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_VECTORS;
  const Promise promises[] = {
      {0, REC_HAS_SLOT(table, plan), "plan"},
      {0, REC_HAS_SLOT(table, create), "create"},
      {0, REC_HAS_SLOT(table, destroy), "destroy"},
      {0, REC_HAS_SLOT(table, initialize), "initialize"},
      {0, REC_HAS_SLOT(table, bind), "bind"},
      {0, REC_HAS_SLOT(table, tensor_count), "tensor_count"},
      {0, REC_HAS_SLOT(table, tensor_info), "tensor_info"},
      {0, REC_HAS_SLOT(table, get_tensor), "get_tensor"},
      {0, REC_HAS_SLOT(table, set_tensor), "set_tensor"},
      {0, REC_HAS_SLOT(table, freeze), "freeze"},
      {REC_CAP_TRAIN, REC_HAS_SLOT(table, compute), "compute"},
      {REC_CAP_TRAIN, REC_HAS_SLOT(table, apply), "apply"},
      {tables, REC_HAS_SLOT(table, get_table), "get_table"},
      {REC_CAP_ITEM_WEIGHTS, REC_HAS_SLOT(table, get_item_weights), "get_item_weights"},
      {REC_CAP_ENCODE, REC_HAS_SLOT(table, encode), "encode"},
      {REC_CAP_SCORE, REC_HAS_SLOT(table, score), "score"},
      {REC_CAP_SCORE_LIVE, REC_HAS_SLOT(table, score_live), "score_live"},
      {REC_CAP_GRADIENTS, REC_HAS_SLOT(table, gradients), "gradients"},
  };
  for (const Promise& promise : promises)
    if ((promise.capability == 0 || (table->capabilities & promise.capability) != 0) && !promise.kept)
      fail(
          cat("slot ", promise.slot, " is missing", promise.capability == 0 ? "" : " behind a capability that is set"));
}

// Those over LibTorch, which a build without it and the packages leave out.
constexpr std::string_view kOverTorch[] = {"ans", "autocf", "two_tower"};

// What any language says of a model without a plugin, be it named by a caller or by a model file.
std::string no_plugin(std::string_view model, std::span<const std::string> names) {
  if (std::ranges::find(kOverTorch, model) != std::end(kOverTorch))
    return cat("there is no '", model, "': its plugin, ", kPrefix, model, kSuffix,
               ", needs LibTorch, and packages for Python and Java have neither; build Recore with "
               "-DREC_WITH_TORCH=ON and put its folder lib/recore/plugins into REC_PLUGIN_PATH");
  std::string text = cat("there is no '", model, "'", suggestion(model, names));
  if (nearest_name(model, names)) return text;
  return cat(text, ". Its plugin would be ", kPrefix, model, kSuffix,
             "; load that file, or put its folder into REC_PLUGIN_PATH");
}

}  // namespace

void check_model_name(std::string_view model) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  if (model.empty() || model.size() > 63 || model.find_first_not_of(kAllowed) != model.npos)
    throw argument_error(REC_DENIED, "model", "a name has letters, digits and '_' only, got '", printable(model), "'");
}

PluginRegistry& PluginRegistry::instance() {
  static PluginRegistry& registry = *new PluginRegistry;  // outlives every thread that may still use a plugin
  return registry;
}

void PluginRegistry::add_folder(const std::string& path) {
  if (!is_directory(path))
    throw file_exists(path) ? invalid_argument("path", path, " is a file, not a folder")
                            : argument_error(REC_NOT_FOUND, "path", "there is no folder ", path);
  const std::lock_guard lock(mutex_);
  const std::string folder = std::filesystem::absolute(path).string();  // the working directory may change
  if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end()) folders_.insert(folders_.begin(), folder);
}

const Plugin* PluginRegistry::loaded(std::string_view model) const {
  for (const auto& plugin : plugins_)
    if (plugin->slots->name == model) return plugin.get();
  return nullptr;
}

const Plugin& PluginRegistry::load(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return load_file(path);
}

const Plugin& PluginRegistry::load_file(const std::string& given_path) {
  const std::string path = trusted_path(given_path);
  for (const auto& plugin : plugins_)
    if (plugin->path == path) return *plugin;
  const ElfFile file = read_elf(path);
  const rec_plugin_note_t note = check_identity(path, file);
  if (const Plugin* other = loaded(note.model))
    throw Error(REC_BAD_STATE, cat(path, ": model '", note.model, "' is already loaded from ", other->path));
  refuse_second_runtime(path, note.runtime, file);

  auto library = std::make_unique<boost::dll::shared_library>();
  boost::dll::fs::error_code failure;
  library->load(path, failure, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (failure) {
    const char* why = dlerror();
    if (note.runtime[0] != '\0' && why != nullptr &&
        std::string_view(why).find("cannot open shared object") != std::string_view::npos)
      throw Error(REC_UNSUPPORTED,
                  cat("model '", note.model, "' needs ", note.runtime, ", which is not found (", why,
                      "); install it, and put its folder into LD_LIBRARY_PATH unless the system searches it"));
    throw Error(REC_PLUGIN_FAILED, cat(path, ": cannot be loaded: ", why != nullptr ? why : failure.message()));
  }
  libraries_.push_back(library.get());
  boost::dll::shared_library& handle = *library.release();  // never unloaded
  if (!handle.has("rec_plugin_entry")) throw Error(REC_PLUGIN_FAILED, cat(path, ": has no symbol rec_plugin_entry"));
  const auto entry = handle.get<const rec_plugin_t*(const rec_host_t*)>("rec_plugin_entry");
  auto plugin = std::make_unique<Plugin>(Plugin{path, note, nullptr});
  try {
    plugin->slots = entry(&host_table());
    check_table(path, note, plugin->slots);
    rec_call_t call;
    if (REC_HAS_SLOT(plugin->slots, init)) {
      const rec_status_t status = plugin->slots->init(&call, &host_table());
      if (status != REC_OK) throw Error(status, cat(path, ": init failed: ", call.message));
    }
  } catch (const Error&) {
    throw;
  } catch (...) {
    throw Error(REC_PLUGIN_FAILED, cat(path, ": an exception left its entry or init"));
  }
  log::write(REC_LOG_INFO, cat("plugin_loaded model=", note.model, " version=", note.version, " path=", path));
  plugins_.push_back(std::move(plugin));
  return *plugins_.back();
}

void PluginRegistry::read_environment() {
  if (read_environment_) return;
  std::vector<std::string> found;
  if (const char* path = std::getenv("REC_PLUGIN_PATH"))
    for (std::string_view folder : split(path, ':')) {
      if (folder.empty()) continue;
      if (!folder.starts_with('/'))
        throw Error(REC_DENIED, cat("REC_PLUGIN_PATH: must have absolute folders, got '", printable(folder), "'"));
      found.emplace_back(folder);
    }
  if (const std::string own = library_folder(); !own.empty()) found.push_back(own + "/recore/plugins");
  folders_.insert(folders_.end(), found.begin(), found.end());
  read_environment_ = true;
}

std::vector<std::string> PluginRegistry::folders() {
  const std::lock_guard lock(mutex_);
  read_environment();
  return folders_;
}

std::vector<PluginRegistry::Candidate> PluginRegistry::candidates() {
  read_environment();
  std::vector<Candidate> found;
  for (const std::string& folder : folders_) {
    std::vector<Candidate> here;
    for (const std::string& file : names_in(folder)) {
      if (!file.starts_with(kPrefix) || !file.ends_with(kSuffix)) continue;
      const std::string model = file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size());
      if (std::none_of(found.begin(), found.end(), [&](const Candidate& c) { return c.model == model; }))
        here.push_back({model, folder + "/" + file});
    }
    std::sort(here.begin(), here.end(), [](const Candidate& a, const Candidate& b) { return a.model < b.model; });
    found.insert(found.end(), here.begin(), here.end());
  }
  return found;
}

const Plugin& PluginRegistry::find(std::string_view model) {
  const std::lock_guard lock(mutex_);
  if (const Plugin* plugin = loaded(model)) return *plugin;
  return load_file(place_of(model).path);
}

PluginRegistry::Location PluginRegistry::locate(std::string_view model) {
  const std::lock_guard lock(mutex_);
  return place_of(model);
}

PluginRegistry::Location PluginRegistry::place_of(std::string_view model) {
  check_model_name(model);
  if (const Plugin* plugin = loaded(model)) return {plugin->path, plugin->note.runtime, true};
  std::vector<std::string> names;
  for (const auto& plugin : plugins_) names.push_back(plugin->name());
  for (const Candidate& candidate : candidates()) {
    if (candidate.model == model) {
      const std::string path = trusted_path(candidate.path);
      return {path, check_found(model, path).runtime, false};
    }
    names.push_back(candidate.model);
  }
  std::sort(names.begin(), names.end());  // a loaded model may be listed as a file too
  names.erase(std::unique(names.begin(), names.end()), names.end());
  throw argument_error(REC_NOT_FOUND, "model", no_plugin(model, names));
}

// From the files' notes: a list runs no plugin's code, which may be broken, and loads no runtime.
Json PluginRegistry::list() {
  const std::lock_guard lock(mutex_);
  Json out = Json::array();
  const auto add = [&](const std::string& name, const std::string& path, const rec_plugin_note_t& note,
                       const std::string& error) {
    out.push_back({{"name", name}, {"version", note.version}, {"path", path}, {"doc", note.doc}, {"error", error}});
  };
  const std::vector<Candidate> found = candidates();
  for (const Candidate& candidate : found) {
    try {
      const Plugin* plugin = loaded(candidate.model);
      const std::string path = plugin != nullptr ? plugin->path : trusted_path(candidate.path);
      add(candidate.model, path, plugin != nullptr ? plugin->note : check_found(candidate.model, path), "");
    } catch (const Error& error) {
      add(candidate.model, candidate.path, {}, error.message);
    }
  }
  for (const auto& plugin : plugins_)  // loaded by path
    if (std::none_of(found.begin(), found.end(), [&](const Candidate& c) { return c.model == plugin->name(); }))
      add(plugin->name(), plugin->path, plugin->note, "");
  return out;
}

Json describe_plugin(const Plugin& plugin, std::span<const rec_param_t> loop_params) {
  constexpr std::pair<int64_t, const char*> kNames[] = {
      {REC_CAP_TRAIN, "train"},
      {REC_CAP_USER_TABLE, "user_table"},
      {REC_CAP_ITEM_TABLE, "item_table"},
      {REC_CAP_ENCODE, "encode"},
      {REC_CAP_SCORE, "score"},
      {REC_CAP_COLD_USER, "cold_user"},
      {REC_CAP_INCREMENTAL, "incremental"},
      {REC_CAP_GPU, "gpu"},
      {REC_CAP_DETERMINISTIC, "deterministic"},
      {REC_CAP_ITEM_WEIGHTS, "item_weights"},
      {REC_CAP_SCORE_LIVE, "score_live"},
      {REC_CAP_GRADIENTS, "gradients"},
      {REC_CAP_LISTS, "lists"},
      {REC_CAP_LABELLED, "labelled"},
      {REC_CAP_VECTORS, "vectors"},
  };
  Json capabilities = Json::array();
  for (const auto& [bit, name] : kNames)
    if ((plugin.slots->capabilities & bit) != 0) capabilities.push_back(name);
  Json params = describe_params(plugin.params(), "model");
  const auto n_own = std::ssize(params);
  for (Json& entry : describe_params(loop_params, "core")) {
    const bool redeclared = std::any_of(params.begin(), params.begin() + n_own,
                                        [&](const Json& param) { return param["name"] == entry["name"]; });
    if (!redeclared) params.push_back(std::move(entry));
  }
  return {{"name", plugin.slots->name},
          {"version", plugin.slots->version},
          {"doc", plugin.slots->doc},
          {"paper", plugin.slots->paper},
          {"path", plugin.path},
          {"capabilities", std::move(capabilities)},
          {"parameters", std::move(params)}};
}

}  // namespace rec
