// Command lines of Python programs, read as Python's argparse reads them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"

namespace rec::cli::argparse {

// argparse's exit code 2.
struct UsageFailure {
  std::string message;
};

// Runs a command; a UsageFailure is 2, with the usage, another Failure 1.
int exit_code_of(const char* command, const char* usage, Context& context, const std::function<int()>& run);

// Python's int(text) and float(text), and repr of a float: the shortest digits, with an exponent below 1e-4 and from 1e16.
std::optional<int64_t> to_int(const std::string& text);
std::optional<double> to_float(const std::string& text);
std::string repr(double value);

// The error for a value that is no `type`; name: as the user knows the argument, "--lr" or "-m/--measure".
UsageFailure invalid_value(const std::string& name, const char* type, const std::string& text);
// The only one of names that begins with `prefix`; nullptr when none does, a UsageFailure when several do.
const std::string* abbreviated(const std::string& prefix, const std::vector<std::string>& names);

struct Option {
  const char* letters;       // "-ps", "" = none
  const char* name;          // "--parameter_string"
  char type;                 // of a value: i, f, s; b: it has none
  bool is_list = false;      // takes one value or more
  const char* choices = "";  // by blanks; "" = any value
  bool in_full = false;      // may not be abbreviated
  bool required = false;
};

// What was given. Each option has the values it was given last, [""] for one without values.
struct Arguments {
  std::vector<std::string> positional;
  std::map<std::string, std::vector<std::string>> options;

  bool has(const std::string& name) const { return options.contains(name); }
  const std::string& text(const std::string& name) const { return options.at(name).front(); }
};
// Stops at --help. UsageFailure for all that argparse ends with its code 2; wanted: names of the positional arguments.
Arguments parse(std::span<const Option> options, const std::vector<std::string>& wanted,
                std::vector<std::string> words);

}  // namespace rec::cli::argparse
