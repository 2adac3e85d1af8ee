#include "cli/item_sets.h"

#include <fstream>

#include "cli/evaluation.h"
#include "cli/ids.h"

namespace rec::cli {

namespace {

std::vector<std::string> lines_of(const std::string& argument, const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Failure{REC_NOT_FOUND, argument + ": " + plain(path) + " cannot be read", argument, path, -1};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  if (file.bad()) throw Failure{REC_IO, argument + ": " + plain(path) + " cannot be read", argument, path, -1};
  return lines;
}

}  // namespace

ItemSet::ItemSet(const std::string& argument, const std::vector<std::string>& lists, const Model& model,
                 Context& context) {
  if (lists.empty()) return;
  std::vector<std::string> ids;
  for (const std::string& list : lists)
    for (std::string& id : list.starts_with('@') ? lines_of(argument, list.substr(1)) : split_ids(argument, list))
      ids.push_back(std::move(id));
  const IdList given(argument, describe(model)["item_id_type"], ids);
  std::vector<int64_t> rows(ids.size());
  if (!ids.empty()) call(rec_model_item_rows, model.get(), given.get(), rows.data(), std::ssize(rows));
  int64_t n_items = 0, n_unknown = 0;
  call(rec_model_counts, model.get(), nullptr, &n_items);
  bits_.resize((n_items + 7) / 8);
  std::string first;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= 0) {
      bits_[rows[i] / 8] |= static_cast<uint8_t>(1 << rows[i] % 8);
    } else if (n_unknown++ == 0) {
      first = ids[i];
    }
  }
  if (n_unknown > 0)
    context.output.note(argument + ": the model does not know " + grouped(n_unknown) + " of the " +
                        grouped(std::ssize(ids)) + " items, such as '" + plain(first) + "'");
}

void add_item_sets(CLI::App& app, ItemSetOptions& options) {
  app.add_option("--allow", options.allow, "Only these items: ids by comma, or @FILE with one in each line")
      ->type_name("ITEMS")
      ->allow_extra_args(false);
  app.add_option("--deny", options.deny, "None of these items")->type_name("ITEMS")->allow_extra_args(false);
}

}  // namespace rec::cli
