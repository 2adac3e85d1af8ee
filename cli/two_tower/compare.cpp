// retrieval_bias_compare and retrieval_three: saved models on the valid part, and their differences.
#include <algorithm>
#include <array>
#include <cmath>

#include "cli/data_rows.h"
#include "cli/two_tower/two_tower.h"

namespace rec::cli::two_tower {

namespace {

constexpr int64_t kCutoffs[] = {5, 10, 50};
constexpr const char* kBuckets[] = {"head", "middle", "tail"};

struct Measured {
  std::string title;
  std::vector<std::pair<std::string, double>> values;  // as printed: Recall@5, ...
};

std::string cutoff(const char* name, int64_t k) { return name + ('@' + std::to_string(k)); }

std::string metric_names() {
  std::string names;
  for (const char* name : {"recall", "ndcg"})
    for (const int64_t k : kCutoffs) names += cutoff(name, k) + ',';
  return names + "gauc";  // of one positive: the share of its candidates below it
}

// Takes the last evaluation of the valid part.
class Taker : public Listener {
 public:
  explicit Taker(std::function<void(const SplitData&)> on_data = {}) : on_data_(std::move(on_data)) {}
  void on_data(const SplitData& data) override {
    if (on_data_) on_data_(data);
  }
  void on_measured(Moment, const std::string& part, const Evaluation& evaluation, const rec_protocol_t&) override {
    if (part == "valid") valid = evaluation;
  }
  Evaluation valid;

