#include "core/base/json.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "core/base/text.h"

namespace rec {

namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxValues = 65536;
constexpr size_t kMaxMessageKeys = 64;

// A vector that grows by doubling takes up to four times its last size from memory that is not given back in between.
constexpr size_t kReserveBytes = 4 * kMaxValues * sizeof(Json);
alignas(Json) char reserve[kReserveBytes];  // its pages cost nothing until they are used
std::mutex reserve_mutex;                   // held by the thread that has taken memory, until it gives all of it back
std::atomic<std::thread::id> reserve_owner;
size_t reserve_used = 0, reserve_pieces = 0;  // of the owner

// Stops a document that would fill memory or the stack.
class Limits : public nlohmann::json_sax<Json> {
 public:
  const char* broken = nullptr;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return value() && open(); }
  bool key(string_t&) override {  // ordered objects search for a key linearly
    if (++n_keys_[depth_] > kMaxMessageKeys) broken = "an object has too many keys";
    return broken == nullptr;
  }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override { return value() && open(); }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    broken = "it is malformed";
    return false;
  }

 private:
  bool value() {
    if (++n_values_ > kMaxValues) broken = "it has too many values";
    return broken == nullptr;
  }
  bool open() {
    if (++depth_ > kMaxDepth) broken = "it is nested too deep";
    if (broken == nullptr) n_keys_[depth_] = 0;
    return broken == nullptr;
  }
  size_t n_values_ = 0;
  int depth_ = 0;
  size_t n_keys_[kMaxDepth + 1] = {};  // of the open object at each depth
};

}  // namespace

Json parse_json(std::string_view text, std::string_view what, rec_status_t status, const CancelToken* cancel) {
  std::vector<std::set<std::string>> keys;
  size_t n_values = 0;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    throw_if_cancelled(cancel);
    if (depth > kMaxDepth) throw Error(status, cat(what, ": JSON is nested more than ", kMaxDepth, " deep"));
    const bool begins = event == Json::parse_event_t::value || event == Json::parse_event_t::object_start ||
                        event == Json::parse_event_t::array_start;
    if (begins && ++n_values > kMaxValues)
      throw Error(status, cat(what, ": JSON has more than ", kMaxValues, " values"));
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

Json parse_message(std::span<const char> bytes, std::string_view what) {
  constexpr auto kFormat = Json::input_format_t::msgpack;
  Limits limits;
  if (!Json::sax_parse(bytes.begin(), bytes.end(), &limits, kFormat))
    throw Error(REC_CORRUPT_DATA, cat(what, ": ", limits.broken));
  return Json::from_msgpack(bytes.begin(), bytes.end());
}

bool is_text(const Json& value, std::string_view text) {
  return value.is_string() && value.get_ref<const std::string&>() == text;
}

std::string dump_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

void* JsonReserve::take(size_t n_bytes) {
  if (reserve_owner.load() != std::this_thread::get_id()) {
    reserve_mutex.lock();
    reserve_owner.store(std::this_thread::get_id());
  }
  if (n_bytes > kReserveBytes - reserve_used) throw std::bad_alloc();
  void* memory = reserve + reserve_used;
  reserve_used += n_bytes;
  ++reserve_pieces;
  return memory;
}

bool JsonReserve::give_back(void* memory) {
  if (memory < reserve || memory >= reserve + kReserveBytes) return false;
  if (--reserve_pieces == 0) {
    reserve_used = 0;
    reserve_owner.store({});
    reserve_mutex.unlock();
  }
  return true;
}

}  // namespace rec
