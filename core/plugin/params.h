#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "rec_plugin_api.h"

// Validated values of declared parameters. Immutable, except that it notes when a plugin asks for an undeclared name.
struct rec_params_t {
  struct Value {
    const rec_param_t* declared;
    int64_t integer = 0;
    double number = 0;
    bool boolean = false;
    std::string text;
    std::vector<double> list;
  };
  std::map<std::string, Value, std::less<>> values;
  mutable std::string undeclared;

  const Value* find(const char* name) const;
  int64_t integer(const char* name) const { return values.find(name)->second.integer; }
  const std::string& text(const char* name) const { return values.find(name)->second.text; }
  double number(const char* name) const { return values.find(name)->second.number; }
};

namespace rec {

using Params = rec_params_t;

// Every declared parameter from a flat JSON object, else from its default. An unknown key is INVALID_ARGUMENT and names
// the nearest one; so are a wrong type and a value out of range.
Params parse_params(const Json& given, std::span<const std::span<const rec_param_t>> tables);

// {"emb_size": 64, ...} with every value, in the order of the tables.
Json params_to_json(const Params& params, std::span<const std::span<const rec_param_t>> tables);

// The entries of rec_plugin_describe.
Json describe_params(std::span<const rec_param_t> table, const char* owner);

}  // namespace rec
