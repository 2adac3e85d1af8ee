#pragma once

#include <functional>
#include <string>

#include "rec_reader_api.h"

namespace rec {

// Fills the stream with the rows of a file, by recore_read_FORMAT.so of the folders that model plugins are found in.
// UNSUPPORTED when there is none.
void open_by_reader(const std::string& format, const std::string& path, const std::function<bool(const char*)>& wants,
                    ArrowArrayStream& out);

}  // namespace rec
