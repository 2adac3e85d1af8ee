// A file that a command writes: whole at its path, or not at all.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "cli/api.h"

namespace rec::cli {

class OutputFile {
 public:
  // argument: the option that named the file, for errors. IO, DENIED or NOT_FOUND when it cannot be made.
  OutputFile(std::string argument, std::string path);
  ~OutputFile();  // without close, what was at the path stays
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() { return file_; }
  void close();

 private:
  Failure failed(int code) const;

  std::string argument_, path_;
  std::string written_;  // beside the path, or itself: a pipe, a device
  std::ofstream file_;
};

// INVALID_ARGUMENT for an output that is one of these files, which are read. Empty paths are none.
void check_is_no_input(const std::string& argument, const std::string& path, const std::vector<std::string>& inputs);

// The whole of a file.
void write_file(const std::string& argument, const std::string& path, const std::string& text);

}  // namespace rec::cli
