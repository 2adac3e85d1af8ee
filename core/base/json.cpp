#include "core/base/json.h"

#include <set>
#include <vector>

#include "core/base/text.h"

namespace rec {

Json parse_json(std::string_view text, std::string_view what, rec_status_t status) {
  constexpr int kMaxDepth = 64;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) throw Error(status, cat(what, ": JSON is nested more than ", kMaxDepth, " deep"));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && keys.back().size() == kMaxJsonKeys)
      throw Error(status, cat(what, ": a JSON object has more than ", kMaxJsonKeys, " keys"));
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw Error(status, cat(what, ": key '", printable(parsed.get<std::string>()), "' occurs twice"));
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    throw Error(status, cat(what, ": not JSON: ", printable(error.what())));
  }
}

std::string dump_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace rec
