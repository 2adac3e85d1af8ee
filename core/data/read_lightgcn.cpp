#include "core/base/files.h"
#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

int64_t parse_id(std::string_view word, const char* column) {
  const auto id = parse_int64(word);
  if (!id) {
    const char* why = looks_like_integer(word) ? "does not fit an int64 written plainly" : "is not an int64";
    throw argument_error(REC_INVALID_DATA, column, "'", printable(word), "' ", why,
                         "; the lightgcn format has integer ids only");
  }
  return *id;
}

void read_lines(const std::string& path, Part part, RowSink& sink) {
  TextFile file = open_text(path, sink.builder().budget(), sink.builder().cancel());
  sink.begin_file(path, {});
  DelimitedReader reader(file, kWholeLine, Quotes::kNone);
  DatasetBuilder& builder = sink.builder();
  std::vector<int64_t> ids;
  int64_t n_lines = 0, n_counted = 0;
  for_each_row(reader, sink, [&](const auto& cells) {
    ids.clear();
    std::string_view rest = trim(cells[0]);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      if (ids.size() == ids.capacity()) {
        builder.budget().charge(std::ssize(ids) * 8 + 64, "the ids of a line");
        ids.reserve(2 * ids.size() + 8);
      }
      if (end > 0) ids.push_back(parse_id(rest.substr(0, end), ids.empty() ? "user_id" : "item_id"));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (ids.empty()) return;
    ++n_lines;
    n_counted += ids[0] == std::ssize(ids) - 1;
    // A user without items still counts as a user.
    if (ids.size() == 1) builder.users().add(builder.users().key(ids[0]));
    for (size_t i = 1; i < ids.size(); ++i) builder.add(ids[0], ids[i], 0, 0.0f, part);
  });
  if (n_lines > 2 && n_counted == n_lines)
    sink.note(cat("the first number of each line of ", path,
                  " is how many others there are; if it is that count and no user, these users are wrong"));
}

}  // namespace

void read_lightgcn(const std::string& path, RowSink& sink) {
  if (!is_directory(path)) return read_lines(path, sink.part(), sink);
  const auto train = find_text_file(path, "train.txt");
  if (!train) throw system_error("open", path + "/train.txt", ENOENT);
  read_lines(*train, Part::kTrain, sink);
  sink.set_has_parts();
  if (const auto valid = find_text_file(path, "valid.txt")) read_lines(*valid, Part::kValid, sink);
  if (const auto test = find_text_file(path, "test.txt")) read_lines(*test, Part::kTest, sink);
}

}  // namespace rec
