#include <filesystem>
#include <tuple>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

// The files of one release and their layout; ratings are user, item, rating, time.
struct Release {
  const char* ratings;
  const char* titles;
  char separator;
  int step;  // "::" reads as ':' with an empty cell between
};
constexpr Release kReleases[] = {
    {"u.data", "u.item", '\t', 1}, {"ratings.dat", "movies.dat", ':', 2}, {"ratings.csv", "movies.csv", ',', 1}};

std::string unpacked_name(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name;
}

const Release& release_of(const std::string& ratings, const TextFile& file) {
  for (const Release& release : kReleases)
    if (unpacked_name(ratings) == release.ratings) return release;
  const std::string_view line = first_line(file.text());
  return kReleases[line.find("::") != std::string_view::npos ? 1 : line.find('\t') != std::string_view::npos ? 0 : 2];
}

std::string find_ratings(const std::string& path) {
  if (!is_directory(path)) return path;
  for (const Release& release : kReleases)
    if (const auto found = find_text_file(path, release.ratings)) return *found;
  Error error(REC_NOT_FOUND, cat(path, ": there is no u.data, ratings.dat or ratings.csv in the folder"));
  error.file = path;
  throw error;
}

// Only the releases with commas have a header.
ColumnPlan plan_ratings(DelimitedReader& reader, const Release& release, const RowSink& sink, const std::string& path,
                        std::vector<std::string>& header) {
  if (release.separator == ',') {
    header = read_header(reader, path);
    return plan_columns(header, sink.options(), path, reader.line());
  }
  const DatasetOptions& options = sink.options();
  const std::pair<const char*, const std::optional<std::string>*> columns[] = {
      {"user_column", &options.user_column},   {"item_column", &options.item_column},
      {"time_column", &options.time_column},   {"weight_column", &options.weight_column},
      {"label_column", &options.label_column}, {"impression_key", &options.impression_key}};
  for (const auto& [name, column] : columns)
    if (*column && !(*column)->empty())
      throw invalid_argument(name, "cannot be given with ", release.ratings,
                             " of MovieLens, whose columns are user, item, rating and time");
  const auto wanted = [](const std::optional<std::string>& name) { return !name || !name->empty(); };
  const int step = release.step;
  ColumnPlan plan;
  plan.user = 0;
  plan.item = step;
  plan.n_columns = static_cast<size_t>(3 * step + 1);
  if (wanted(options.weight_column)) plan.weight = 2 * step;
  if (wanted(options.time_column)) plan.time = 3 * step;
  return plan;
}

// Item and title of a line of u.item or movies.dat; the title of the latter may hold single colons.
std::pair<std::string_view, std::string_view> item_and_title(std::string_view line, std::string_view separator) {
  const size_t first = line.find(separator);
  const size_t second = first == std::string_view::npos ? first : line.find(separator, first + separator.size());
  if (second == std::string_view::npos)
    throw Error(REC_INVALID_DATA, cat("'", printable(line), "' is not ITEM", separator, "TITLE", separator, "..."));
  return {line.substr(0, first), line.substr(first + separator.size(), second - first - separator.size())};
}

void read_titles(const std::string& path, const Release& release, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  if (invalid_utf8(file.text())) {
    file.bytes = Buffer<char>(std::span<const char>(latin1_to_utf8(file.text())));
    file.begin = 0;
  }
  sink.begin_titles(path);
  if (release.separator == ',') {
    DelimitedReader reader(file, ',', Quotes::kRfc4180);
    const std::vector<std::string> header = read_header(reader, path);
    int item = -1, title = -1;
    std::tie(item, title) = with_place(path, reader.line(), [&] {
      return std::pair(find_column(header, {"movieid", "itemid"}), find_column(header, {"title"}));
    });
    if (item < 0 || title < 0)
      throw located(Error(REC_INVALID_DATA, "no movieId and title columns"), path, reader.line());
    for_each_row(reader, sink, [&](const auto& row) {
      if (row.size() != header.size())
        throw Error(REC_INVALID_DATA, cat("the row has ", row.size(), " columns, expected ", header.size()));
      sink.builder().set_title(row[item], row[title]);
    });
    return;
  }
  DelimitedReader reader(file, kWholeLine, Quotes::kNone);
  for_each_row(reader, sink, [&](const auto& row) {
    const auto [item, title] = item_and_title(row[0], release.separator == ':' ? "::" : "|");
    sink.builder().set_title(item, title);
  });
}

}  // namespace

void read_movielens(const std::string& path, RowSink& sink) {
  const std::string ratings = find_ratings(path);
  TextFile file = open_text(ratings, sink.builder().budget(), sink.builder().cancel());
  const Release& release = release_of(ratings, file);
  DelimitedReader reader(file, release.separator, release.separator == ',' ? Quotes::kRfc4180 : Quotes::kNone);
  std::vector<std::string> header;
  const ColumnPlan plan = plan_ratings(reader, release, sink, ratings, header);
  sink.begin_file(ratings, plan.optional());
  tell_columns(header, plan, sink);
  for_each_row(reader, sink, [&](const auto& row) { sink.add(sink.parse(row, plan)); });

  const std::string folder = std::filesystem::path(ratings).parent_path().string();
  if (sink.builder().n() == 0) return;
  if (const auto titles = find_text_file(folder.empty() ? "." : folder, release.titles))
    read_titles(*titles, release, sink);
}

}  // namespace rec
