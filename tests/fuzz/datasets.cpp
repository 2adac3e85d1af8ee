// Files of every format that a data set is read from. The first two bytes choose the format and the options; the rest is
// the files' text, one file after the other, divided by kNextFile.
#include <zlib.h>

#include "core/data/describe.h"
#include "core/data/load.h"
#include "core/data/split.h"
#include "core/data/write.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/temp_folder.h"

namespace rec::fuzz {
namespace {

constexpr char kNextFile = '\x1e';
constexpr int64_t kMemoryLimit = int64_t{16} << 20;

struct Format {
  const char* name;
  std::vector<const char*> files;
};
const std::vector<Format> kFormats{
    {"csv", {"a.csv"}},
    {"tsv", {"a.tsv"}},
    {"auto", {"a.txt"}},
    {"movielens", {"u.data", "u.item"}},
    {"movielens", {"ratings.dat", "movies.dat"}},
    {"movielens", {"ratings.csv", "movies.csv"}},
    {"recbole", {"a.inter", "a.item"}},
    {"recbole", {"a.train.inter", "a.test.inter", "a.item"}},
    {"rechorus", {"train.csv", "dev.csv", "test.csv", "item_meta.csv", "user_meta.csv"}},
    {"lightgcn", {"train.txt", "test.txt"}},
    {"gru4rec", {"a.tsv"}},
    {"two_tower",
     {"interactions.csv", "q_idmap.csv", "i_idmap.csv", "q_feats.npy", "i_feats.npy", "q_side_cat.npy",
      "item_adj.npy"}},
};

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = out.size();
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

DatasetOptions options_of(Input& in) {
  DatasetOptions options;
  options.memory_limit_bytes = kMemoryLimit;
  const uint8_t bits = in.byte();
  if ((bits & 1) != 0) options.bad_rows = REC_BAD_ROW_SKIP;
  if ((bits & 2) != 0) options.user_id_type = REC_ID_BYTES;
  if ((bits & 4) != 0) options.item_id_type = REC_ID_INT64;
  if ((bits & 8) != 0) options.min_weight = 2;
  if ((bits & 16) != 0) options.impression_key = "time";
  if ((bits & 32) != 0) options.weight_column = "rating";
  return options;
}

// What is read can be described, split, written, and read again as the same.
void use(const Dataset& data, const TempFolder& folder) {
  const std::string before = describe_dataset(data);
  for (const int32_t kind : {REC_SPLIT_RATIO, REC_SPLIT_LEAVE_ONE_OUT, REC_SPLIT_TEMPORAL, REC_SPLIT_SESSION}) {
    SplitOptions options;
    options.kind = kind;
    attempt([&] {
      if (split_dataset(data, options).n() != data.n()) finding("a split that loses rows");
    });
  }
  attempt([&] {
    write_dataset(data, folder / "saved");
    const Dataset again = load_dataset(folder / "saved");
    if (again.n() != data.n()) finding(cat("a saved data set of ", again.n(), " rows instead of ", data.n()));
  });
  if (describe_dataset(data) != before) finding("a description that changes");
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) { return 0; }

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  static const rec::TempFolder folder;
  Input in(data, size);
  const uint8_t choice = in.byte();
  const Format& format = kFormats[choice % kFormats.size()];
  rec::DatasetOptions options = options_of(in);
  options.format = format.name;
  const bool zipped = choice >= 128, cut = choice >= 192;
  const std::string text = in.rest();
  const std::string path = folder / "data";
  size_t begin = 0;
  for (const char* name : format.files) {
    const size_t end = std::min(text.find(kNextFile, begin), text.size());
    std::string content = text.substr(begin, end - begin);
    if (zipped) content = gzip(content) + (begin % 2 == 1 ? gzip(content) : "");
    if (cut) content[content.size() / 2] ^= 1;
    folder.file(rec::cat("data/", name, zipped ? ".gz" : ""), content);
    if (end == text.size()) break;
    begin = end + 1;
  }
  const std::string what = format.files.size() == 1 ? path + "/" + format.files[0] + (zipped ? ".gz" : "") : path;
  attempt([&] { use(rec::load_dataset(what, options), folder); });
  std::filesystem::remove_all(path);
  std::filesystem::remove_all(folder / "saved");
  return 0;
}
