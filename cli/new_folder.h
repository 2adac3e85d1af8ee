// A folder that is written as a whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace rec::cli {

// A Failure unless the folder is new or empty, in one that is there.
void check_new_folder(const std::string& flag, const std::string& path);
// Has a folder filled and moves it to path; removes it when that fails.
void fill_folder(const std::string& path, const std::function<void(const std::filesystem::path&)>& fill);

}  // namespace rec::cli
