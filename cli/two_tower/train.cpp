// train_real: flags to one experiment, and the lines of its epochs.
#include <algorithm>

#include "cli/two_tower/two_tower.h"

namespace rec::cli::two_tower {

namespace {

// What ranks best on MovieLens 100K, see docs/migrating.md; the other rates are those of --optimizer alone.
constexpr const char* kOptimizer = "adam";
constexpr std::pair<std::string_view, const char*> kRates[] = {
    {"adam", "0.001"}, {"lazy_adam", "0.001"}, {"adagrad", "0.005"}, {"sgd", "0.1"}};

// The metric's own name, with round brackets as the original has them: recall@10(uni99).
std::string in_brackets(std::string name) {
  std::ranges::replace(name, '[', '(');
  std::ranges::replace(name, ']', ')');
  return name;
}

class Log : public Listener {
 public:
  bool can_resume() const override { return false; }
  void on_data(const SplitData& data) override {
    line(rows_line("train", data));
    line(rows_line("valid", data));
  }
  void on_epoch(const EpochResult& epoch) override {
    for (const NamedValue& metric : epoch.metrics)
      line("[epoch " + std::to_string(epoch.epoch) + "] valid " + in_brackets(metric.name) + " = " +
           fixed(metric.value, 4));
  }
  void on_saved(const TrainingSummary& summary) override { line("Saved to " + summary.out); }
};

Json parameters(const Call& call, Context& context) {
  Json p = Json::object();
  const bool has_graph = call.has("--use_gcn"), embeds = call.has("--user_embed");
  const bool has_categories = call.is_ours() ? embeds : !call.text("--q_side_cat_npy").empty();
  if (!call.is_ours() && has_graph && call.text("--item_adj_npy").empty())
    throw call.refused("--use_gcn", "needs --item_adj_npy: without neighbours there is nothing to convolve");
  if (has_graph && *argparse::to_int(call.text("--gcn_h")) != *argparse::to_int(call.text("--h1")))
    throw call.refused("--gcn_h", "must be " + call.spelt("--h1") + " (" + call.text("--h1") +
                                      "): the first layers of both towers have one width, got " + call.text("--gcn_h"));
  if (has_graph && call.has("--use_dcn_item"))
    context.output.note(call.spelt("--use_dcn_item") + " has no effect: the item tower is the graph's");
  p["query_tower"] = call.has("--use_dcn_query") ? "dcn" : "mlp";
  p["item_tower"] = has_graph ? "gcn" : call.has("--use_dcn_item") ? "dcn" : "mlp";
  p["user_features"] = has_categories ? "true" : "dense";
  p["item_features"] = "true";
  p["user_id"] = embeds ? "true" : "false";
  p["item_id"] = "false";
  p["correction"] = call.has("--no_bias_correction") ? "false" : "true";
  p["b_init"] = "100";
  const std::pair<const char*, const char*> kSame[] = {{"cross_layers", "--cross_layers"},
                                                       {"h1", "--h1"},
                                                       {"h2", "--h2"},
                                                       {"out_dim", "--out_dim"},
                                                       {"batch_size", "--batch_size"},
                                                       {"epochs", "--epochs"},
                                                       {"temperature", "--temperature"},
                                                       {"num_hard_negatives", "--hard_negatives"},
                                                       {"n_slots", "--freq_H"},
                                                       {"alpha", "--freq_alpha"}};
  for (const auto& [ours, flag] : kSame) p[ours] = call.text(flag);
  std::string optimizer = call.text("--optimizer"), rate = call.text("--lr");
  if (optimizer.empty()) optimizer = rate.empty() ? kOptimizer : "adagrad";
  if (rate.empty()) rate = std::ranges::find(kRates, optimizer, [](const auto& known) { return known.first; })->second;
  p["optimizer"] = optimizer;
  p["lr"] = rate;
  return p;
}

}  // namespace

int train(const Call& call) {
  Context& context = call.context;
  const Folder folder(call);
  Experiment e = experiment_on(folder, call.text("--seed"));
  e.parameters.update(parameters(call, context));
  rank_pairs(e);
  e.metrics = "recall@10";
  e.saves_last = true;
  e.out = call.is_ours() ? call.text("--out") : call.text("--save_path");
  e.dump_config = call.text("--dump_config");
  if (folder.is_linked() && !e.dump_config.empty())
    throw call.refused("--dump_config",
                       "needs the files in one folder, under the names q_feats.npy, q_idmap.csv, "
                       "i_feats.npy, i_idmap.csv, interactions.csv, q_side_cat.npy, item_adj.npy");
  folder.check_is_no_input(call.is_ours() ? "--out" : "--save_path", e.out, call);
  folder.check_is_no_input("--dump_config", e.dump_config, call);
  if (!call.is_ours())
    context.output.note(
        "unlike the original, hard negatives keep their scores, the correction follows the "
        "temperature, recall@10 is among 99 items that the query never has, and seed " +
        call.text("--seed") + ", " + value_text(e.parameters["optimizer"]) + " and lr " +
        value_text(e.parameters["lr"]) + " are used");
  Log log;
  try {
    run_experiment(e, log, context);
  } catch (const Failure& failure) {
    throw folder.in_given_words(failure);
  }
  return 0;
}

}  // namespace rec::cli::two_tower