 private:
  std::function<void(const SplitData&)> on_data_;
};

// Which third of the valid pairs each one belongs to, by how often its item was in training.
struct Buckets {
  std::vector<size_t> of_row;
  std::array<std::string, 3> items;  // "items of 112 and more pairs, 2747 pairs"
};

Buckets buckets_by_popularity(const EvaluationRows& rows, const std::vector<int64_t>& of_item) {
  std::vector<int64_t> count, sorted;
  for (int64_t row = 0; row < rows.n(); ++row) count.push_back(of_item[rows.interaction(row)]);
  sorted = count;
  std::ranges::sort(sorted, std::greater());
  const auto least_of = [&](size_t third) { return sorted[std::max<size_t>(sorted.size() * third / 3, 1) - 1]; };
  const int64_t least[] = {least_of(1), least_of(2), sorted.back()};
  Buckets buckets;
  for (const int64_t n : count) buckets.of_row.push_back(n >= least[0] ? 0 : n >= least[1] ? 1 : 2);
  for (size_t b = 0; b < 3; ++b)
    buckets.items[b] = "items of " + std::to_string(least[b]) +
                       (b == 0 ? " and more" : " to " + std::to_string(std::max(least[b], least[b - 1] - 1))) +
                       " pairs in training, " + std::to_string(std::ranges::count(buckets.of_row, b)) + " pairs";
  return buckets;
}

void add_metrics(const Evaluation& evaluation, Measured& measured) {
  auto value = evaluation.metrics.begin();
  for (const char* name : {"Recall", "NDCG"})
    for (const int64_t k : kCutoffs) measured.values.emplace_back(cutoff(name, k), value++->value);
  measured.values.emplace_back("AUC", value->value);
}

// The mean recall of each bucket's rows; recall comes first among the metrics.
void add_buckets(const Evaluation& evaluation, const Buckets& buckets, Measured& measured) {
  const size_t n = buckets.of_row.size();
  for (size_t b = 0; b < 3; ++b)
    for (size_t m = 0; m < std::size(kCutoffs); ++m) {
      double sum = 0, count = 0;
      for (size_t row = 0; row < n; ++row)
        if (buckets.of_row[row] == b) sum += evaluation.rows->value(m, static_cast<int64_t>(row)), ++count;
      measured.values.emplace_back(cutoff("Recall", kCutoffs[m]) + ' ' + kBuckets[b], sum / count);
    }
}

struct Compared {
  std::string title, flag, path;
};

// Prints each model's metrics; the caller has the first line of each.
std::vector<Measured> measure(const std::vector<Compared>& models, const Call& call) {
  Context& context = call.context;
  std::vector<Json> cards;
  for (const Compared& model : models) cards.push_back(card_of(model.flag, model.path, call));
  const std::string seed = value_text(cards.front()["seed"]);
  for (size_t i = 1; i < models.size(); ++i)
    if (value_text(cards[i]["seed"]) != seed)
      throw call.refused(models[i].flag, plain(models[i].path) + " was trained with seed " +
                                             value_text(cards[i]["seed"]) + ", expected " + seed + " as " +
                                             plain(models.front().path) +
                                             ": each seed has a valid part of its own, of which the other has "
                                             "trained on pairs");
  const Folder folder(call);
  std::vector<Measured> all;
  try {
    std::optional<Buckets> buckets;
    std::vector<int64_t> of_item;  // pairs in training of each pair's item
    for (size_t i = 0; i < models.size(); ++i) {
      Experiment e = experiment_on(folder, seed);
      rank_pairs(e);
      e.model = value_text(cards[i]["model"]);
      e.train = false;
      e.out = models[i].path;
      e.final_metrics = metric_names();
      line("== Evaluate " + models[i].title + " ==");
      Taker taker([&](const SplitData& data) {
        if (!call.text("--by").empty()) of_item = data_rows(data.dataset).of_item;
        for (int n = call.is_ours() ? 1 : 2; n > 0; --n) line(rows_line("valid", data));
        if (data.description["n_train"] != cards[i]["n_train"])
          context.output.note("warning: " + plain(models[i].path) + " was trained on " +
                              value_text(cards[i]["n_train"]) + " pairs, and the train part of these data has " +
                              value_text(data.description["n_train"]) +
                              "; the valid part may hold pairs that it was trained on");
      });
      try {
        run_experiment(e, taker, context);
      } catch (Failure& failure) {
        if (failure.argument == "out") failure.message.replace(0, 3, call.spelt(models[i].flag));
        throw;
      }
      if (taker.valid.metrics.empty())
        throw Failure{REC_INVALID_DATA, plain(folder.path()) + ": the valid part has no pairs", "", folder.path(), -1};
      if (!of_item.empty() && !buckets) {
        buckets = buckets_by_popularity(*taker.valid.rows, of_item);
        for (size_t b = 0; b < 3; ++b) line(std::string(kBuckets[b]) + ": " + buckets->items[b]);
      }
      all.push_back({models[i].title, {}});
      add_metrics(taker.valid, all.back());
      if (buckets) add_buckets(taker.valid, *buckets, all.back());
      for (const auto& [name, value] : all.back().values) line(name + ": " + fixed(value, 4));
      line("");
    }
  } catch (const Failure& failure) {
    throw folder.in_given_words(failure);
  }
  if (!call.is_ours())
    context.output.note(
        "unlike the original, a pair's 99 items are distinct, none is of its query in any part, and "
        "the same seed draws the same ones for each model");
  return all;
}

void tell_difference(const std::string& title, const Measured& a, const Measured& b) {
  line("== Δ (" + title + ") ==");
  for (size_t i = 0; i < a.values.size(); ++i) {
    const double difference = a.values[i].second - b.values[i].second;
    line(a.values[i].first + ": " + (std::signbit(difference) ? "" : "+") + fixed(difference, 4));
  }
}

}  // namespace

int compare_bias(const Call& call) {
  const std::vector<Measured> all =
      measure({{"DCN (Bias Correction) Version", "--dcn_bias_ckpt", call.text("--dcn_bias_ckpt")},
               {"DCN (No Bias Correction) Version", "--dcn_nobias_ckpt", call.text("--dcn_nobias_ckpt")}},
              call);
  tell_difference("DCN with Bias Correction - DCN without Bias Correction", all[0], all[1]);
  return 0;
}

int compare_three(const Call& call) {
  const bool with_graph = call.has("--gcn_ckpt");
  const std::string third = with_graph ? "--gcn_ckpt" : "--dcn_ckpt", name = with_graph ? "GCN" : "DCN";
  const std::vector<Measured> all =
      measure({{"Baseline Version", "--baseline_ckpt", call.text("--baseline_ckpt")},
               {"User Embedding Version", "--userembed_ckpt", call.text("--userembed_ckpt")},
               {name + " Version", third, call.text(third)}},
              call);
  tell_difference("User Embedding - Baseline", all[1], all[0]);
  line("");
  tell_difference(name + " - Baseline", all[2], all[0]);
  return 0;
}

int compare_models(const Call& call) {
  std::vector<Compared> models;
  for (const std::string& path : call.list("--models")) models.push_back({plain(path), "--models", path});
  const std::vector<Measured> all = measure(models, call);
  for (size_t i = 1; i < all.size(); ++i) {
    if (i > 1) line("");
    tell_difference(all[0].title + " - " + all[i].title, all[0], all[i]);
  }
  return 0;
}

}  // namespace rec::cli::two_tower
