#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rec_plugin_api.h"

namespace rec {

// What a shared object says about itself, read as data: even dlopen runs code, so its identity is checked first.
struct ElfFile {
  std::optional<rec_plugin_note_t> note;
  std::vector<std::string> needed;       // DT_NEEDED
  std::vector<std::string> search_path;  // DT_RUNPATH and DT_RPATH with $ORIGIN replaced
};

// ABI_MISMATCH for another class, byte order or machine; PLUGIN_FAILED for a file that is not a shared object.
ElfFile read_elf(const std::string& path);

}  // namespace rec
