#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/plugin/elf_file.h"
#include "rec_plugin_api.h"

namespace rec {

// A loaded plugin; lives as long as the process.
struct Plugin {
  std::string path;
  rec_plugin_note_t note;
  const rec_plugin_t* slots;

  std::string name() const { return slots->name; }
  std::span<const rec_param_t> params() const { return {slots->params, static_cast<size_t>(slots->n_params)}; }
};

// Whether the table is long enough to hold this slot, and the slot is set.
#define REC_HAS_SLOT(table, slot) \
  ((table)->struct_size >= offsetof(rec_plugin_t, slot) + sizeof((table)->slot) && (table)->slot != nullptr)

// Finds plugin files by model name and loads them, once. A plugin is never unloaded: LibTorch and OpenMP leave
// thread-locals and registries behind.
class PluginRegistry {
 public:
  static PluginRegistry& instance();

  void add_folder(const std::string& path);
  const Plugin& load(const std::string& path);
  // By model name; NOT_FOUND names the nearest one.
  const Plugin& find(std::string_view model);
  // The same without loading it: its file, and the runtime that it would bring ("" or "libtorch 1.13").
  struct Location {
    std::string path, runtime;
    bool loaded;
  };
  Location locate(std::string_view model);
  // The folders searched, in order.
  std::vector<std::string> folders();
  // [{name, version, path, doc, error}] for every file that can be found.
  Json list();

 private:
  struct Candidate {
    std::string model, path;
  };
  // With the mutex held:
  const Plugin& load_file(const std::string& path);
  Location place_of(std::string_view model);
  void read_environment();
  std::vector<Candidate> candidates();
  const Plugin* loaded(std::string_view model) const;

  std::mutex mutex_;
  std::vector<std::string> folders_;
  bool read_environment_ = false;
  std::vector<std::unique_ptr<Plugin>> plugins_;
  std::vector<void*> libraries_;  // boost::dll::shared_library objects, kept for ever
};

// {name, version, doc, paper, capabilities, parameters}; the loop's parameters come last.
Json describe_plugin(const Plugin& plugin, std::span<const rec_param_t> loop_params);

// Model names that may be looked up: letters, digits, '_'. DENIED for anything else: no path hides in a name.
void check_model_name(std::string_view model);

}  // namespace rec
