// export_index_real and retrieve: a saved model's item vectors as files, and its best items for queries.
#include <filesystem>

#include "cli/ids.h"
#include "cli/new_folder.h"
#include "cli/two_tower/two_tower.h"
#include "cli/vectors.h"

namespace rec::cli::two_tower {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kShown = 10;

// As Python prints a list: numbers bare, texts in quotes.
std::string list_of(const std::vector<Item>& items) {
  std::string text;
  for (const Item& item : items)
    text += (text.empty() ? "" : ", ") + (item.id.is_number() ? item.text : '\'' + plain(item.text) + '\'');
  return '[' + text + ']';
}

void write_index(const fs::path& folder, const Model& model) {
  const Tensor vectors = vectors_of(rec_model_item_vectors, model);
  if (vectors == nullptr)
    throw Failure{REC_UNSUPPORTED, "the model has no item vectors for an index", "", folder.string(), -1};
  write_vectors("out", folder / "items.npy", vectors);
  write_ids("out", folder / "ids.csv", {rec_model_item_ids, model});
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
  const rec_run_options_t run = call.context.stop.run();
  const auto model = make<Model>(rec_model_load, path.c_str(), nullptr, &run);
  const Answers answers = top_k(make_recommender(model, kShown, false), REC_ID_ROW, {0}, kShown);
  if (!out.empty()) fill_folder(out, [&](const fs::path& made) { write_index(made, model); });
  line("Built BruteForce index.");
  line("Top-10 ids for first query:");
  line(' ' + list_of(items_of(model, false, answers.rows.data(), answers.scores.data(), kShown)));
  if (!call.is_ours() && argparse::to_int(call.text("--use_faiss")) != 0)
    call.context.output.note(
        "--use_faiss has no effect: all items are ranked; items.npy is what an index is built from");
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
  const std::vector<std::string> queries = call.list("--query");
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
