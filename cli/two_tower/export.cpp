// export_index_real and retrieve: a saved model's item vectors as files, and its best items for queries.
#include <filesystem>
#include <fstream>

#include "cli/ids.h"
#include "cli/two_tower/npy.h"
#include "cli/two_tower/two_tower.h"

// DLPack 1.x, as far as it is read here.
extern "C" struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedTensorVersioned*);
  uint64_t flags;
  void* data;
  struct {
    int32_t type, id;
  } device;
  int32_t n_dimensions;
  struct {
    uint8_t code, bits;
    uint16_t lanes;
  } type;
  int64_t *shape, *strides;
  uint64_t byte_offset;
};

namespace rec::cli::two_tower {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kShown = 10;

struct DeleteTensor {
  void operator()(DLManagedTensorVersioned* tensor) const { tensor->deleter(tensor); }
};
using Tensor = std::unique_ptr<DLManagedTensorVersioned, DeleteTensor>;

// As Python prints a list: numbers bare, texts in quotes.
std::string list_of(const std::vector<Item>& items) {
  std::string text;
  for (const Item& item : items)
    text += (text.empty() ? "" : ", ") + (item.id.is_number() ? item.text : '\'' + plain(item.text) + '\'');
  return '[' + text + ']';
}

std::vector<Item> all_items(const Model& model, int64_t n) {
  std::vector<int64_t> rows(n);
  for (int64_t i = 0; i < n; ++i) rows[i] = i;
  const std::vector<float> scores(n);
  return items_of(model, false, rows.data(), scores.data(), n);
}

std::string in_csv(const std::string& id) {
  if (id.find_first_of(",\"\r\n") == std::string::npos) return id;
  std::string quoted = "\"";
  for (const char c : id) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

void write_index(const fs::path& folder, const Model& model) {
  DLManagedTensorVersioned* made = nullptr;
  call(rec_model_item_vectors, model.get(), &made);
  const Tensor vectors(made);
  const int64_t n = vectors->shape[0], d = vectors->shape[1];
  std::ofstream file(folder / "items.npy", std::ios::binary);
  file << npy_header("<f4", n, d);
  file.write(static_cast<const char*>(vectors->data) + vectors->byte_offset, n * d * 4);
  close_written(file, folder / "items.npy");
  std::ofstream ids(folder / "ids.csv", std::ios::binary);
  ids << "id,row_idx\n";
  const std::vector<Item> items = all_items(model, n);
  for (size_t i = 0; i < items.size(); ++i) ids << in_csv(items[i].text) << ',' << i << '\n';
  close_written(ids, folder / "ids.csv");
  call(rec_model_save, model.get(), (folder / "model.rec").c_str(), nullptr, nullptr);
}

// Tells the rows of the train part, as the original does, and that the model is one of these data.
class Log : public Listener {
 public:
  void on_data(const SplitData& data) override { line(rows_line("train", data)); }
};

}  // namespace

int export_index(const Call& call) {
  const std::string flag = call.is_ours() ? "--model" : "--ckpt_path", path = call.text(flag), out = call.text("--out");
  if (!out.empty()) check_new_folder("--out", out);
  const Json card = card_of(flag, path, call);
  if (!call.is_ours()) {
    const Folder folder(call);
    Experiment e = experiment_on(folder, value_text(card["seed"]));
    e.model = value_text(card["model"]);
    e.train = false;
    e.out = path;
    Log log;
    try {
      run_experiment(e, log, call.context);
    } catch (const Failure& failure) {
      throw folder.in_given_words(failure);
    }
  }
  const Stop::Abandonable abandonable(call.context.stop);
  const auto model = make<Model>(rec_model_load, path.c_str(), nullptr, nullptr);
  const Answers answers = top_k(make_recommender(model, kShown, false), REC_ID_ROW, {0}, kShown);
  if (!out.empty()) fill_folder(out, [&](const fs::path& made) { write_index(made, model); });
  line("Built BruteForce index.");
  line("Top-10 ids for first query:");
  line(' ' + list_of(items_of(model, false, answers.rows.data(), answers.scores.data(), kShown)));
  if (!call.is_ours())
    call.context.output.note("unlike the original, these are ids of " + plain(call.text("--i_idmap_csv")) +
                             " for its first query, by the "
                             "model of --ckpt_path" +
                             (out.empty() ? "; --out DIR writes items.npy and ids.csv" : ""));
  return 0;
}

int retrieve(const Call& call) {
  const std::string path = call.text("--model");
  const Json card = card_of("--model", path, call);
  const std::vector<std::string>& queries = call.list("--query");
  const int64_t k = *argparse::to_int(call.text("--k"));
  if (k < 1 || k > 1'000'000) throw call.refused("--k", "must be between 1 and 1000000, got " + call.text("--k"));
  const Stop::Abandonable abandonable(call.context.stop);
  const auto model = make<Model>(rec_model_load, path.c_str(), nullptr, nullptr);
  const IdList ids("--query", value_text(card["user_id_type"]), queries);
  std::vector<int64_t> rows(queries.size());
  rec::cli::call(rec_model_user_rows, model.get(), ids.get(), rows.data(), std::ssize(rows));
  for (size_t q = 0; q < rows.size(); ++q)
    if (rows[q] == REC_NO_ROW)
      throw Failure{REC_NOT_FOUND, "--query: the model does not know '" + plain(queries[q]) + "'", "query", {}, -1};
  const Answers answers = top_k(make_recommender(model, k, false), REC_ID_ROW, rows, k);
  for (size_t q = 0; q < rows.size(); ++q)
    line(plain(queries[q]) + ": " +
         list_of(items_of(model, false, answers.rows.data() + q * k, answers.scores.data() + q * k, k)));
  return 0;
}

}  // namespace rec::cli::two_tower
