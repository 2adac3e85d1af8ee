#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/data/npy.h"
#include "core/data/readers.h"

namespace rec {

namespace {

std::string required(const std::string& folder, const char* name) {
  const auto path = find_text_file(folder, name);
  if (!path) throw system_error("open", folder + "/" + name, ENOENT);
  return *path;
}

// A delimited file with a header.
struct Table {
  TextFile file;
  DelimitedReader reader;
  std::vector<std::string> header;

  Table(const std::string& path, RowSink& sink)
      : file(open_text(path, sink.builder().budget(), sink.builder().cancel())),
        reader(file, separator_of(file, sink), Quotes::kRfc4180) {
    header = read_header(reader, path);
  }

 private:
  static char separator_of(const TextFile& file, const RowSink& sink) {
    if (sink.options().separator) return sink.options().separator->front();
    const char found = detect_separator(first_line(file.text()));
    return found == 0 ? ',' : found;
  }
};

// The matrix row that each id stands for; ids get their data set rows in the order of the matrices.
std::vector<int64_t> read_ids(const std::string& path, IdColumn& ids, int64_t n_matrix_rows, RowSink& sink) {
  Table table(path, sink);
  if (table.header.size() != 2)
    throw located(Error(REC_INVALID_DATA, cat("expected two columns, id and row, got ", table.header.size())), path, 1);
  const auto is_row = [](const std::string& name) { return name == "idx" || name == "index" || name == "row"; };
  const size_t row_column = is_row(table.header[0]) ? 0 : 1, id_column = 1 - row_column;
  struct Entry {
    int64_t row;
    std::string id;
    int64_t line;
  };
  std::vector<Entry> entries;
  sink.begin_titles(path);
  for_each_row(table.reader, sink, [&](const auto& cells) {
    if (cells.size() != 2) throw Error(REC_INVALID_DATA, cat("the row has ", cells.size(), " columns, expected 2"));
    const auto row = parse_int64(trim(cells[row_column]));
    if (!row || *row < 0 || *row >= n_matrix_rows)
      throw Error(REC_INVALID_DATA, cat(printable(table.header[row_column]), ": must be a row within 0 .. ",
                                        n_matrix_rows - 1, ", got '", printable(cells[row_column]), "'"));
    sink.builder().budget().charge(static_cast<int64_t>(sizeof(Entry)), "the id map");
    entries.push_back({*row, std::string(cells[id_column]), table.reader.line()});
  });
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.row < b.row; });
  std::vector<int64_t> rows;
  for (const Entry& entry : entries) {
    const int64_t n_known = ids.size();
    const bool repeats = !rows.empty() && rows.back() == entry.row;
    if (repeats || ids.add(ids.key(std::string_view(entry.id))) != n_known)
      throw located(
          Error(REC_INVALID_DATA,
                cat(repeats ? cat("row ", entry.row) : cat("id '", printable(entry.id), "'"), " occurs twice")),
          path, entry.line);
    rows.push_back(entry.row);
  }
  return rows;
}

void check_rows(int64_t got, int64_t want, const std::string& path, const char* like) {
  if (got == want) return;
  Error error(REC_INVALID_DATA, cat(path, ": expected ", want, " rows as in ", like, ", got ", got));
  error.file = path;
  throw error;
}

void add_dense(const NpyMatrix<float>& matrix, const std::vector<int64_t>& rows, FeatureColumns& out) {
  const size_t feature = out.add_dense("feats", matrix.columns);
  for (size_t r = 0; r < rows.size(); ++r) out.set(feature, static_cast<int32_t>(r), matrix.row(rows[r]));
}

