#include <filesystem>
#include <set>
#include <tuple>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

namespace fs = std::filesystem;

struct PartFile {
  const char* suffix;
  Part part;
};
constexpr PartFile kParts[] = {{".train", Part::kTrain}, {".valid", Part::kValid}, {".test", Part::kTest}};

// Which files to read: FOLDER/NAME.inter, or FOLDER/NAME.{train,valid,test}.inter.
struct Source {
  std::string folder, name;
  bool benchmark = false;
};

std::optional<std::string> without(const std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return std::nullopt;
  return text.substr(0, text.size() - suffix.size());
}

std::optional<std::string> inter_name(const fs::path& path) {
  const std::string file = path.filename().string();
  const auto unpacked = without(file, ".gz");
  return without(unpacked ? *unpacked : file, ".inter");
}

std::optional<std::string> benchmark_name(const std::string& name) {
  for (const PartFile& part : kParts)
    if (const auto base = without(name, part.suffix)) return base;
  return std::nullopt;
}

// Chooses among several names the folder's own; any other choice would be ambiguous.
std::string choose(const std::set<std::string>& names, const std::string& folder) {
  const std::string own = fs::path(folder).filename().string();
  if (names.size() == 1) return *names.begin();
  if (names.contains(own)) return own;
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  Error error(REC_UNSUPPORTED,
              cat(folder, ": the folder holds several data sets (", all, "); give the .inter file of one"));
  error.file = folder;
  throw error;
}

Source find_source(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (!is_directory(path)) {
    const fs::path file(path);
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    const auto name = inter_name(file);
    if (!name) return {folder, "", false};
    if (const auto base = benchmark_name(*name)) return {folder, *base, true};
    return {folder, *name, false};
  }
  std::set<std::string> whole, split;
  for (const std::string& file : names_in(path)) {
    const auto name = inter_name(file);
    if (!name) continue;
    if (const auto base = benchmark_name(*name))
      split.insert(*base);
    else
      whole.insert(*name);
  }
  if (!split.empty()) return {path, choose(split, path), true};
  if (!whole.empty()) return {path, choose(whole, path), false};
  Error error(REC_NOT_FOUND, cat(path, ": there is no NAME.inter in the folder"));
  error.file = path;
  throw error;
}

// "field:type" cells as names.
std::vector<std::string> field_names(const std::vector<std::string_view>& cells, const std::string& path) {
  std::vector<std::string> names;
  if (cells.size() == 1 && cells[0].find(',') != std::string_view::npos)
    throw located(
        Error(REC_INVALID_DATA, cat("header: '", printable(cells[0]),
                                    "' has commas and no tab, which separates RecBole's columns; give the separator"))
            .at_argument("separator"),
        path, 1);
  for (std::string_view cell : cells) {
    const size_t colon = cell.rfind(':');
    const std::string_view type = colon == std::string_view::npos ? "" : cell.substr(colon + 1);
    if (type != "token" && type != "float" && type != "token_seq" && type != "float_seq")
      throw located(Error(REC_INVALID_DATA, cat("header: '", printable(cell),
                                                "' is not NAME:TYPE with a type of token, float, "
                                                "token_seq or float_seq")),
                    path, 1);
    names.emplace_back(cell.substr(0, colon));
  }
  return names;
}

char separator_of(const RowSink& sink) { return sink.options().separator ? sink.options().separator->front() : '\t'; }

// Rows of "session, item_id_list, item", where the list is what came before the item, or the last of it. An event is in the
// lists of all that follow, in files of other parts too; it is added once. What only lists tell of is for training.
class Sessions {
 public:
  explicit Sessions(RowSink& sink, Part part) : sink_(sink), part_(part) {}

  void add(Row row, std::string_view list) {
    DatasetBuilder& builder = sink_.builder();
    const auto row_of = [&](std::string_view item) { return builder.items().find(builder.items().key(item)); };
    items_.clear(), rows_.clear();
    const std::string_view target = row.item;
    for (std::string_view item : split(trim(list), ' ')) {
      row.item = item;
      if (item.empty() || sink_.fate_of(row) != RowSink::Fate::kKept) continue;  // no event either
      items_.push_back(item);
      rows_.push_back(row_of(item));
    }
    row.item = target;
    const int32_t user = builder.users().find(builder.users().key(row.user));
    const bool is_new = user < 0 || user >= std::ssize(sink_.sessions());
    const std::span<const int32_t> before = is_new ? std::span<const int32_t>() : sink_.sessions()[user];
    const Place place = find_list(before, row_of(target));
    if (part_ == Part::kTrain && place.is_followed) return;  // rows of training may stand in any order
    for (size_t i = place.n_known; i < items_.size(); ++i) {
      row.item = items_[i];
      push(row, Part::kTrain);
    }
    row.item = target;
    push(row, part_);
  }

 private:
  struct Place {
    size_t n_known = 0;        // of the list's first items: all that are events, or those with which the events end
    bool is_followed = false;  // the item follows the list somewhere, or begins the session where the list is empty
  };
  // Knuth, Morris and Pratt's search, so that no file makes it slow.
  Place find_list(std::span<const int32_t> events, int32_t item) {
    const size_t n = rows_.size();
    if (n == 0) return {0, !events.empty() && events[0] == item};
    border_.assign(n, 0);  // border_[i]: the longest proper prefix of rows_[0..i] that it ends with
    for (size_t i = 1, k = 0; i < n; ++i) {
      while (k > 0 && rows_[i] != rows_[k]) k = border_[k - 1];
      k += rows_[i] == rows_[k];
      border_[i] = k;
    }
    Place place;
    bool is_whole = false;
    size_t k = 0;
    for (const int32_t event : events) {
      if (k == n) {
        place.is_followed |= event == item;
        k = border_[n - 1];
      }
      while (k > 0 && event != rows_[k]) k = border_[k - 1];
      k += event == rows_[k];
      is_whole |= k == n;
    }
    place.n_known = is_whole ? n : k;
    return place;
  }

