// Ids between the command line and the library: int64 or bytes, as the model has them.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace rec::cli {

// A list of ids with the memory that rec_ids_t points into.
class IdList {
 public:
  // type: "int64" or "bytes", as rec_model_describe names them. argument: names an id that is not an int64 in errors.
  IdList(const std::string& argument, const std::string& type, const std::vector<std::string>& ids);
  const rec_ids_t* get() const { return &ids_; }
  IdList(const IdList&) = delete;
  IdList& operator=(const IdList&) = delete;

 private:
  std::vector<int64_t> numbers_;
  std::string bytes_;
  rec_ids_t ids_;
};

// Ids by comma, without blanks around them; one with a comma in it stands in quotes: a,"b, c" or "say ""so""".
std::vector<std::string> split_ids(const std::string& argument, const std::string& text);

Json id_json(const std::string& type, const std::string& id);  // a number for int64

struct Item {
  Json id;
  std::string text;  // of the id
  std::string title;
  float score;
};

// Ids and titles of a row of results, up to its padding; of users, who have no titles, where `of_users`.
std::vector<Item> items_of(const Model& model, bool of_users, const int64_t* rows, const float* scores, int64_t n);

// What recommend and similar print for one query: a `recommendation` event per item, or a table. kind: "item" or "user".
void print_items(Output& output, const std::string& query_key, const Json& query, const std::string& kind,
                 const std::vector<Item>& items);

}  // namespace rec::cli
