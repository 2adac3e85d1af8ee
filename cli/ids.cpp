#include "cli/ids.h"

#include <algorithm>

namespace rec::cli {

namespace {

std::string bytes_at(const rec_ids_t& ids, int64_t i) {
  return std::string(ids.bytes + ids.offsets[i], ids.offsets[i + 1] - ids.offsets[i]);
}

Json id_at(const rec_ids_t& ids, int64_t i) {
  return ids.type == REC_ID_INT64 ? Json(ids.i64[i]) : text_json(bytes_at(ids, i));
}

}  // namespace

IdList::IdList(const std::string& argument, const std::string& type, const std::vector<std::string>& ids)
    : ids_(initialized<rec_ids_t>(rec_ids_init)) {
  ids_.n = std::ssize(ids);
  if (type == "int64") {
    ids_.type = REC_ID_INT64;
    for (const std::string& id : ids) {
      const auto number = to_int64(id);
      if (!number || std::to_string(*number) != id)
        throw usage_error(argument, "this model's ids are int64, got '" + id + "'");
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

std::vector<std::string> split_ids(const std::string& argument, const std::string& text) {
  std::vector<std::string> ids;
  const auto skip_blanks = [&](size_t at) { return std::min(text.find_first_not_of(" \t", at), text.size()); };
  for (size_t at = skip_blanks(0); at < text.size(); at = skip_blanks(at + 1)) {
    std::string id;
    if (text[at] == '"') {
      while (true) {
        if (++at == text.size()) throw usage_error(argument, "a quote is never closed in '" + text + "'");
        if (text[at] == '"' && (++at == text.size() || text[at] != '"')) break;
        id += text[at];
      }
      at = skip_blanks(at);
      if (at < text.size() && text[at] != ',')
        throw usage_error(argument, "text follows a closing quote in '" + text + "'");
    } else {
      const size_t end = std::min(text.find(',', at), text.size());
      id = text.substr(at, end - at);
      id.resize(id.find_last_not_of(" \t") + 1);
      at = end;
    }
    if (!id.empty()) ids.push_back(std::move(id));
  }
  return ids;
}

Json id_json(const std::string& type, const std::string& id) {
  if (type == "int64")
    if (const auto number = to_int64(id)) return *number;
  return text_json(id);
}

std::vector<Item> items_of(const Model& model, bool of_users, const int64_t* rows, const float* scores, int64_t n) {
  n = std::find(rows, rows + n, REC_NO_ROW) - rows;
  auto ids = initialized<rec_ids_t>(rec_ids_init), titles = ids;
  rec_text_t *ids_owner = nullptr, *titles_owner = nullptr;
  call(of_users ? rec_model_user_ids : rec_model_item_ids, model.get(), rows, n, &ids, &ids_owner);
  const Text keep_ids(ids_owner);
  if (!of_users) call(rec_model_item_titles, model.get(), rows, n, &titles, &titles_owner);
  const Text keep_titles(titles_owner);
  std::vector<Item> items;
  for (int64_t i = 0; i < n; ++i)
    items.push_back({id_at(ids, i), ids.type == REC_ID_INT64 ? std::to_string(ids.i64[i]) : bytes_at(ids, i),
                     of_users ? "" : bytes_at(titles, i), scores[i]});
  return items;
}

void print_items(Output& output, const std::string& query_key, const Json& query, const std::string& kind,
                 const std::vector<Item>& items) {
  Table table({"rank", kind, "title", "score"});
  table.right(0).right(3);
  for (size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    output.event({{"event", "recommendation"},
                  {query_key, query},
                  {"rank", i + 1},
                  {kind, item.id},
                  {"title", item.title.empty() ? Json() : Json(item.title)},
                  {"score", item.score}});
    table.add(
        {std::to_string(i + 1), plain(item.text), item.title.empty() ? "-" : plain(item.title), fixed(item.score, 4)});
  }
  output.line(items.empty() ? "nothing is left to recommend" : table.text());
}

}  // namespace rec::cli
