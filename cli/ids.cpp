#include "cli/ids.h"

#include <algorithm>

namespace rec::cli {

namespace {

Json id_at(const rec_ids_t& ids, int64_t i) {
  if (ids.type == REC_ID_INT64) return ids.i64[i];
  return std::string(ids.bytes + ids.offsets[i], ids.offsets[i + 1] - ids.offsets[i]);
}

}  // namespace

IdList::IdList(const std::string& argument, const std::string& type, const std::vector<std::string>& ids)
    : ids_(initialized<rec_ids_t>(rec_ids_init)) {
  ids_.n = std::ssize(ids);
  if (type == "int64") {
    ids_.type = REC_ID_INT64;
    for (const std::string& id : ids) {
      const auto number = to_int64(id);
      if (!number) throw usage_error(argument, "this model's ids are int64, got '" + id + "'");
      numbers_.push_back(*number);
    }
    ids_.i64 = numbers_.data();
  } else {
    ids_.type = REC_ID_BYTES;
    numbers_.push_back(0);
    for (const std::string& id : ids) {
      bytes_ += id;
      numbers_.push_back(std::ssize(bytes_));
    }
    ids_.bytes = bytes_.data();
    ids_.n_bytes = std::ssize(bytes_);
    ids_.offsets = numbers_.data();
  }
}

Json id_json(const std::string& type, const std::string& id) {
  if (type == "int64")
    if (const auto number = to_int64(id)) return *number;
  return id;
}

std::vector<Item> items_of(const Model& model, const int64_t* rows, const float* scores, int64_t n) {
  n = std::find(rows, rows + n, REC_NO_ROW) - rows;
  auto ids = initialized<rec_ids_t>(rec_ids_init), titles = ids;
  rec_text_t *ids_owner = nullptr, *titles_owner = nullptr;
  call(rec_model_item_ids, model.get(), rows, n, &ids, &ids_owner);
  const Text keep_ids(ids_owner);
  call(rec_model_item_titles, model.get(), rows, n, &titles, &titles_owner);
  const Text keep_titles(titles_owner);
  std::vector<Item> items;
  for (int64_t i = 0; i < n; ++i) items.push_back({id_at(ids, i), id_at(titles, i).get<std::string>(), scores[i]});
  return items;
}

void print_items(Output& output, const std::string& query_key, const Json& query, const std::vector<Item>& items) {
  Table table({"rank", "item", "title", "score"});
  table.right(0).right(3);
  for (size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    output.event({{"event", "recommendation"},
                  {query_key, query},
                  {"rank", i + 1},
                  {"item", item.id},
                  {"title", item.title.empty() ? Json() : Json(item.title)},
                  {"score", item.score}});
    table.add({std::to_string(i + 1), plain(value_text(item.id)), item.title.empty() ? "-" : plain(item.title),
               fixed(item.score, 4)});
  }
  output.line(items.empty() ? "nothing is left to recommend" : table.text());
}

}  // namespace rec::cli
