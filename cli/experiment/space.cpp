#include "cli/experiment/space.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <filesystem>

namespace rec::cli {

namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// 16 is a whole number, 1e-3 and 16.0 are floats, [64, 32] is a list, anything else is a word.
Json value_of(std::string_view text) {
  text = trimmed(text);
  if (const auto whole = to_int64(text)) return *whole;
  if (text == "true" || text == "false") return text == "true";
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (code == std::errc() && stop == end && std::isfinite(number)) return number;
  if (!text.starts_with('[') || !text.ends_with(']')) return std::string(text);
  Json list = Json::array();
  for (const std::string& element : split(text.substr(1, text.size() - 2), ',')) list.push_back(value_of(element));
  return list;
}

// At commas that are not within brackets.
Json choices_of(std::string_view text) {
  Json choices = Json::array();
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size()) depth += (text[i] == '[') - (text[i] == ']');
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    choices.push_back(value_of(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return choices;
}

void add(const std::string& name, Json value, Json& space) {
  if (space.contains(name)) throw usage_error("space", plain(name) + " is given twice");
  space[name] = std::move(value);
}

Failure file_error(const std::string& path, const YAML::Mark& mark, const std::string& what) {
  const int64_t line = mark.is_null() ? -1 : mark.line + 1;
  return {REC_INVALID_ARGUMENT, path + (line > 0 ? ":" + std::to_string(line) : "") + ": " + what, "space-file", path,
          line};
}

Json scalar_of(const std::string& path, const YAML::Node& node) {
  if (!node.IsScalar()) throw file_error(path, node.Mark(), "must be a single value");
  return node.Tag() == "!" ? Json(node.Scalar()) : value_of(node.Scalar());  // "!": in quotes
}

Json json_of_node(const std::string& path, const YAML::Node& node, int depth) {
  if (node.IsSequence() && depth > 0) {
    Json list = Json::array();
    for (const YAML::Node& element : node) list.push_back(json_of_node(path, element, depth - 1));
    return list;
  }
  if (node.IsMap() && depth > 1) {
    Json range = Json::object();
    for (const auto& pair : node) range[pair.first.Scalar()] = scalar_of(path, pair.second);
    return range;
  }
  return scalar_of(path, node);
}

}  // namespace

void add_to_space(const std::string& words, Json& space) {
  const size_t equal = words.find('=');
  const std::string name(trimmed(std::string_view(words).substr(0, equal)));
  if (equal == std::string::npos || name.empty())
    throw usage_error("space", "must be NAME=LOW..HIGH, with ' log' behind it or not, or NAME=VALUE,VALUE, got '" +
                                   plain(words) + "'");
  std::string_view text = trimmed(std::string_view(words).substr(equal + 1));
  const bool is_log = text.ends_with(" log");
  if (is_log) text = trimmed(text.substr(0, text.size() - 4));
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    if (is_log) throw usage_error("space", plain(name) + ": log is for a range, LOW..HIGH, got '" + plain(words) + "'");
    return add(name, choices_of(text), space);
  }
  Json range = {{"low", value_of(text.substr(0, dots))}, {"high", value_of(text.substr(dots + 2))}};
  if (is_log) range["log"] = true;
  add(name, std::move(range), space);
}

void add_space_file(const std::string& path, Json& space) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw Failure{REC_NOT_FOUND, "space-file: there is no file " + plain(path), "space-file", path, -1};
  if (std::filesystem::is_directory(path, none)) throw usage_error("space-file", plain(path) + " is a folder");
  try {
    const YAML::Node root = YAML::LoadFile(path);
    const YAML::Node tune = root.IsMap() ? root["tune"] : YAML::Node();
    if (!tune || !tune.IsMap()) throw file_error(path, root.Mark(), "must have a section tune: of parameters");
    for (const auto& pair : tune) {
      if (!pair.first.IsScalar()) throw file_error(path, pair.first.Mark(), "tune: has a name that is no word");
      add(pair.first.Scalar(), json_of_node(path, pair.second, 2), space);
    }
  } catch (const YAML::Exception& error) {
    throw file_error(path, error.mark, "is no YAML: " + error.msg);
  }
}

}  // namespace rec::cli
