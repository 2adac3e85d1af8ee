#include "core/plugin/params.h"

#include <cmath>

#include "core/base/text.h"

const rec_params_t::Value* rec_params_t::find(const char* name) const {
  const auto it = values.find(std::string_view(name));
  if (it != values.end()) return &it->second;
  if (undeclared.empty()) undeclared = name;
  return nullptr;
}

namespace rec {

namespace {

const char* type_name(int32_t type) {
  switch (type) {
    case REC_PARAM_INT: return "int";
    case REC_PARAM_FLOAT: return "float";
    case REC_PARAM_BOOL: return "bool";
    case REC_PARAM_CHOICE: return "choice";
    case REC_PARAM_LIST: return "list";
    default: return "text";
  }
}

// For messages: "an int".
std::string a_type(int32_t type) { return cat(type == REC_PARAM_INT ? "an " : "a ", type_name(type)); }

bool has_bounds(const rec_param_t& param) { return param.min_value != 0 || param.max_value != 0; }

void check_bounds(const rec_param_t& param, double value) {
  if (has_bounds(param) && !(value >= param.min_value && value <= param.max_value))
    throw invalid_argument(param.name, "must be between ", format_double(param.min_value), " and ",
                           format_double(param.max_value), ", got ", format_double(value));
}

std::vector<std::string> words_of(const char* choices) {
  std::vector<std::string> words;
  for (std::string_view word : split(choices, '|')) words.emplace_back(word);
  return words;
}

// Values given on a command line arrive as strings: a string that reads as the declared type is that value.
Json from_text(const rec_param_t& param, const std::string& text) {
  if (param.type == REC_PARAM_BOOL) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
  }
  if (param.type == REC_PARAM_INT)
    if (const auto value = parse_int64(text)) return *value;
  if (param.type == REC_PARAM_FLOAT || param.type == REC_PARAM_INT)
    if (const auto value = parse_double(text)) return *value;
  if (param.type == REC_PARAM_LIST) {
    Json list = parse_json(text, param.name);
    if (list.is_array()) return list;
  }
  throw invalid_argument(param.name, "must be ", a_type(param.type), ", got '", printable(text), "'");
}

Params::Value to_value(const rec_param_t& param, Json given) {
  Params::Value value{&param};
  const bool textual = param.type == REC_PARAM_CHOICE || param.type == REC_PARAM_TEXT;
  if (given.is_string() && !textual) given = from_text(param, given.get<std::string>());
  const auto wrong_type = [&] {
    return invalid_argument(param.name, "must be ", a_type(param.type), ", got ", printable(dump_json(given)));
  };
  switch (param.type) {
    case REC_PARAM_INT:
      if (given.is_number_float()) {
        const double number = given.get<double>();
        if (std::trunc(number) != number || std::abs(number) > 0x1p53) throw wrong_type();
        value.integer = static_cast<int64_t>(number);
      } else if (given.is_number_unsigned() && given.get<uint64_t>() > uint64_t{INT64_MAX}) {
        throw wrong_type();
      } else if (given.is_number()) {
        value.integer = given.get<int64_t>();
      } else {
        throw wrong_type();
      }
      value.number = static_cast<double>(value.integer);
      check_bounds(param, value.number);
      break;
    case REC_PARAM_FLOAT:
      if (!given.is_number()) throw wrong_type();
      value.number = given.get<double>();
      if (!std::isfinite(value.number)) throw wrong_type();
      check_bounds(param, value.number);
      break;
    case REC_PARAM_BOOL:
      if (!given.is_boolean()) throw wrong_type();
      value.boolean = given.get<bool>();
      break;
    case REC_PARAM_LIST:
      if (!given.is_array() || given.size() > 64) throw wrong_type();
      for (const Json& element : given) {
        if (!element.is_number()) throw wrong_type();
        value.list.push_back(element.get<double>());
        check_bounds(param, value.list.back());
      }
      break;
    default:
      if (!given.is_string()) throw wrong_type();
      value.text = given.get<std::string>();
      if (param.type == REC_PARAM_CHOICE) {
        const std::vector<std::string> words = words_of(param.choices);
        if (std::find(words.begin(), words.end(), value.text) == words.end())
          throw invalid_argument(param.name, "there is no '", printable(value.text), "'",
                                 suggestion(value.text, words));
      }
  }
  return value;
}

Json default_of(const rec_param_t& param, const char* text) {
  const bool textual = param.type == REC_PARAM_CHOICE || param.type == REC_PARAM_TEXT;
  return textual ? Json(text) : from_text(param, text);
}

Json value_to_json(const Params::Value& value) {
  switch (value.declared->type) {
    case REC_PARAM_INT: return value.integer;
    case REC_PARAM_FLOAT: return value.number;
    case REC_PARAM_BOOL: return value.boolean;
    case REC_PARAM_LIST: return value.list;
    default: return value.text;
  }
}

}  // namespace

Params parse_params(const Json& given, std::span<const std::span<const rec_param_t>> tables) {
  if (!given.is_object())
    throw invalid_argument("params_json", "must be a JSON object, got ", printable(dump_json(given)));
  Params params;
  std::vector<std::string> names;
  for (std::span<const rec_param_t> table : tables) {
    for (const rec_param_t& param : table) {
      names.emplace_back(param.name);
      const auto it = given.find(param.name);
      // A model that declares a parameter of the loop changes only its default; the loop's type and bounds still hold.
      const auto before = params.values.find(param.name);
      const char* text = before != params.values.end() ? before->second.declared->default_value : param.default_value;
      params.values[param.name] = to_value(param, it != given.end() ? *it : default_of(param, text));
    }
  }
  for (const auto& [key, value] : given.items())
    if (params.values.find(key) == params.values.end())
      throw invalid_argument(key, "there is no such parameter", suggestion(key, names));
  return params;
}

Json params_to_json(const Params& params, std::span<const std::span<const rec_param_t>> tables) {
  Json out = Json::object();
  for (std::span<const rec_param_t> table : tables)
    for (const rec_param_t& param : table) out[param.name] = value_to_json(params.values.find(param.name)->second);
  return out;
}

Json describe_params(std::span<const rec_param_t> table, const char* owner) {
  Json out = Json::array();
  for (const rec_param_t& param : table) {
    Json entry = {
        {"name", param.name}, {"type", type_name(param.type)}, {"default", default_of(param, param.default_value)}};
    if (has_bounds(param)) {
      entry["min"] = param.min_value;
      entry["max"] = param.max_value;
    }
    if (param.choices != nullptr) entry["choices"] = words_of(param.choices);
    entry["doc"] = param.doc;
    entry["owner"] = owner;
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace rec
