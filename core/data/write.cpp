#include "core/data/write.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/staged_file.h"
#include "core/base/text.h"
#include "core/data/readers.h"

namespace rec {

namespace {

constexpr size_t kFlushBytes = 1 << 20;

bool holds_separator(std::string_view text) {
  return text.find_first_of(std::string_view("\t\r\n\0", 4)) != std::string_view::npos;
}

// Refuses ids that the reader would misread.
void check_ids(const IdMap& ids, const char* column) {
  if (ids.type() != REC_ID_BYTES) return;
  for (int64_t row = 0; row < ids.size(); ++row) {
    const std::string_view id = ids.bytes_at(row);
    if (id.empty() || holds_separator(id))
      throw argument_error(REC_INVALID_DATA, column, "id '", printable(id), "' of row ", row,
                           id.empty() ? " is empty" : " holds a tab, a line end or a NUL",
                           "; a .inter file cannot hold it");
  }
}

template <class Number>
void append_number(std::string& out, Number value) {
  char digits[64];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_id(std::string& out, const IdMap& ids, int64_t row) {
  if (ids.type() == REC_ID_BYTES)
    out += ids.bytes_at(row);
  else
    append_number(out, ids.int64_at(row));
}

// Names of the columns whose bytes a reader could take for int64, and kEveryId if it could take one for a missing id.
std::string columns_of_byte_ids(const Dataset& dataset) {
  std::string names;
  for (const auto& [name, ids] : {std::pair{"user_id\n", &dataset.users}, std::pair{"item_id\n", &dataset.items}}) {
    if (ids->type() != REC_ID_BYTES) continue;
    bool number = false;
    for (int64_t row = 0; row < ids->size() && !number; ++row) number = parse_int64(ids->bytes_at(row)).has_value();
    if (number) names += name;
  }
  const auto looks_missing = [](const IdMap& ids) {
    for (int64_t row = 0; ids.type() == REC_ID_BYTES && row < ids.size(); ++row)
      if (is_missing_word(ids.bytes_at(row))) return true;
    return false;
  };
  if (looks_missing(dataset.users) || looks_missing(dataset.items)) names += cat(kEveryId, '\n');
  return names;
}

void write_part(const Dataset& dataset, Part part, FileWriter& file) {
  std::string out = "user_id:token\titem_id:token";
  if (!dataset.weight.empty()) out += "\trating:float";
  if (!dataset.time.empty()) out += "\ttimestamp:float";
  if (!dataset.label.empty()) out += "\tlabel:float";
  if (!dataset.impression.empty()) out += "\timpression_id:token";
  out += '\n';
  for (int64_t i = 0; i < dataset.n(); ++i) {
    if (dataset.part[i] != part) continue;
    append_id(out, dataset.users, dataset.user[i]);
    out += '\t';
    append_id(out, dataset.items, dataset.item[i]);
    if (!dataset.weight.empty()) append_number(out += '\t', dataset.weight[i]);
    if (!dataset.time.empty()) append_number(out += '\t', dataset.time[i]);
    if (!dataset.label.empty()) append_number(out += '\t', dataset.label[i]);
    if (!dataset.impression.empty()) append_number(out += '\t', dataset.impression[i]);
    out += '\n';
    if (out.size() < kFlushBytes) continue;
    file.write(out);
    out.clear();
  }
  file.write(out);
}

void write_titles(const Dataset& dataset, FileWriter& file) {
  std::string out = "item_id:token\ttitle:token_seq\n";
  for (int64_t i = 0; i < dataset.n_items(); ++i) {
    const int64_t begin = dataset.title_offsets[i], end = dataset.title_offsets[i + 1];
    if (begin == end) continue;
    append_id(out, dataset.items, i);
    std::string title(dataset.title_bytes.data() + begin, end - begin);
    // A title is for people: characters that would break the line become spaces.
    for (char& c : title)
      if (holds_separator({&c, 1})) c = ' ';
    out += '\t' + title + '\n';
  }
  file.write(out);
}

std::string name_of(const std::string& folder) {
  const auto path = std::filesystem::absolute(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

bool holds_all_rows(const Buffer<int32_t>& rows, int64_t n) {
  std::vector<bool> seen(n);
  for (int32_t row : rows) seen[row] = true;
  return std::find(seen.begin(), seen.end(), false) == seen.end();
}

// Names what these files cannot hold.
std::string left_out(const Dataset& dataset) {
  std::string names;
  for (const auto& [name, has] :
       {std::pair{"candidates", !dataset.candidate_offsets.empty()}, std::pair{"relations", !dataset.relations.empty()},
        std::pair{"user_features", !dataset.user_features.empty()},
        std::pair{"item_features", !dataset.item_features.empty()},
        std::pair{"users_without_rows", !holds_all_rows(dataset.user, dataset.n_users())},
        std::pair{"items_without_rows", !holds_all_rows(dataset.item, dataset.n_items())}})
    if (has) names += cat(names.empty() ? "" : ",", name);
  return names;
}

// The folders that were missing on a path, made; unless they are kept, they are removed again while nothing is in them.
class NewFolders {
 public:
  explicit NewFolders(const std::string& folder) {
    for (std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal(); !file_exists(path.string());
         path = path.parent_path())
      made_.push_back(path.string());
    create_directories(folder);
  }
  ~NewFolders() {
    for (const std::string& path : made_) ::rmdir(path.c_str());
  }
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;
  void keep() { made_.clear(); }

 private:
  std::vector<std::string> made_;  // the innermost first
};

}  // namespace

void write_dataset(const Dataset& dataset, const std::string& folder, const CancelToken* cancel) {
  if (folder.empty()) throw invalid_argument("directory", "must not be empty");
  check_ids(dataset.users, "user_id");
  check_ids(dataset.items, "item_id");
  NewFolders new_folders(folder);
  const std::string base = folder + "/" + name_of(folder);
  const auto staged = [&](const char* suffix, Part part) {
    return StagedFile(base + suffix, [&](FileWriter& file) { write_part(dataset, part, file); }, cancel);
  };
  // All are written to disk before an old data set is touched: if the disk fills up, the old one stays whole.
  StagedFile valid = staged(".valid.inter", Part::kValid), test = staged(".test.inter", Part::kTest),
             train = staged(".train.inter", Part::kTrain);
  std::optional<StagedFile> byte_ids, no_lists, titles;
  if (const std::string names = columns_of_byte_ids(dataset); !names.empty())
    byte_ids.emplace(base + ".byte_ids", [&](FileWriter& file) { file.write(names); });
  // A reader would otherwise take rows of equal time as a list.
  if (!dataset.label.empty() && !dataset.time.empty() && dataset.impression.empty())
    no_lists.emplace(base + ".no_lists", [](FileWriter&) {});
  if (!dataset.title_offsets.empty())
    titles.emplace(base + ".item", [&](FileWriter& file) { write_titles(dataset, file); });
  throw_if_cancelled(cancel);  // from here on the old data set is removed
  // A folder without train is not a data set: the old train goes first and the new one comes last, so that the two
  // are never read as one.
  for (const std::string suffix : {".train.inter", ".byte_ids", ".no_lists", ".item"}) {
    remove_if_there(base + suffix);
    remove_if_there(base + suffix + ".gz");
  }
  if (byte_ids) byte_ids->replace_old();
  if (no_lists) no_lists->replace_old();
  if (titles) titles->replace_old();
  valid.replace_old();
  test.replace_old();
  train.replace_old();
  new_folders.keep();
  if (const std::string names = left_out(dataset); !names.empty())
    log::write(REC_LOG_WARNING, cat("dataset_saved path=", folder, " left_out=", names));
}

}  // namespace rec
