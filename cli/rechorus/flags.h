// The flags of ReChorus's main.py: names, defaults, abbreviations and the way it prints numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/argparse.h"

namespace rec::cli::rechorus {

// A model of ReChorus, or one of ours under a name in its style, and the plugin that it is here.
struct ModelName {
  std::string name, plugin;
  bool reads_lists;  // trains on impression lists
  bool sequential;
  std::vector<std::string> tag;  // flags that its file names have
};
// Failure (exit code 1) for an unknown name; SLRPlus is SLRCPlus.
const ModelName& model_named(const std::string& name);

class Flags {
 public:
  // Exits of main.py: a value that does not parse is an argparse::UsageFailure. Unknown flags are kept in `unknown`.
  Flags(const std::vector<std::string>& words);

  const std::string& text(const std::string& name) const { return values_.at(name); }
  int64_t integer(const std::string& name) const;
  bool is_given(const std::string& name) const { return given_.contains(name); }
  const std::map<std::string, std::string>& all() const { return values_; }  // as Python prints them

  std::vector<std::string> unknown;
  std::string dump_config;

 private:
  std::map<std::string, std::string> values_;
  std::map<std::string, bool> given_;
};

std::vector<std::string> by_comma(const std::string& text);
// The numbers of "1,2,5", ascending.
std::vector<int64_t> cutoffs(const Flags& flags);

}  // namespace rec::cli::rechorus
