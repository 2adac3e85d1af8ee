// What has happened in a search, as lines of JSON in a file: the search itself first, then each ask, report and tell.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/base/append_file.h"
#include "core/base/json.h"

namespace rec {

class Journal {
 public:
  // Opens or makes the file. replay is called for each whole line behind the first one: what it throws is CORRUPT_DATA of
  // that line. A last line that was not written whole is cut off. INVALID_ARGUMENT for a file whose search is not `search`,
  // with what differs, and for one that is no journal.
  Journal(const std::string& path, const Json& search, const std::function<void(const Json& event)>& replay);

  void append(const Json& event);

 private:
  AppendFile file_;
};

}  // namespace rec
