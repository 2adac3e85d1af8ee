// Model files that lie under right checksums, loaded and asked.
#include <set>

#include "core/base/staged_file.h"
#include "core/base/text.h"
#include "core/serving/recommender.h"
#include "tests/fuzz/models.h"

namespace rec::fuzz {
namespace {

constexpr int64_t kMemoryLimit = int64_t{32} << 20;

struct Seeds {
  std::shared_ptr<const Dataset> data = small_data();
  std::vector<Forgery> models, donors;  // donors: also the tensors of checkpoints
};

const Seeds& seeds() {
  static const Seeds& all = *[] {
    auto* made = new Seeds;
    PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
    const TempFolder folder;
    for (const ModelKind& kind : kModelKinds) {
      TrainerOptions options;
      options.checkpoint_path = folder / "seed.ckpt";
      Trainer trainer(made->data, kind.name, params_of(kind, 1), options);
      trainer.run([](const TrainingEvent&) {}, nullptr);
      TextWriter file;
      write_model(file, *trainer.model(REC_MODEL_BEST), true);
      made->models.emplace_back(file.text);
      const Buffer<char> checkpoint = read_file(options.checkpoint_path);
      made->donors.emplace_back(std::string(checkpoint.data(), checkpoint.size()));
      remove_if_there(options.checkpoint_path);
    }
    made->donors.insert(made->donors.end(), made->models.begin(), made->models.end());
    return made;
  }();
  return all;
}

IdList rows_of(const std::vector<int64_t>& rows) {
  return IdList({sizeof(rec_ids_t), REC_ID_ROW, rows.data(), nullptr, 0, nullptr, std::ssize(rows)}, "rows");
}

// A ranking of k rows: within the model, none twice, best first, nothing that is no number.
void check_ranking(std::span<const int64_t> rows, std::span<const float> scores, int64_t n_items) {
  std::set<int64_t> seen;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < REC_NO_ROW || rows[i] >= n_items) finding("a row that the model does not have");
    if (rows[i] == REC_NO_ROW) {
      if (scores[i] != -INFINITY) finding("padding with a score");
      continue;
    }
    if (!seen.insert(rows[i]).second) finding("a row twice in a ranking");
    if (std::isnan(scores[i])) finding("a score that is no number");
    if (i > 0 && (rows[i - 1] == REC_NO_ROW || scores[i - 1] < scores[i])) finding("a ranking that is not sorted");
  }
}

void ask(const Recommender& recommender) {
  const Model& model = recommender.model();
  const int64_t n_items = model.n_items(), k = 3;
  std::vector<int64_t> users{REC_NO_ROW}, items{REC_NO_ROW}, offsets{0}, times, history;
  for (int64_t i = 0; i < std::min<int64_t>(model.n_users(), 8); ++i) users.push_back(i);
  for (int64_t i = 0; i < std::min<int64_t>(n_items, 8); ++i) items.push_back(i);
  for (size_t i = 0; i < users.size(); ++i) {
    if (n_items > 0) history.push_back(static_cast<int64_t>(i) % n_items);
    offsets.push_back(std::ssize(history));
  }
  times.assign(history.size(), 500);
  const std::vector<int64_t> now(users.size(), 1000);
  std::vector<int64_t> rows(users.size() * k);
  std::vector<float> scores(users.size() * std::max<size_t>(k, items.size()));
  std::vector<rec_status_t> status(std::max(users.size(), items.size()));
  for (const bool with_history : {false, true}) {
    Request request;
    request.k = k;
    request.users = rows_of(users);
    request.times = now.data();
    if (with_history) {
      request.histories = rows_of(history);
      request.history_offsets = offsets.data();
      request.history_times = times.data();
    }
    attempt([&] {
      recommender.top_k(request, rows.data(), scores.data(), status.data());
      for (size_t u = 0; u < users.size(); ++u)
        check_ranking({&rows[u * k], static_cast<size_t>(k)}, {&scores[u * k], static_cast<size_t>(k)}, n_items);
    });
    request.has_candidates = true;
    request.candidates = rows_of(items);
    attempt([&] {
      recommender.score(request, scores.data(), status.data());
      for (size_t i = 0; i < users.size() * items.size(); ++i)
        if (std::isnan(scores[i])) finding("a candidate's score that is no number");
    });
  }
  const auto find_similar = [&](Entity entity, const std::vector<int64_t>& given, int64_t n) {
    rows.resize(given.size() * k);
    scores.resize(given.size() * k);
    attempt([&] {
      recommender.similar(entity, rows_of(given), {}, k, rows.data(), scores.data(), status.data());
      for (size_t i = 0; i < given.size(); ++i)
        check_ranking({&rows[i * k], static_cast<size_t>(k)}, {&scores[i * k], static_cast<size_t>(k)}, n);
    });
  };
  find_similar(Entity::kItem, items, n_items);
  find_similar(Entity::kUser, users, recommender.model().n_users());
}

void use(const std::shared_ptr<const Model>& model) {
  if (dump_json(describe_model(*model)).empty()) finding("no description");
  const Catalog& catalog = *model->catalog;
  for (int64_t i = 0; i < catalog.items.size(); ++i) {
    const int32_t row = catalog.items.type() == REC_ID_INT64 ? catalog.items.find(catalog.items.int64_at(i))
                                                             : catalog.items.find(catalog.items.bytes_at(i));
    if (row != i) finding("an id that does not lead back to its row");
    if (invalid_utf8(catalog.title(i))) finding("a title that is not UTF-8");
  }
  for (const bool exclude_seen : {false, true}) {
    RecommenderOptions options;
    options.exclude_seen = exclude_seen;
    options.n_callers = 1;
    attempt([&] { ask(Recommender(model, options)); });
  }
  attempt([&] {
    const Report report = evaluate(model, *seeds().data, Protocol(), parse_metrics("ndcg@3,gauc"), 1, nullptr);
    for (const double value : report.means)
      if (std::isinf(value)) finding("an infinite metric");
  });
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  rec::fuzz::seeds();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Input in(data, size);
  std::string bytes;
  if (in.one_in(32)) {
    bytes = in.rest();
  } else {
    Forgery file = seeds().models[in.below(seeds().models.size())];
    for (size_t n = 1 + in.below(4); n > 0; --n) change(in, file, seeds().donors);
    bytes = file.bytes(in);
    if (in.one_in(32)) bytes[in.below(bytes.size())] = static_cast<char>(in.byte());
  }
  std::shared_ptr<const rec::Model> model;
  attempt([&] { model = rec::load_model_bytes({bytes.data(), bytes.size()}, kMemoryLimit); });
  if (model != nullptr) use(model);
  return 0;
}
