#include "core/data/load.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <vector>

#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

const std::vector<std::string> kFormats{"auto",     "csv",       "tsv",     "recbole",  "rechorus",
                                        "lightgcn", "movielens", "gru4rec", "two_tower"};

bool holds_inter_file(const std::string& folder) {
  return std::ranges::any_of(names_in(folder), [](const std::string& name) {
    return name.ends_with(".inter") || name.ends_with(".inter.gz");
  });
}

std::string detect_folder(const std::string& path) {
  const auto has = [&](const char* name) { return find_text_file(path, name).has_value(); };
  if (holds_inter_file(path)) return "recbole";
  if (has("train.csv") && (has("dev.csv") || has("test.csv"))) return "rechorus";
  if (has("interactions.csv") && has("q_idmap.csv")) return "two_tower";
  if (has("train.txt")) return "lightgcn";
  if (has("u.data") || has("ratings.dat") || has("ratings.csv")) return "movielens";
  Error error(REC_UNSUPPORTED,
              cat(path,
                  ": the folder's format cannot be told; it has no NAME.inter (recbole), train.csv with "
                  "dev.csv or test.csv (rechorus), interactions.csv with q_idmap.csv (two_tower), train.txt "
                  "(lightgcn), u.data, ratings.dat or ratings.csv "
                  "(movielens); give the file itself, or its format"));
  error.file = path;
  throw error;
}

// Whether lines of words are ratings, "user item rating [time]", rather than each user's items in one line: all have three
// or four words. Lines of four and more tell that by a last word that can only be a time.
bool are_ratings(const TextFile& file) {
  std::string_view text = file.text();
  if (!file.is_whole) text = text.substr(0, text.rfind('\n'));  // the last line is cut
  size_t n_words = 0;
  int64_t n_lines = 0;
  bool ends_in_time = true;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> words = split(trim(line), ' ');
    std::erase(words, "");
    if (words.empty()) continue;
    if (n_lines++ == 0) n_words = words.size();
    if (words.size() != n_words) return false;
    const auto last = parse_int64(words.back());
    ends_in_time &= n_words >= 4 && last && *last > 100'000'000;
  }
  return ends_in_time || (n_lines > 1 && (n_words == 3 || n_words == 4));
}

// Options that only some formats have a use for.
struct FormatOption {
  const char* name;
  bool is_given;
  std::string_view formats;
};
std::vector<FormatOption> format_options(const DatasetOptions& options) {
  const auto chosen = [](const std::optional<std::string>& column) { return column && !column->empty(); };
  constexpr std::string_view kTables = "csv tsv gru4rec", kSeparated = "csv tsv gru4rec recbole rechorus two_tower",
                             kColumns = "csv tsv gru4rec recbole rechorus two_tower movielens parquet",
                             kFiles = "csv tsv gru4rec recbole rechorus two_tower movielens lightgcn";
  return {{"separator", options.separator.has_value(), kSeparated},
          {"header", options.header != REC_HEADER_AUTO, kTables},
          {"quotes", options.quotes != REC_QUOTES_AUTO, kTables},
          {"user_column", chosen(options.user_column), kColumns},
          {"item_column", chosen(options.item_column), kColumns},
          {"time_column", chosen(options.time_column), kColumns},
          {"weight_column", chosen(options.weight_column), kColumns},
          {"label_column", chosen(options.label_column), kColumns},
          {"impression_key", chosen(options.impression_key), kColumns},
          {"time_unit", options.time_unit != REC_TIME_AUTO, kColumns},
          {"time_format", options.time_format.has_value(), kColumns},
          {"valid_path", !options.valid_path.empty(), kFiles},
          {"test_path", !options.test_path.empty(), kFiles}};
}

bool is_of(std::string_view formats, std::string_view format) {
  return std::ranges::any_of(split(formats, ' '), [&](std::string_view word) { return word == format; });
}

// A file whose columns or separator the caller gives is a table, whatever it looks like.
bool describes_a_table(const DatasetOptions& options) {
  return std::ranges::any_of(format_options(options), [](const FormatOption& option) {
    return option.is_given && !is_of(option.formats, "lightgcn") && option.name != std::string_view("time_unit") &&
           option.name != std::string_view("time_format");
  });
}

