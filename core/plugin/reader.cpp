#include "core/plugin/reader.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/trusted_path.h"
#include "core/plugin/registry.h"

namespace rec {

namespace {

std::string find_reader(const std::string& format) {
  const std::string name = cat("recore_read_", format, ".so");
  std::string searched;
  for (const std::string& folder : PluginRegistry::instance().folders()) {
    if (file_exists(folder + "/" + name)) return trusted_path(folder + "/" + name);
    searched += (searched.empty() ? "" : ", ") + folder;
  }
  throw argument_error(REC_UNSUPPORTED, "format", format, " files are read by the plugin ", name,
                       ", which is in none of the folders ", searched,
                       "; put its folder into REC_PLUGIN_PATH, or give the rows as CSV or as an Arrow stream");
}

const rec_reader_t* load_reader(const std::string& format, const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    throw Error(REC_PLUGIN_FAILED, cat(path, ": cannot be loaded: ", why != nullptr ? why : "no reason given"));
  }
  const auto entry = reinterpret_cast<const rec_reader_t* (*)()>(dlsym(library, "rec_reader_entry"));
  if (entry == nullptr) throw Error(REC_PLUGIN_FAILED, cat(path, ": has no symbol rec_reader_entry"));
  const rec_reader_t* const reader = entry();
  if (reader == nullptr || reader->struct_size < sizeof(rec_reader_t) || reader->format == nullptr || reader->open == nullptr)
    throw Error(REC_PLUGIN_FAILED, cat(path, ": its table is not complete"));
  if (reader->abi != REC_READER_ABI)
    throw Error(REC_ABI_MISMATCH, cat(path, ": is for version ", reader->abi, " of the interface of readers, not ", REC_READER_ABI));
  if (reader->format != format) throw Error(REC_PLUGIN_FAILED, cat(path, ": reads '", printable(reader->format), "'"));
  log::write(REC_LOG_INFO, cat("reader_loaded format=", format, " path=", path));
  return reader;
}

// Loaded once, and never unloaded.
const rec_reader_t& reader_of(const std::string& format) {
  static std::mutex& mutex = *new std::mutex;
  static auto& readers = *new std::map<std::string, const rec_reader_t*>;
  const std::string path = find_reader(format);
  const std::lock_guard lock(mutex);
  const rec_reader_t*& reader = readers[path];
  if (reader == nullptr) reader = load_reader(format, path);
  return *reader;
}

}  // namespace

void open_by_reader(const std::string& format, const std::string& path, const std::function<bool(const char*)>& wants,
                    ArrowArrayStream& out) {
  char message[1000] = "";
  const auto ask = [](void* context, const char* column) -> int32_t {
    return (*static_cast<const std::function<bool(const char*)>*>(context))(column);
  };
  const int32_t code = reader_of(format).open(path.c_str(), ask, const_cast<std::function<bool(const char*)>*>(&wants), &out,
                                              message, sizeof message);
  if (code == 0) return;
  message[sizeof message - 1] = 0;
  Error error(REC_INVALID_DATA, cat(path, ": ", message[0] != 0 ? printable(message) : "the reader gave no reason"));
  error.file = path;
  throw error;
}

}  // namespace rec
