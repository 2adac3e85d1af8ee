#include "core/tuning/space.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/checked.h"
#include "core/base/text.h"

namespace rec {

namespace {

constexpr size_t kMaxParameters = 256, kMaxChoices = 4096;
constexpr double kMaxWhole = 0x1p53;
constexpr int kDigits = 6;

// With six digits: as a person would write it, and the same where a logarithm differs in its last bit.
double rounded(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, kDigits - 1).ptr;
  std::from_chars(text, end, value);
  return value;
}

template <class... Parts>
Error wrong(std::string_view name, const Parts&... parts) {
  return invalid_argument("space", printable(name), ": ", parts...);
}

bool is_plain(const Json& value) { return value.is_number() || value.is_string() || value.is_boolean(); }

void check_choices(const TunedParameter& parameter) {
  const std::vector<Json>& choices = parameter.choices;
  if (choices.empty() || choices.size() > kMaxChoices)
    throw wrong(parameter.name, "must have 1 to ", kMaxChoices, " choices, got ", choices.size());
  for (size_t i = 0; i < choices.size(); ++i) {
    const bool is_list = choices[i].is_array() && std::all_of(choices[i].begin(), choices[i].end(), is_plain);
    if (!is_plain(choices[i]) && !is_list)
      throw wrong(parameter.name, "a choice must be a number, a text, a bool or a list of them, got ",
                  printable(dump_json(choices[i])));
    if (std::find(choices.begin(), choices.begin() + static_cast<int64_t>(i), choices[i]) !=
        choices.begin() + static_cast<int64_t>(i))
      throw wrong(parameter.name, "the choice ", printable(dump_json(choices[i])), " is there twice");
  }
}

double end_of(const TunedParameter& parameter, const Json& range, const char* end) {
  const auto it = range.find(end);
  if (it == range.end())
    throw wrong(parameter.name, "a range must have '", end, "', got ", printable(dump_json(range)));
  if (!it->is_number()) throw wrong(parameter.name, end, " must be a number, got ", printable(dump_json(*it)));
  return it->get<double>();
}

void read_range(const Json& range, TunedParameter& parameter) {
  static const std::vector<std::string> kKeys = {"low", "high", "log"};
  for (const auto& [key, value] : range.items())
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
      throw wrong(parameter.name, "a range has no '", printable(key), "'", suggestion(key, kKeys));
  parameter.low = end_of(parameter, range, "low");
  parameter.high = end_of(parameter, range, "high");
  const bool is_whole = range["low"].is_number_integer() && range["high"].is_number_integer();
  parameter.kind = is_whole ? TunedParameter::Kind::kInt : TunedParameter::Kind::kFloat;
  if (const auto it = range.find("log"); it != range.end()) {
    if (!it->is_boolean()) throw wrong(parameter.name, "log must be true or false, got ", printable(dump_json(*it)));
    parameter.log = it->get<bool>();
  }
  if (!(parameter.low < parameter.high))
    throw wrong(parameter.name, "low must be less than high, got ", dump_json(range["low"]), " and ",
                dump_json(range["high"]));
  if (is_whole && (parameter.low <= -kMaxWhole || parameter.high >= kMaxWhole))
    throw wrong(parameter.name, "whole numbers must be between -2^53 and 2^53");
  if (!std::isfinite(parameter.high - parameter.low)) throw wrong(parameter.name, "low and high are too far apart");
  if (parameter.log && parameter.low <= 0)
    throw wrong(parameter.name, "low must be more than 0 with log, got ", dump_json(range["low"]));
}

}  // namespace

double TunedParameter::position(double number) const { return log ? std::log(number) : number; }

Json TunedParameter::at(double position) const {
  const double number = std::clamp(log ? std::exp(position) : position, low, high);
  if (kind == Kind::kInt) return static_cast<int64_t>(std::clamp(std::round(number), low, high));
  return std::clamp(rounded(number), low, high);
}

std::optional<size_t> TunedParameter::choice(const Json& value) const {
  const auto it = std::find(choices.begin(), choices.end(), value);
  if (it == choices.end()) return std::nullopt;
  return it - choices.begin();
}

bool TunedParameter::contains(const Json& value) const {
  if (kind == Kind::kChoice) return choice(value).has_value();
  if (kind == Kind::kInt ? !value.is_number_integer() : !value.is_number()) return false;
  const auto number = value.get<double>();
  return number >= low && number <= high;
}

Json TunedParameter::json() const {
  Json json = kind == Kind::kChoice ? Json::array() : Json::object();
  if (kind == Kind::kChoice) {
    for (const Json& choice : choices) json.push_back(choice);
    return json;
  }
  for (const auto& [key, value] : {std::pair("low", low), std::pair("high", high)})
    json[key] = kind == Kind::kInt ? Json(static_cast<int64_t>(value)) : Json(value);
  if (log) json["log"] = true;
  return json;
}

Space::Space(std::string_view text) {
  const Json given = of_argument("space", [&] { return parse_json(text, "it is"); });
  if (!given.is_object()) throw invalid_argument("space", "must be a JSON object, got ", printable(dump_json(given)));
  if (given.empty() || given.size() > kMaxParameters)
    throw invalid_argument("space", "must have 1 to ", kMaxParameters, " parameters, got ", given.size());
  for (const auto& [name, value] : given.items()) {
    TunedParameter& parameter = parameters_.emplace_back();
    parameter.name = name;
    if (name.empty()) throw invalid_argument("space", "a parameter has no name");
    if (value.is_object()) {
      read_range(value, parameter);
    } else if (value.is_array()) {
      parameter.choices.assign(value.begin(), value.end());
      check_choices(parameter);
    } else {
      throw wrong(name, "must be a list of choices, or {\"low\": .., \"high\": ..}, got ", printable(dump_json(value)));
    }
  }
}

Json Space::json() const {
  Json json = Json::object();
  for (const TunedParameter& parameter : parameters_) json[parameter.name] = parameter.json();
  return json;
}

bool Space::contains(const Json& values) const {
  if (!values.is_object() || values.size() != parameters_.size()) return false;
  return std::all_of(parameters_.begin(), parameters_.end(), [&](const TunedParameter& parameter) {
    const auto it = values.find(parameter.name);
    return it != values.end() && parameter.contains(*it);
  });
}

namespace {

int64_t n_values(const TunedParameter& parameter) {
  if (parameter.kind == TunedParameter::Kind::kChoice) return std::ssize(parameter.choices);
  return static_cast<int64_t>(parameter.high - parameter.low) + 1;
}

}  // namespace

int64_t Space::n_combinations() const {
  int64_t n = 1;
  for (const TunedParameter& parameter : parameters_) {
    if (parameter.kind == TunedParameter::Kind::kFloat)
      throw argument_error(REC_UNSUPPORTED, "sampler", "a grid needs choices or whole numbers, and ",
                           printable(parameter.name), " is a range of floats: give the values to try");
    n = checked_mul(n, n_values(parameter));
  }
  return n;
}

Json Space::combination(int64_t i) const {
  std::vector<Json> values(parameters_.size());
  for (size_t p = parameters_.size(); p-- > 0;) {
    const TunedParameter& parameter = parameters_[p];
    const int64_t n = n_values(parameter), digit = i % n;
    i /= n;
    values[p] = parameter.kind == TunedParameter::Kind::kChoice ? parameter.choices[digit]
                                                                : Json(static_cast<int64_t>(parameter.low) + digit);
  }
  Json json = Json::object();
  for (size_t p = 0; p < values.size(); ++p) json[parameters_[p].name] = values[p];
  return json;
}

}  // namespace rec
