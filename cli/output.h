// What a command prints: results to stdout, as tables or JSON lines; notes, errors and the progress bar to stderr.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api.h"

namespace rec::cli {

using Json = nlohmann::ordered_json;

// Any thread may use it.
class Output {
 public:
  Output(bool json, bool quiet);

  bool json() const { return json_; }

  void event(const Json& object);                                           // with --json only
  void line(const std::string& text);                                       // without --json; --quiet keeps it
  void note(const std::string& text);                                       // "recore: ..." on stderr, unless --quiet
  void log(std::string_view message);                                       // a line of the library's log
  void failure(const Failure& failure, const Json& more = Json::object());  // more: further keys of the JSON event

  // One line that is redrawn in place; only when stderr is a terminal.
  void progress(std::string_view label, int64_t done, int64_t total, std::string_view rest);
  void clear_progress();

 private:
  bool json_, quiet_, terminal_;
  std::recursive_mutex mutex_;
  bool drawn_ = false;
};

Json failure_event(const Failure& failure);
std::string dump(const Json& json);

// Text that may hold any bytes as a JSON string: dump writes each byte that is no UTF-8 as \udcXX, as Python's
// surrogateescape reads it, so that different ids stay different.
Json text_json(std::string_view text);

// Columns as wide as their widest cell, two spaces between.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  Table& right(size_t column);  // aligns numbers to the right
  void add(std::vector<std::string> row);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> right_;
};

std::string fixed(double value, int digits);       // "0.1234"; "-" for NaN
std::string rounded(double value);                 // to two digits: "0.0071"; "-" for NaN
std::string fixed(const Json& value, int digits);  // "-" for null, which JSON has for NaN
std::string grouped(int64_t value);                // "1,234,567"
std::string seconds_text(double seconds);          // "4.2 ms", "0.12 s", "3 min 04 s"
std::string value_text(const Json& value);         // a JSON value for people: no quotes around a string
std::string plain(std::string_view text);          // control bytes as '?': titles and ids must not steer a terminal
size_t width(std::string_view text);               // in code points

}  // namespace rec::cli
