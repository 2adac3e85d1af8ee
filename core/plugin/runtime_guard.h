#pragma once

#include <string>
#include <string_view>

#include "core/plugin/elf_file.h"

namespace rec {

// Two different LibTorch in one process crash each other (symbols are process-wide even under RTLD_LOCAL). When the
// plugin's runtime is libtorch and another libc10 or libtorch_cpu than the one it would get is mapped: UNSUPPORTED.
void refuse_second_runtime(const std::string& plugin_path, std::string_view runtime, const ElfFile& plugin);

}  // namespace rec
