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

std::string detect_by_first_line(const std::string& path) {
  const TextFile file = open_text_head(path);
  const std::string_view line = first_line(file.text());
  if (line.find("::") != std::string_view::npos) return "movielens";
  if (line.find(":token") != std::string_view::npos) return "recbole";
  if (line.find("SessionId") != std::string_view::npos && line.find("ItemId") != std::string_view::npos)
    return "gru4rec";
  if (detect_separator(line) != 0) return "csv";
  const auto words = split(trim(line), ' ');
  if (!words.empty() && std::all_of(words.begin(), words.end(), looks_like_integer)) return "lightgcn";
  throw located(
      Error(REC_UNSUPPORTED, cat("the format cannot be told from the first line '", printable(line), "'; give it")),
      path, 1);
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
  if (options.separator && options.separator->size() != 1)
    throw invalid_argument("separator", "must be one byte, got '", printable(*options.separator), "'");
  if (options.separator && std::string_view("\r\n\"").find(options.separator->front()) != std::string_view::npos)
    throw invalid_argument("separator", "must not be a quote or the end of a line");
  if (options.min_weight && !std::isfinite(*options.min_weight)) throw invalid_argument("min_weight", "must be finite");
  if (options.max_bad_rows < 0) throw invalid_argument("max_bad_rows", "must be >= 0, got ", options.max_bad_rows);
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

Dataset load_dataset(const std::string& path, const DatasetOptions& options, const CancelToken* cancel) {
  check_options(options);
  const std::string format = options.format == "auto" ? detect_format(path) : options.format;
  DatasetBuilder builder(options.user_id_type, options.item_id_type, options.memory_limit_bytes, cancel);
  RowSink sink(options, builder);
  if (!is_directory(path)) sink.set_single_file();
  read(format, path, sink);
  if (builder.n() == 0) {
    Error error(REC_INVALID_DATA,
                cat(path, ": there are no interactions in it", options.min_weight ? " that pass min_weight" : ""));
    error.file = path;
    throw error;
  }
  Dataset dataset = builder.finish();
  dataset.format = format;
  dataset.source = path;
  dataset.n_skipped = sink.n_skipped();
  return dataset;
}

}  // namespace rec
