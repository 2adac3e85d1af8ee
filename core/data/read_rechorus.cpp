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
void parse_list(std::string_view cell, const std::string& column, MemoryBudget& budget, std::vector<int64_t>& out) {
  const auto bad = [&](const char* what) {
    const std::string name = printable(column);
    return argument_error(REC_INVALID_DATA, name, "'", printable(cell), "' ", what);
  };
  const std::string_view text = trim(cell);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') throw bad("is not a list like [1, 2, 3]");
  const std::string_view inside = trim(text.substr(1, text.size() - 2));
  if (inside.empty()) return;
  size_t begin = 0;
  while (begin <= inside.size()) {
    const size_t comma = std::min(inside.find(',', begin), inside.size());
    const auto id = parse_int64(trim(inside.substr(begin, comma - begin)));
    if (!id) throw bad("holds something other than integers");
    if (out.size() == out.capacity()) {
      budget.charge(std::ssize(out) * 8 + 64, "lists of items");
      out.reserve(2 * out.size() + 8);
    }
    out.push_back(*id);
    begin = comma + 1;
  }
}

void read_part(const std::string& path, Part part, RowSink& sink, Lists& lists) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  const std::string_view head = first_line(file.text());
  const char found = detect_separator(head);
  const char separator = sink.options().separator ? sink.options().separator->front() : found == 0 ? '\t' : found;
  DelimitedReader reader(file, separator, Quotes::kRfc4180);
  const std::vector<std::string> header = read_header(reader, path);
  ColumnPlan plan = plan_columns(header, sink.options(), path, reader.line());
  // As its impression_idkey, which is "time" unless told.
  if (!sink.options().impression_key && plan.impression >= 0 && plan.time >= 0) plan.impression = plan.time;
  const auto list = std::find(header.begin(), header.end(), "neg_items");
  const int list_column = part == Part::kTrain || list == header.end() ? -1 : static_cast<int>(list - header.begin());
  sink.begin_file(path, plan.optional());
  tell_columns(header, plan, sink);

  for_each_row(reader, sink, [&](const auto& row_cells) {
    const Row row = sink.parse(row_cells, plan);
    if (list_column < 0) {
      sink.add(row, part);
      return;
    }
    const auto begin = lists.ids.size();
    try {
      parse_list(row_cells[list_column], "neg_items", sink.builder().budget(), lists.ids);
      const int64_t at = sink.builder().n();
      if (sink.add(row, part)) {
        lists.rows.push_back({at, static_cast<int64_t>(begin), std::ssize(lists.ids), reader.line()});
        return;
      }
    } catch (...) {
      lists.ids.resize(begin);
      throw;
    }
    lists.ids.resize(begin);
  });
}

// An id above every item_id is unknown; one not above it may be an item that only occurs in lists.
void check_list(const Lists& lists, const List& list, int64_t max_id, const std::string& path) {
  for (int64_t i = list.begin; i < list.end; ++i) {
    const int64_t id = lists.ids[i];
    if (id < 0 || id > max_id)
      throw located(
          argument_error(REC_INVALID_DATA, "neg_items", "there is no item ", id, "; item_id goes up to ", max_id), path,
          list.line);
  }
}

// What item_meta.csv or user_meta.csv says about the ids that interactions have.
struct Meta {
  const char* id_column;
  std::string prefix;  // of features: PREFIXNAME_f is dense, any other PREFIXNAME categorical
  IdColumn& ids;
  FeatureColumns& features;
  bool has_relations;  // columns r_NAME: the items that the row's item leads to
};

void read_meta(const std::string& path, const Meta& meta, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  const char found = detect_separator(first_line(file.text()));
  const char separator = sink.options().separator ? sink.options().separator->front() : found == 0 ? '\t' : found;
  DelimitedReader reader(file, separator, Quotes::kRfc4180);
  const std::vector<std::string> header = read_header(reader, path);
  struct Column {
    size_t at, number;
    std::string name;
  };
  std::vector<Column> relations, dense, categorical;
  std::optional<size_t> id_column;
  const size_t n_columns = header.size();
  for (size_t c = 0; c < n_columns; ++c) {
    const std::string& name = header[c];
    if (name == meta.id_column) {
      id_column = c;
    } else if (meta.has_relations && name.starts_with("r_")) {
      relations.push_back({c, sink.builder().add_relation(name), name});
    } else if (name.starts_with(meta.prefix) && name.ends_with("_f")) {
      dense.push_back({c, meta.features.add_dense(name, 1), name});
    } else if (name.starts_with(meta.prefix)) {
      categorical.push_back({c, meta.features.add_categorical(name), name});
    }
  }
  if (!id_column)
    throw located(argument_error(REC_INVALID_DATA, meta.id_column, "there is no such column"), path, reader.line());
  sink.begin_titles(path);
  const auto integer = [](std::string_view cell, const std::string& column) {
    const auto value = parse_int64(trim(cell));
    if (!value) throw argument_error(REC_INVALID_DATA, printable(column), "'", printable(cell), "' is not an integer");
    return *value;
  };
  std::vector<int64_t> targets;
  for_each_row(reader, sink, [&](const auto& row) {
    if (row.size() != n_columns)
      throw Error(REC_INVALID_DATA, cat("the row has ", row.size(), " columns, expected ", n_columns));
    const int64_t id = integer(row[*id_column], meta.id_column);
    for (const Column& column : relations) {
      targets.clear();
      parse_list(row[column.at], column.name, sink.builder().budget(), targets);
      sink.builder().relate(column.number, id, targets);
    }
    const int32_t known = meta.ids.find(meta.ids.key(id));
    for (const Column& column : dense) {
      const float number = parse_weight(trim(row[column.at]), column.name);
      if (known >= 0) meta.features.set(column.number, known, {&number, 1});
    }
    for (const Column& column : categorical) {
      const int64_t category = integer(row[column.at], column.name);
      if (known >= 0) meta.features.set(column.number, known, category);
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
  sink.set_has_parts();
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
  int64_t n_empty = 0;
  for (const File& file : files) {
    for (const List& list : file.lists.rows) {
      n_empty += list.begin == list.end;
      check_list(file.lists, list, max_id, file.path);
      sink.builder().add_candidates(list.row,
                                    {file.lists.ids.data() + list.begin, static_cast<size_t>(list.end - list.begin)});
    }
  }
  if (n_empty > 0)
    sink.note(
        cat(n_empty, " rows have an empty list of neg_items; among given candidates their own item is always first"));
  DatasetBuilder& builder = sink.builder();
  if (const auto meta = find_text_file(folder, "item_meta.csv"))
    read_meta(*meta, {"item_id", "i_", builder.items(), builder.item_features(), true}, sink);
  if (const auto meta = find_text_file(folder, "user_meta.csv"))
    read_meta(*meta, {"user_id", "u_", builder.users(), builder.user_features(), false}, sink);
}

}  // namespace rec