void add_side_categories(const std::string& path, int64_t n_rows, const std::vector<int64_t>& rows, RowSink& sink) {
  const NpyMatrix<int64_t> matrix = read_npy_integers(path, sink.builder().budget());
  check_rows(matrix.rows, n_rows, path, "q_feats.npy");
  FeatureColumns& out = sink.builder().user_features();
  for (int64_t c = 0; c < matrix.columns; ++c) {
    const size_t feature = out.add_categorical(cat("side_cat.", c));
    for (size_t r = 0; r < rows.size(); ++r) {
      try {
        out.set(feature, static_cast<int32_t>(r), matrix.row(rows[r])[c]);
      } catch (Error& error) {
        error.message = cat(path, ": row ", rows[r], ", ", error.message);
        error.file = path;
        throw;
      }
    }
  }
}

// Items are neighbours if the cell on either side of the diagonal is not zero.
void add_adjacency(const std::string& path, int64_t n_rows, const std::vector<int64_t>& rows, RowSink& sink) {
  const NpyMatrix<float> matrix = read_npy_floats(path, sink.builder().budget());
  check_rows(matrix.rows, n_rows, path, "i_feats.npy");
  check_rows(matrix.columns, n_rows, path, "i_feats.npy, and as many columns");
  std::vector<int32_t> item_of(n_rows, -1);
  for (size_t r = 0; r < rows.size(); ++r) item_of[rows[r]] = static_cast<int32_t>(r);
  const size_t relation = sink.builder().add_relation("item_adj");
  for (int64_t r = 0; r < n_rows; ++r)
    for (int64_t c = 0; c < n_rows; ++c) {
      const int32_t a = item_of[r], b = item_of[c];
      if (r == c || a < 0 || b < 0 || matrix.row(r)[c] == 0) continue;
      sink.builder().relate_rows(relation, a, b);
      sink.builder().relate_rows(relation, b, a);
    }
}

void read_interactions(const std::string& path, RowSink& sink) {
  Table table(path, sink);
  // "query" is this format's word for a user; columns without a known name are the first two.
  std::vector<std::string>& header = table.header;
  const auto name = [&](const std::vector<std::string>& names, size_t otherwise, const char* usual) {
    const int found = with_place(path, table.reader.line(), [&] { return find_column(header, names); });
    const size_t at = found >= 0 ? static_cast<size_t>(found) : otherwise;
    if (at < header.size()) header[at] = usual;
  };
  if (!sink.options().user_column) name({"queryid", "userid"}, 0, "user_id");
  if (!sink.options().item_column) name({"itemid"}, 1, "item_id");
  const ColumnPlan plan = plan_columns(header, sink.options(), path, table.reader.line());
  sink.begin_file(path, plan.optional());
  IdColumn &users = sink.builder().users(), &items = sink.builder().items();
  for_each_row(table.reader, sink, [&](const auto& cells) {
    const Row row = sink.parse(cells, plan);
    if (users.find(users.key(row.user)) < 0 || items.find(items.key(row.item)) < 0)
      sink.skip();
    else
      sink.add(row, Part::kTrain);
  });
}

}  // namespace

void read_two_tower(const std::string& folder, RowSink& sink) {
  MemoryBudget& budget = sink.builder().budget();
  const std::string query_ids = required(folder, "q_idmap.csv"), item_ids = required(folder, "i_idmap.csv");
  const auto queries = read_npy_floats(required(folder, "q_feats.npy"), budget);
  const auto items = read_npy_floats(required(folder, "i_feats.npy"), budget);
  const std::vector<int64_t> query_rows = read_ids(query_ids, sink.builder().users(), queries.rows, sink);
  const std::vector<int64_t> item_rows = read_ids(item_ids, sink.builder().items(), items.rows, sink);
  add_dense(queries, query_rows, sink.builder().user_features());
  add_dense(items, item_rows, sink.builder().item_features());
  if (const auto path = find_text_file(folder, "q_side_cat.npy"))
    add_side_categories(*path, queries.rows, query_rows, sink);
  if (const auto path = find_text_file(folder, "item_adj.npy")) add_adjacency(*path, items.rows, item_rows, sink);
  read_interactions(required(folder, "interactions.csv"), sink);
}

}  // namespace rec