std::string detect_by_first_line(const std::string& path) {
  const TextFile file = open_text_head(path);
  const std::string_view line = first_line(file.text());
  if (line.find("::") != std::string_view::npos) return "movielens";
  if (line.find(":token") != std::string_view::npos) return "recbole";
  if (line.find("SessionId") != std::string_view::npos && line.find("ItemId") != std::string_view::npos)
    return "gru4rec";
  if (const char separator = detect_separator(line); separator != 0 && separator != ' ') return "csv";
  std::vector<std::string_view> words = split(trim(line), ' ');
  std::erase(words, "");
  if (!names_in_comment(file.comment, ' ', words.size()).empty()) return "csv";
  for (std::string_view& word : words)
    if (word.size() > 1 && word.starts_with('"') && word.ends_with('"')) word = word.substr(1, word.size() - 2);
  const auto is_number = [](std::string_view word) { return parse_double(word).has_value(); };
  if (!words.empty() && std::all_of(words.begin(), words.end(), looks_like_integer) && !are_ratings(file))
    return "lightgcn";
  if (words.size() > 1 && (names_users({words.begin(), words.end()}) || std::ranges::any_of(words, is_number)))
    return "csv";
  throw located(
      Error(REC_UNSUPPORTED, cat("the format cannot be told from the first line '", printable(line), "'; give it")),
      path, 1);
}

bool is_by_colons(const std::string& path) {
  return !is_directory(path) && first_line(open_text_head(path).text()).find("::") != std::string_view::npos;
}

void read(const std::string& format, const std::string& path, RowSink& sink) {
  if (format == "csv") return read_csv(path, 0, sink);
  if (format == "tsv") return read_csv(path, '\t', sink);
  if (format == "gru4rec") return read_gru4rec(path, sink);
  if (format == "recbole") return read_recbole(path, sink);
  if (format == "rechorus") return read_rechorus(path, sink);
  if (format == "two_tower") return read_two_tower(path, sink);
  if (format == "lightgcn") return read_lightgcn(path, sink);
  return read_movielens(path, sink);
}

}  // namespace

void check_options(const DatasetOptions& options) {
  const auto check_type = [](const char* name, int32_t type) {
    if (type != REC_ID_AUTO && type != REC_ID_INT64 && type != REC_ID_BYTES)
      throw invalid_argument(name, "must be REC_ID_AUTO, REC_ID_INT64 or REC_ID_BYTES, got ", type);
  };
  check_type("user_id_type", options.user_id_type);
  check_type("item_id_type", options.item_id_type);
  if (options.bad_rows != REC_BAD_ROW_ERROR && options.bad_rows != REC_BAD_ROW_SKIP)
    throw invalid_argument("bad_rows", "must be REC_BAD_ROW_ERROR or REC_BAD_ROW_SKIP, got ", options.bad_rows);
  if (std::find(kFormats.begin(), kFormats.end(), options.format) == kFormats.end())
    throw invalid_argument("format", "there is no format '", printable(options.format), "'",
                           suggestion(options.format, kFormats));
  const auto check_one_of = [](const char* name, int32_t value, int32_t last, const char* family) {
    if (value < 0 || value > last) throw invalid_argument(name, "must be one of ", family, ", got ", value);
  };
  check_one_of("header", options.header, REC_HEADER_NO, "REC_HEADER_");
  check_one_of("quotes", options.quotes, REC_QUOTES_NONE, "REC_QUOTES_");
  check_one_of("time_unit", options.time_unit, REC_TIME_NANOSECONDS, "REC_TIME_");
  if (options.part) check_one_of("part", *options.part, REC_PART_TEST, "REC_PART_");
  if (options.part && !(options.valid_path.empty() && options.test_path.empty()))
    throw invalid_argument("part", "is of every row, so there cannot be a valid_path or test_path beside it");
  if (options.time_format) check_time_format(*options.time_format);
  if (options.separator && options.separator->size() != 1)
    throw invalid_argument("separator", "must be one byte, got '", printable(*options.separator), "'");
  if (options.separator && std::string_view("\r\n\"").find(options.separator->front()) != std::string_view::npos)
    throw invalid_argument("separator", "must not be a quote or the end of a line");
  if (options.min_weight && !std::isfinite(*options.min_weight)) throw invalid_argument("min_weight", "must be finite");
  if (options.threads < 0) throw invalid_argument("threads", "must be >= 0, got ", options.threads);
  if (options.max_bad_rows < 0) throw invalid_argument("max_bad_rows", "must be >= 0, got ", options.max_bad_rows);
  if (options.max_bad_rows > 0 && options.bad_rows != REC_BAD_ROW_SKIP)
    throw invalid_argument("max_bad_rows", "is only for bad rows that are skipped, with bad_rows = REC_BAD_ROW_SKIP");
  if (options.memory_limit_bytes < 0)
    throw invalid_argument("memory_limit_bytes", "must be >= 0, got ", options.memory_limit_bytes);
}

