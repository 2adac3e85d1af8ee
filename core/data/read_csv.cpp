#include "core/base/files.h"
#include "core/base/text.h"
#include "core/base/thread_pool.h"
#include "core/data/readers.h"
#include "core/data/row_blocks.h"

namespace rec {

namespace {

char separator_of(const TextFile& file, char separator, const RowSink& sink) {
  if (sink.options().separator) return sink.options().separator->front();
  if (separator != 0) return separator;
  const std::string_view line = first_line(file.text());
  const char found = line.empty() ? ',' : detect_separator(line);
  if (found == 0)
    throw located(
        Error(REC_INVALID_DATA, "no separator (tab , ; | or blanks) in the first line; give it with separator")
            .at_argument("separator"),
        file.path, 1);
  return found;
}

std::string separator_name(char separator) {
  return separator == '\t' ? "tab" : separator == ' ' ? "blanks" : std::string(1, separator);
}

Quotes quotes_of(char separator, int32_t wanted) {
  if (wanted == REC_QUOTES_NONE) return Quotes::kLiteral;
  if (wanted == REC_QUOTES_CSV) return Quotes::kRfc4180;
  return separator == '\t' ? Quotes::kWithinLine : Quotes::kRfc4180;
}

const char* quotes_name(Quotes quotes) {
  return quotes == Quotes::kRfc4180 ? "as in CSV" : quotes == Quotes::kLiteral ? "none" : "within a line";
}

// A file so large that threads are worth their start is read in blocks; here its head tells what is in it.
bool is_large(const std::string& path) {
  constexpr int64_t kLarge = int64_t{8} << 20;
  return !path.ends_with(".gz") && PieceFile(path).size() >= kLarge;
}

void read_table(const std::string& path, char wanted_separator, const DatasetOptions& names, RowSink& sink,
                bool in_blocks) {
  TextFile file = in_blocks ? open_text_head(path) : open_text(path, sink.builder().budget(), sink.builder().cancel());
  const char separator = separator_of(file, wanted_separator, sink);
  const Quotes quotes = quotes_of(separator, names.quotes);
  DelimitedReader reader(file, separator, quotes);
  std::vector<std::string_view> cells;
  try {
    if (!reader.next(cells)) throw Error(REC_INVALID_DATA, "the file has only empty lines");
  } catch (Error& error) {
    if (in_blocks) return read_table(path, wanted_separator, names, sink, false);
    throw located(std::move(error), path, reader.line());
  }
  if (in_blocks && reader.at_end()) return read_table(path, wanted_separator, names, sink, false);  // a long row
  const bool named = is_header(cells, names);
  std::vector<std::string> header;
  if (named)
    for (std::string_view cell : cells) header.emplace_back(trim(cell));
  else if (names.header == REC_HEADER_AUTO)
    header = names_in_comment(file.comment, separator, cells.size());
  const bool in_comment = !named && !header.empty();
  const ColumnPlan plan = with_place(path, reader.line(), [&] {
    if (!named && !in_comment) return plan_positions(cells, names);
    try {
      return plan_columns(header, names);
    } catch (Error& error) {
      const bool wants_a_name = error.argument == "user_column" || error.argument == "item_column";
      const bool says_so = error.message.find("header: no") != std::string::npos;
      if (wants_a_name && names.header == REC_HEADER_AUTO && !says_so)
        error.message += ", or say that there is no header (header: no)";
      throw;
    }
  });
  const TableRows rows{path, separator, quotes, file.begin + reader.next_offset(), reader.next_line()};
  if (in_blocks && !reads_in_blocks(rows, plan)) return read_table(path, wanted_separator, names, sink, false);
  sink.decided("separator", separator_name(separator));
  sink.decided("header", named ? "yes" : in_comment ? "a comment" : "no");
  sink.decided("quotes", quotes_name(quotes));
  sink.begin_file(path, plan.optional());
  tell_columns(header, plan, sink);
  if (named) sink.set_header(header, plan);
  if (!named) {
    try {
      sink.add(sink.parse(cells, plan));
    } catch (Error& error) {
      sink.reject(std::move(error), reader.line(), false);
    }
  }
  if (in_blocks) return read_row_blocks(rows, plan, resolve_threads(names.threads), sink);
  for_each_row(reader, sink, [&](const auto& row) { sink.add(sink.parse(row, plan)); });
}

}  // namespace

void read_csv(const std::string& path, char separator, RowSink& sink) {
  read_table(path, separator, sink.options(), sink, is_large(path));
}

void read_gru4rec(const std::string& path, RowSink& sink) {
  DatasetOptions names = sink.options();
  if (!names.user_column) names.user_column = "SessionId";
  if (!names.item_column) names.item_column = "ItemId";
  if (!names.time_column) names.time_column = "Time";
  if (names.header == REC_HEADER_AUTO) names.header = REC_HEADER_YES;
  read_table(path, '\t', names, sink, is_large(path));
}

}  // namespace rec
