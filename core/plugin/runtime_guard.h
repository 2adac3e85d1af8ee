#pragma once

#include <string>
#include <string_view>

#include "core/plugin/elf_file.h"

namespace rec {

// Two different LibTorch builds in one process crash each other (symbols are process-wide even under RTLD_LOCAL).
// UNSUPPORTED when the plugin's runtime is libtorch and a libc10 or libtorch_cpu other than its own is already mapped.
void refuse_second_runtime(const std::string& plugin_path, std::string_view runtime, const ElfFile& plugin);

}  // namespace rec
