// What a search may choose from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace rec {

// One parameter of a search: a list of choices, or the numbers between two, which belong to it.
struct TunedParameter {
  enum class Kind { kChoice, kInt, kFloat };

  std::string name;
  Kind kind = Kind::kChoice;
  std::vector<Json> choices;  // of kChoice; else the rest
  double low = 0, high = 0;   // whole numbers below 2^53 for kInt
  bool log = false;

  // A number is drawn and compared at its position: itself, or its logarithm; a whole number stands for all that round to it.
  double position(double number) const;
  double lowest() const { return position(kind == Kind::kInt ? low - 0.5 : low); }
  double highest() const { return position(kind == Kind::kInt ? high + 0.5 : high); }
  Json at(double position) const;
  // Its number in `choices`, if it is one of them.
  std::optional<size_t> choice(const Json& value) const;
  bool contains(const Json& value) const;
  Json json() const;
};

class Space {
 public:
  // INVALID_ARGUMENT, of the argument `space`.
  explicit Space(std::string_view json);

  const std::vector<TunedParameter>& parameters() const { return parameters_; }
  Json json() const;
  // One value of each parameter and nothing else.
  bool contains(const Json& values) const;
  // Number of combinations; UNSUPPORTED if a parameter is a range of floats, LIMIT if there are too many to count.
  int64_t n_combinations() const;
  // Number i of them, the last parameter fastest.
  Json combination(int64_t i) const;

 private:
  std::vector<TunedParameter> parameters_;
};

}  // namespace rec
