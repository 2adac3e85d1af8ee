#include "core/plugin/runtime_guard.h"

#include <link.h>

#include <filesystem>

#include "core/base/error.h"

namespace rec {

namespace {

bool is_torch_library(std::string_view file) {
  return file.starts_with("libc10.so") || file.starts_with("libtorch_cpu.so");
}

std::string canonical(const std::string& path) {
  std::error_code code;
  const auto resolved = std::filesystem::canonical(path, code);
  return code ? path : resolved.string();
}

std::vector<std::string> mapped_torch_libraries() {
  std::vector<std::string> paths;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        const std::string path = info->dlpi_name != nullptr ? info->dlpi_name : "";
        if (is_torch_library(std::filesystem::path(path).filename().string()))
          static_cast<std::vector<std::string>*>(out)->push_back(canonical(path));
        return 0;
      },
      &paths);
  return paths;
}

// Where the dynamic loader would find a library that the plugin needs.
std::string resolve(const std::string& library, const ElfFile& plugin) {
  std::vector<std::string> folders = plugin.search_path;
  for (const char* folder :
       {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
        "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"})
    folders.emplace_back(folder);
  for (const std::string& folder : folders) {
    const std::string path = folder + "/" + library;
    std::error_code code;
    if (std::filesystem::exists(path, code)) return canonical(path);
  }
  return library;
}

}  // namespace

void refuse_second_runtime(const std::string& plugin_path, std::string_view runtime, const ElfFile& plugin) {
  if (!runtime.starts_with("libtorch")) return;
  for (const std::string& mapped : mapped_torch_libraries()) {
    const std::string file = std::filesystem::path(mapped).filename().string();
    const std::string stem = file.substr(0, file.find(".so"));
    for (const std::string& library : plugin.needed) {
      if (!is_torch_library(library) || library.substr(0, library.find(".so")) != stem) continue;
      const std::string wanted = resolve(library, plugin);
      if (wanted != mapped)
        throw Error(REC_UNSUPPORTED,
                    cat(plugin_path, ": needs ", wanted, ", but this process has ", mapped,
                        " mapped; two LibTorch in one process crash each other. Load the plugin before the other "
                        "LibTorch comes in, build the plugin against that LibTorch, or use isolation=process"));
    }
  }
}

}  // namespace rec
