#include "core/capi/objects.h"
#include "core/plugin/loop_params.h"
#include "core/plugin/registry.h"
#include "core/worker/worker.h"

using namespace rec;

extern "C" {

rec_status_t rec_plugin_load(const char* path, rec_error_t** out_error) {
  return guarded(out_error, [&] {
    with_path(path, "path", [](const std::string& file) { PluginRegistry::instance().load(file); });
  });
}

rec_status_t rec_plugin_add_folder(const char* path, rec_error_t** out_error) {
  return guarded_setup(out_error, [&] {
    with_path(path, "path", [](const std::string& folder) { PluginRegistry::instance().add_folder(folder); });
  });
}

rec_status_t rec_plugin_list(rec_text_t** out_json, rec_error_t** out_error) {
  return guarded_giving(out_json, "out_json", out_error,
                        [&] { return new_text(dump_json(PluginRegistry::instance().list())); });
}

rec_status_t rec_plugin_describe(const char* model, rec_text_t** out_json, rec_error_t** out_error) {
  return guarded_giving(out_json, "out_json", out_error, [&] {
    const std::string name = &not_null(model, "model");
    const PluginRegistry::Location plugin = PluginRegistry::instance().locate(name);
    if (!plugin.loaded && !plugin.runtime.empty())
      return new_text(describe_in_worker(name));
    else
      return new_text(dump_json(describe_plugin(PluginRegistry::instance().find(name), loop_params())));
  });
}

}  // extern "C"