  void push(const Row& row, Part part) {
    if (!sink_.add(row, part)) return;
    DatasetBuilder& builder = sink_.builder();
    const int32_t user = builder.users().find(builder.users().key(row.user));
    auto& events = sink_.sessions();
    if (std::ssize(events) <= user) events.resize(user + 1);
    builder.budget().charge(4, "sessions");
    events[user].push_back(builder.items().find(builder.items().key(row.item)));
  }

  RowSink& sink_;
  Part part_;
  std::vector<std::string_view> items_;  // of the list
  std::vector<int32_t> rows_;            // theirs; -1 = not seen yet
  std::vector<size_t> border_;           // beside rows_, of find_list
};

// has_lists is false when write_dataset's NAME.no_lists says that labelled rows belong to no list.
void read_inter(const std::string& path, Part part, bool has_lists, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  DelimitedReader reader(file, separator_of(sink), Quotes::kNone);
  std::vector<std::string_view> cells;
  reader.next(cells);
  const std::vector<std::string> header = field_names(cells, path);
  DatasetOptions options = sink.options();
  if (!options.impression_key && !has_lists) options.impression_key = "";
  ColumnPlan plan = plan_columns(header, options, path, reader.line());
  plan.weight_may_be_empty = true;
  sink.begin_file(path, plan.optional());
  tell_columns(header, plan, sink);
  const auto list = std::find(header.begin(), header.end(), "item_id_list");
  if (list == header.end()) {
    for_each_row(reader, sink, [&](const auto& row) { sink.add(sink.parse(row, plan), part); });
    return;
  }
  sink.decided("item_id_list", "the events before the item");
  Sessions sessions(sink, part);
  for_each_row(reader, sink, [&](const auto& row) { sessions.add(sink.parse(row, plan), row[list - header.begin()]); });
}

void read_titles(const std::string& path, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  DelimitedReader reader(file, separator_of(sink), Quotes::kNone);
  std::vector<std::string_view> cells;
  reader.next(cells);
  const std::vector<std::string> header = field_names(cells, path);
  int item = -1, title = -1;
  std::tie(item, title) = with_place(path, reader.line(), [&] {
    return std::pair(find_column(header, {"itemid", "item", "movieid", "iid"}),
                     find_column(header, {"title", "movietitle", "itemtitle", "name", "itemname"}));
  });
  if (item < 0 || title < 0) return;
  sink.begin_titles(path);
  for_each_row(reader, sink, [&](const auto& row) {
    if (row.size() != header.size())
      throw Error(REC_INVALID_DATA, cat("the row has ", row.size(), " columns, expected ", header.size()));
    sink.builder().set_title(row[item], row[title]);
  });
}

// write_dataset's list of columns whose ids are text even if they look like numbers: user_id, item_id, one per line; and
// kEveryId where ids look like words for missing ones.
void read_byte_ids(const std::string& path, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  DelimitedReader reader(file, kWholeLine, Quotes::kNone);
  std::vector<std::string_view> cells;
  while (reader.next(cells)) {
    if (cells[0] == kEveryId) {
      sink.keep_every_id();
      continue;
    }
    if (cells[0] != "user_id" && cells[0] != "item_id")
      throw located(Error(REC_INVALID_DATA, cat("'", printable(cells[0]), "' is neither user_id nor item_id")), path,
                    reader.line());
    IdColumn& ids = cells[0] == "user_id" ? sink.builder().users() : sink.builder().items();
    ids.prefer(REC_ID_BYTES);
  }
}

}  // namespace

void read_recbole(const std::string& path, RowSink& sink) {
  const Source source = find_source(path);
  if (const auto ids = find_text_file(source.folder, source.name + ".byte_ids"); ids && !source.name.empty())
    read_byte_ids(*ids, sink);
  const bool has_lists = source.name.empty() || !find_text_file(source.folder, source.name + ".no_lists");
  if (source.benchmark) {
    sink.set_has_parts();
    for (const PartFile& part : kParts) {
      const std::string name = source.name + part.suffix + ".inter";
      const auto file = find_text_file(source.folder, name);
      if (file)
        read_inter(*file, part.part, has_lists, sink);
      else if (part.part == Part::kTrain)
        throw system_error("open", source.folder + "/" + name, ENOENT);
    }
  } else {
    const bool folder = is_directory(path);
    read_inter(folder ? *find_text_file(source.folder, source.name + ".inter") : path, sink.part(), has_lists, sink);
  }
  // An empty cell of a float column is a missing value, which RecBole replaces by the column's mean.
  if (!sink.builder().fill_weights()) {
    Error error(REC_INVALID_DATA, cat(path, ": weight: every cell of the column is empty"));
    error.file = path;
    throw error.at_argument("weight");
  }
  if (sink.builder().n() == 0 || source.name.empty()) return;
  if (const auto titles = find_text_file(source.folder, source.name + ".item")) read_titles(*titles, sink);
}

}  // namespace rec
