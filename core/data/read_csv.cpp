#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

char separator_of(const TextFile& file, char separator, const RowSink& sink) {
  if (sink.options().separator) return sink.options().separator->front();
  if (separator != 0) return separator;
  const std::string_view line = first_line(file.text());
  const char found = line.empty() ? ',' : detect_separator(line);
  if (found == 0)
    throw located(Error(REC_INVALID_DATA, "no separator (tab , ; |) in the first line; give it with separator")
                      .at_argument("separator"),
                  file.path, 1);
  return found;
}

void read_table(const std::string& path, char separator, const DatasetOptions& names, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget());
  DelimitedReader reader(file, separator_of(file, separator, sink), Quotes::kRfc4180);
  std::vector<std::string_view> cells;
  try {
    if (!reader.next(cells)) throw Error(REC_INVALID_DATA, "the file has only empty lines");
  } catch (Error& error) {
    throw located(std::move(error), path, reader.line());
  }

  bool named = false;
  for (const auto* name : {&names.user_column, &names.item_column, &names.time_column, &names.weight_column,
                           &names.label_column, &names.impression_key})
    named |= *name && !(*name)->empty();
  const std::optional<ColumnPlan> headerless = named ? std::nullopt : plan_headerless(cells, names);
  std::vector<std::string> header;
  for (std::string_view cell : cells) header.emplace_back(trim(cell));
  const ColumnPlan plan = headerless ? *headerless : plan_columns(header, names, path, reader.line());
  sink.begin_file(path, plan.optional());
  if (headerless) {
    try {
      sink.add(sink.parse(cells, plan), Part::kTrain);
    } catch (Error& error) {
      sink.reject(std::move(error), reader.line(), false);
    }
  }
  for_each_row(reader, sink, [&](const auto& row) { sink.add(sink.parse(row, plan), Part::kTrain); });
}

}  // namespace

void read_csv(const std::string& path, char separator, RowSink& sink) {
  read_table(path, separator, sink.options(), sink);
}

void read_gru4rec(const std::string& path, RowSink& sink) {
  DatasetOptions names = sink.options();
  if (!names.user_column) names.user_column = "SessionId";
  if (!names.item_column) names.item_column = "ItemId";
  if (!names.time_column) names.time_column = "Time";
  read_table(path, '\t', names, sink);
}

}  // namespace rec