std::string detect_format(const std::string& path) {
  if (!file_exists(path)) throw system_error("open", path, ENOENT);
  if (is_directory(path)) return detect_folder(path);
  std::string name = std::filesystem::path(path).filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".inter")) return "recbole";
  if (name == "u.data" || name == "ratings.dat") return "movielens";
  if (name == "ratings.csv") {
    // Any data set may use this file name, but only MovieLens has this column.
    const TextFile file = open_text_head(path);
    return first_line(file.text()).find("movieId") != std::string_view::npos ? "movielens" : "csv";
  }
  // Their first line would tell nothing more, and looking at it costs reading the file.
  if (name.ends_with(".csv")) return "csv";
  if (name.ends_with(".tsv")) return "tsv";
  return detect_by_first_line(path);
}

void check_applies(const DatasetOptions& options, std::string_view format) {
  for (const FormatOption& option : format_options(options))
    if (option.is_given && !is_of(option.formats, format))
      throw invalid_argument(option.name, "cannot be given with the format ", format);
}

Dataset load_dataset(const std::string& path, const DatasetOptions& options, const CancelToken* cancel) {
  check_options(options);
  std::string format = options.format == "auto" ? detect_format(path) : options.format;
  const bool has_lines = format == "lightgcn" || (format == "movielens" && !is_by_colons(path));
  if (options.format == "auto" && has_lines && !is_directory(path) && describes_a_table(options)) format = "csv";
  check_applies(options, format);
  DatasetBuilder builder(options.user_id_type, options.item_id_type, options.memory_limit_bytes, cancel,
                         options.time_unit);
  RowSink sink(options, builder);
  if (options.part) sink.set_part(static_cast<Part>(*options.part));
  const bool is_alone = options.valid_path.empty() && options.test_path.empty();
  if (!is_directory(path) && is_alone) sink.set_single_file();
  read(format, path, sink);
  const auto read_part = [&](const std::string& file, Part part, const char* option) {
    if (file.empty()) return;
    if (is_same_file(file, path)) throw invalid_argument(option, "is the file that the training rows are in, ", path);
    if (sink.has_parts()) throw invalid_argument(option, "the rows of ", path, " have parts of their own");
    sink.set_part(part);
    of_argument(option, [&] { read(format, file, sink); });
  };
  read_part(options.valid_path, Part::kValid, "valid_path");
  read_part(options.test_path, Part::kTest, "test_path");
  if (options.part && sink.has_parts())
    throw invalid_argument("part", "the rows of ", path, " have parts of their own");
  if (options.part || !is_alone) sink.set_has_parts();
  if (builder.n() == 0) {
    Error error = sink.no_rows();
    error.message = cat(path, ": ", error.message);
    error.file = path;
    throw error;
  }
  Dataset dataset = builder.finish();
  dataset.format = format;
  dataset.source = path;
  sink.tell(dataset);
  const auto was = [&](const char* what, std::string_view how) {
    return std::ranges::find(dataset.read_as, std::pair<std::string, std::string>(what, how)) != dataset.read_as.end();
  };
  if (options.format == "auto" && was("separator", "blanks") && was("header", "no") && dataset.n_users() == dataset.n() &&
      dataset.n() > 1)
    dataset.notes.push_back("no user has two rows; if each line is a user and all its items, the format is lightgcn");
  return dataset;
}

}  // namespace rec
