#include "core/tuning/journal.h"

#include "core/base/text.h"

namespace rec {

namespace {

constexpr const char* kVersionKey = "recore_tuner";
constexpr int64_t kVersion = 1;
constexpr int64_t kMaxBytes = int64_t{1} << 30;

std::string line_of(const Json& json) { return dump_json(json) + '\n'; }

// The name of what differs, and both values: a parameter of the space, or an option.
void compare(const std::string& path, const Json& found, const Json& wanted, const std::string& argument) {
  const auto refuse = [&](const std::string& key, const std::string& has, const std::string& here) {
    const std::string name = argument.empty() ? key : argument;
    throw invalid_argument(name, argument.empty() ? "" : printable(key) + ": ", "is ", here, ", and the journal ", path,
                           " is of a search with ", has);
  };
  const auto text = [](const Json& object, const std::string& key) {
    const auto it = object.find(key);
    return it != object.end() ? printable(dump_json(*it)) : std::string("none");
  };
  for (const Json* side : {&wanted, &found})
    for (const auto& [key, value] : side->items()) {
      const std::string has = text(found, key), here = text(wanted, key);
      if (found.contains(key) && wanted.contains(key) && found[key] == wanted[key]) continue;
      if (key == "space" && found.contains(key) && found[key].is_object())
        compare(path, found[key], wanted[key], "space");
      refuse(key, has, here);
    }
}

void check_search(const std::string& path, std::string_view line, const Json& search) {
  const auto foreign = [&] {
    Error error = invalid_argument("journal_path", path, " is there and is no journal of a search");
    error.file = path;
    return error;
  };
  Json found;
  try {
    found = parse_json(line, "journal");
  } catch (const Error& error) {
    if (error.status == REC_OUT_OF_MEMORY) throw;
    throw foreign();
  }
  if (!found.is_object() || !found.contains(kVersionKey)) throw foreign();
  if (found[kVersionKey] != kVersion)
    throw argument_error(REC_UNSUPPORTED, "journal_path", path, " has version ",
                         printable(dump_json(found[kVersionKey])), ", and this library reads version ", kVersion);
  compare(path, found, search, "");
}

Json with_version(const Json& search) {
  Json line = {{kVersionKey, kVersion}};
  line.update(search);
  return line;
}

}  // namespace

Journal::Journal(const std::string& path, const Json& search, const std::function<void(const Json& event)>& replay)
    : file_(path) {
  const Json own = with_version(search);
  const std::string first = line_of(own);
  const Buffer<char> bytes = file_.read(SizeLimit(kMaxBytes, "journal_path"));
  const std::string_view all(bytes.data(), bytes.size());
  const size_t whole = all.rfind('\n') + 1;                                 // 0 without a whole line
  if (whole == 0 && !first.starts_with(all)) check_search(path, all, own);
  int64_t number = 0;
  for (std::string_view rest = all.substr(0, whole); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    if (++number == 1) {
      check_search(path, line, own);
      continue;
    }
    try {
      replay(parse_json(line, "the line", REC_CORRUPT_DATA));
    } catch (Error& error) {
      throw Error(REC_CORRUPT_DATA, cat("journal_path: ", path, ":", number, ": ", error.message))
          .at_argument("journal_path")
          .at_line(path, number);
    }
  }
  // Only now: a file that is refused stays as it is.
  if (whole < all.size()) file_.truncate(static_cast<int64_t>(whole));
  if (whole == 0) file_.append(first);
}

void Journal::append(const Json& event) { file_.append(line_of(event)); }

}  // namespace rec
