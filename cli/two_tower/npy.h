// What the two-tower commands write: NumPy matrices in a folder that is written as a whole or not at all.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace rec::cli::two_tower {

// The header of a matrix in C order, version 1; type: "<f4" or "<i8".
std::string npy_header(const char* type, size_t rows, size_t columns);
// A Failure if not all of the file was written.
void close_written(std::ofstream& file, const std::filesystem::path& path);
// A Failure unless the folder is new or empty, in one that is there.
void check_new_folder(const std::string& flag, const std::string& path);
// Has a folder filled and moves it to path; removes it when that fails.
void fill_folder(const std::string& path, const std::function<void(const std::filesystem::path&)>& fill);

}  // namespace rec::cli::two_tower
