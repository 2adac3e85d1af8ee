#include "cli/new_folder.h"

#include "cli/output.h"

namespace rec::cli {

namespace fs = std::filesystem;

namespace {

// Without a slash at the end.
fs::path folder_of(const std::string& path) {
  const fs::path folder(path);
  return folder.has_filename() ? folder : folder.parent_path();
}

}  // namespace

void check_new_folder(const std::string& flag, const std::string& path) {
  std::error_code none;
  const fs::path folder = folder_of(path), parent = folder.parent_path();
  if (fs::exists(folder, none) && (!fs::is_directory(folder, none) || !fs::is_empty(folder, none)))
    throw usage_error(flag, plain(path) + " is there already; expected a new or empty folder");
  if (!parent.empty() && !fs::is_directory(parent, none))
    throw Failure{REC_NOT_FOUND, flag + ": there is no folder " + plain(parent.string()), flag, parent.string(), -1};
}

void fill_folder(const std::string& path, const std::function<void(const fs::path&)>& fill) {
  const fs::path folder = folder_of(path), part = folder.string() + ".part";
  std::error_code code;
  if (!fs::create_directory(part, code))
    throw Failure{
        REC_IO,
        "cannot make the folder " + plain(part.string()) + (code ? ": " + code.message() : ", which is there already"),
        "", part.string(), -1};
  try {
    fill(part);
    fs::rename(part, folder);  // replaces an empty folder
  } catch (...) {
    fs::remove_all(part, code);
    throw;
  }
}

}  // namespace rec::cli
