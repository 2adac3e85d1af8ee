#include <algorithm>
#include <charconv>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

// The neg_items of one row, kept until every item_id has been seen.
struct List {
  int64_t row, begin, end, line;
};
struct Lists {
  std::vector<int64_t> ids;
  std::vector<List> rows;
};

// "[1, 2, 3]" and nothing else; the reference runs such cells as program code.
void parse_list(std::string_view cell, const std::string& column, std::vector<int64_t>& out) {
  const auto bad = [&](const char* what) {
    return Error(REC_INVALID_DATA, cat(column, ": '", printable(cell), "' ", what)).at_argument(column);
  };
  const std::string_view text = trim(cell);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') throw bad("is not a list like [1, 2, 3]");
  const std::string_view inside = trim(text.substr(1, text.size() - 2));
  if (inside.empty()) return;
  size_t begin = 0;
  while (begin <= inside.size()) {
    const size_t comma = std::min(inside.find(',', begin), inside.size());
    const auto id = parse_int64(trim(inside.substr(begin, comma - begin)));
    if (!id) throw bad("holds something else than integers");
    out.push_back(*id);
    begin = comma + 1;
  }
}

void read_part(const std::string& path, Part part, RowSink& sink, Lists& lists) {
  TextFile file = open_text(path, sink.builder().budget());
  const std::string_view head = first_line(file.text());
  const char found = detect_separator(head);
  const char separator = sink.options().separator ? sink.options().separator->front() : found == 0 ? '\t' : found;
  DelimitedReader reader(file, separator, Quotes::kRfc4180);
  std::vector<std::string_view> cells;
  std::vector<std::string> header;
  reader.next(cells);
  for (std::string_view cell : cells) header.emplace_back(trim(cell));
  const ColumnPlan plan = plan_columns(header, sink.options(), path, reader.line());
  const auto list = std::find(header.begin(), header.end(), "neg_items");
  const int list_column = part == Part::kTrain || list == header.end() ? -1 : static_cast<int>(list - header.begin());
  sink.begin_file(path, plan.optional());

  for_each_row(reader, sink, [&](const auto& row_cells) {
    const Row row = sink.parse(row_cells, plan);
    if (list_column < 0) {
      sink.add(row, part);
      return;
    }
    const auto begin = lists.ids.size();
    try {
      parse_list(row_cells[static_cast<size_t>(list_column)], "neg_items", lists.ids);
      const int64_t at = sink.builder().n();
      sink.builder().budget().charge(static_cast<int64_t>(lists.ids.size() - begin) * 8, "neg_items");
      if (sink.add(row, part)) {
        lists.rows.push_back({at, static_cast<int64_t>(begin), static_cast<int64_t>(lists.ids.size()), reader.line()});
        return;
      }
    } catch (...) {
      lists.ids.resize(begin);
      throw;
    }
    lists.ids.resize(begin);
  });
}

// An id above every item_id is none; one below is an item that only occurs in lists.
void check_list(const Lists& lists, const List& list, int64_t max_id, const std::string& path) {
  for (int64_t i = list.begin; i < list.end; ++i) {
    const int64_t id = lists.ids[static_cast<size_t>(i)];
    if (id < 0 || id > max_id)
      throw located(Error(REC_INVALID_DATA, cat("neg_items: there is no item ", id, "; item_id goes up to ", max_id))
                        .at_argument("neg_items"),
                    path, list.line);
  }
}

// item_meta.csv: a column r_NAME has the items that the row's item leads to.
void read_item_meta(const std::string& path, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget());
  const char found = detect_separator(first_line(file.text()));
  const char separator = sink.options().separator ? sink.options().separator->front() : found == 0 ? '\t' : found;
  DelimitedReader reader(file, separator, Quotes::kRfc4180);
  std::vector<std::string_view> cells;
  reader.next(cells);
  struct Column {
    size_t at, relation;
    std::string name;
  };
  std::vector<Column> relations;
  std::optional<size_t> item_column;
  for (size_t c = 0; c < cells.size(); ++c) {
    const std::string name(trim(cells[c]));
    if (name == "item_id") item_column = c;
    if (name.starts_with("r_")) relations.push_back({c, sink.builder().add_relation(name), name});
  }
  if (!item_column)
    throw located(Error(REC_INVALID_DATA, "item_id: there is no such column").at_argument("item_id"), path,
                  reader.line());
  sink.begin_titles(path);
  std::vector<int64_t> targets;
  for_each_row(reader, sink, [&](const auto& row) {
    const auto item = parse_int64(trim(row[*item_column]));
    if (!item)
      throw Error(REC_INVALID_DATA, cat("item_id: '", printable(row[*item_column]), "' is no integer"))
          .at_argument("item_id");
    for (const Column& column : relations) {
      targets.clear();
      parse_list(row[column.at], column.name, targets);
      sink.builder().relate(column.relation, *item, targets);
    }
  });
}

}  // namespace

void read_rechorus(const std::string& folder, RowSink& sink) {
  struct File {
    const char* name;
    Part part;
    std::string path;
    Lists lists;
  };
  File files[] = {
      {"train.csv", Part::kTrain, "", {}}, {"dev.csv", Part::kValid, "", {}}, {"test.csv", Part::kTest, "", {}}};
  for (File& file : files) {
    const auto path = find_text_file(folder, file.name);
    if (!path && file.part == Part::kTrain) throw system_error("open", folder + "/" + file.name, ENOENT);
    if (!path) continue;
    file.path = *path;
    read_part(*path, file.part, sink, file.lists);
  }
  const std::vector<int64_t>& ids = sink.builder().items().i64();
  int64_t max_id = INT64_MAX;
  if (!ids.empty()) max_id = *std::max_element(ids.begin(), ids.end());
  for (const File& file : files) {
    for (const List& list : file.lists.rows) {
      check_list(file.lists, list, max_id, file.path);
      sink.builder().add_candidates(list.row,
                                    {file.lists.ids.data() + list.begin, static_cast<size_t>(list.end - list.begin)});
    }
  }
  if (const auto meta = find_text_file(folder, "item_meta.csv")) read_item_meta(*meta, sink);
}

}  // namespace rec
