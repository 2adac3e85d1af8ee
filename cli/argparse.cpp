#include "cli/argparse.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "cli/exit_codes.h"

namespace rec::cli::argparse {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string label(const Option& option) {
  return *option.letters == '\0' ? option.name : std::string(option.letters) + "/" + option.name;
}

bool is_negative_number(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && word.find_first_not_of("0123456789.", 1) == std::string::npos &&
         std::ranges::count(word, '.') <= 1 && word.back() != '.';
}

// How a word names an option.
struct Match {
  const Option* option;              // nullptr: none
  std::optional<std::string> value;  // what stands in the same word
  bool is_glued = false;             // without a '=' between
};

// Nothing for a word that is a value.
std::optional<Match> match(std::span<const Option> options, const std::string& word) {
  if (word.size() < 2 || word[0] != '-') return std::nullopt;
  const size_t equal = word.find('=');
  const std::string head = word.substr(0, equal);
  const auto tail = equal == std::string::npos ? std::nullopt : std::optional(word.substr(equal + 1));
  for (const Option& option : options) {
    if (word == option.letters || word == option.name) return Match{&option, {}};
    if (tail && (head == option.letters || head == option.name)) return Match{&option, tail};
  }
  std::vector<std::string> names;
  std::vector<Match> found;
  for (const Option& option : options) {
    const std::string letters = option.letters, name = option.name;
    if (option.in_full) continue;
    if (word.starts_with("--") && name.starts_with(head))
      names.push_back(name), found.push_back({&option, tail});
    else if (!word.starts_with("--") && letters.size() == 2 && word.starts_with(letters))
      names.push_back(letters), found.push_back({&option, word.substr(2), true});
    else if (!word.starts_with("--") && letters.starts_with(word))
      names.push_back(letters), found.push_back({&option, {}});
  }
  if (found.size() > 1) throw UsageFailure{"ambiguous option: " + plain(word) + " could match " + joined(names, ", ")};
  if (!found.empty()) return found.front();
  if (is_negative_number(word) || word.find(' ') != std::string::npos) return std::nullopt;
  return Match{nullptr, {}};
}

void check_value(const Option& option, const std::string& value) {
  if (option.type == 'i' && !to_int(value)) throw invalid_value(label(option), "int", value);
  if (option.type == 'f' && !to_float(value)) throw invalid_value(label(option), "float", value);
  const std::vector<std::string> choices = split(option.choices, ' ');
  if (choices.empty() || std::ranges::find(choices, value) != choices.end()) return;
  throw UsageFailure{"argument " + label(option) + ": invalid choice: '" + plain(value) + "' (choose from '" +
                     joined(choices, "', '") + "')"};
}

}  // namespace

int exit_code_of(const char* command, const char* usage, Context& context, const std::function<int()>& run) {
  try {
    return run();
  } catch (const UsageFailure& failure) {
    std::fprintf(stderr, "%s\nrecore %s: error: %s\n", usage, command, failure.message.c_str());
    return 2;
  } catch (const Failure& failure) {
    context.output.failure(failure);
    return failure.status == REC_CANCELLED ? kExitCancelled : 1;
  }
}

std::optional<int64_t> to_int(const std::string& text) {  // blanks around, a plus before
  const size_t first = text.find_first_not_of(' ');
  const std::string digits =
      first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') + 1 - first);
  return to_int64(digits.starts_with('+') ? digits.substr(1) : digits);
}

std::optional<double> to_float(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || text.find_first_of("xX") != std::string::npos) return std::nullopt;
  return number;
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const double size = std::abs(value);
  const bool exponent = size != 0 && (size < 1e-4 || size >= 1e16);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr);
  return exponent || text.find('.') != std::string::npos ? text : text + ".0";
}

UsageFailure invalid_value(const std::string& name, const char* type, const std::string& text) {
  return {"argument " + name + ": invalid " + type + " value: '" + plain(text) + "'"};
}

const std::string* abbreviated(const std::string& prefix, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  const std::string* only = nullptr;
  for (const std::string& name : names) {
    if (name == prefix) return &name;
    if (name.starts_with(prefix)) found.push_back(name), only = &name;
  }
  if (found.size() < 2) return only;
  throw UsageFailure{"ambiguous option: " + plain(prefix) + " could match " + joined(found, ", ")};
}

Arguments parse(std::span<const Option> options, const std::vector<std::string>& wanted,
                std::vector<std::string> words) {
  Arguments read;
  std::vector<std::string> unknown;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      read.positional.insert(read.positional.end(), words.begin() + static_cast<int64_t>(i) + 1, words.end());
      break;
    }
    const auto found = match(options, words[i]);
    if (!found) {
      read.positional.push_back(words[i]);
      continue;
    }
    const Option* option = found->option;
    if (option == nullptr) {
      unknown.push_back(words[i]);
      continue;
    }
    std::vector<std::string>& values = read.options[option->name] = {};
    if (option->type == 'b') {
      if (found->value && !found->is_glued)
        throw UsageFailure{"argument " + label(*option) + ": ignored explicit argument '" + plain(*found->value) + "'"};
      values = {""};
      if (option->name == std::string_view("--help")) return read;
      if (found->value) words[i--] = "-" + *found->value;  // -lt is -l -t
      continue;
    }
    if (found->value) values = {*found->value};
    while (!found->value && (values.empty() || option->is_list) && i + 1 < words.size() && words[i + 1] != "--" &&
           !match(options, words[i + 1]))
      values.push_back(words[++i]);
    if (values.empty())
      throw UsageFailure{"argument " + label(*option) + ": expected " +
                         (option->is_list ? "at least one argument" : "one argument")};
    for (const std::string& value : values) check_value(*option, value);
  }
  const size_t n = std::min(wanted.size(), read.positional.size());
  std::vector<std::string> missing(wanted.begin() + static_cast<int64_t>(n), wanted.end());
  for (const Option& option : options)
    if (option.required && !read.has(option.name)) missing.push_back(label(option));
  if (!missing.empty()) throw UsageFailure{"the following arguments are required: " + joined(missing, ", ")};
  unknown.insert(unknown.end(), read.positional.begin() + static_cast<int64_t>(n), read.positional.end());
  if (!unknown.empty()) throw UsageFailure{"unrecognized arguments: " + plain(joined(unknown, " "))};
  return read;
}

}  // namespace rec::cli::argparse
