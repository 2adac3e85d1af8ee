// --allow and --deny: sets of items as bits over the model's item rows.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace rec::cli {

class ItemSet {
 public:
  // lists: of each time the option is given: ids by comma, or @FILE with one id in each line. Items that the model does not
  // know are told in one note.
  ItemSet(const std::string& argument, const std::vector<std::string>& lists, const Model& model, Context& context);

  const uint8_t* bits() const { return bits_.empty() ? nullptr : bits_.data(); }  // nullptr: the option is not given
  int64_t n_bytes() const { return std::ssize(bits_); }

 private:
  std::vector<uint8_t> bits_;
};

struct ItemSetOptions {
  std::vector<std::string> allow, deny;
};
void add_item_sets(CLI::App& app, ItemSetOptions& options);

}  // namespace rec::cli
