// `recore rechorus`: main.py's command line as an experiment. It has no numbers of its own.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/output_file.h"
#include "cli/rechorus/log.h"
#include "cli/rechorus/predictions.h"

namespace rec::cli::rechorus {

namespace {

constexpr const char* kUsage =
    "usage: recore rechorus --model_name NAME [--model_mode '' | TopK | Impression | CTR] [--dataset NAME] [--path "
    "FOLDER/]\n"
    "                       [flags of ReChorus's main.py] [--dump_config FILE.yaml]";

Failure refused(const std::string& flag, const std::string& why) {
  return {REC_INVALID_ARGUMENT, "--" + flag + ": " + why, flag, {}, -1};
}

std::string mode_of(const Flags& flags) {
  const std::string& mode = flags.text("model_mode");
  constexpr std::string_view kModes[] = {"", "TopK", "Impression", "CTR"};
  if (std::ranges::find(kModes, mode) == std::end(kModes))
    throw refused("model_mode", "must be '', TopK, Impression or CTR, got '" + plain(mode) + "'");
  return mode == "TopK" ? "" : mode;
}

// Whether dev.csv and test.csv have lists of candidates; without them all items are ranked, as with --test_all.
bool has_candidates(const std::string& folder, const std::string& name) {
  for (const char* part : {"dev.csv", "test.csv"}) {
    std::ifstream file(folder + "/" + part);
    std::string header;
    if (!file || !std::getline(file, header) || header.find("neg_items") != std::string::npos) continue;
    std::fprintf(stderr, "recore: %s/%s has no neg_items, so %s is measured on all items\n", folder.c_str(), part,
                 name.c_str());
    return false;
  }
  return true;
}

std::vector<NamedMetric> metrics_of(const Flags& flags, const std::string& mode) {
  std::vector<std::string> names = by_comma(flags.text("metric"));
  for (std::string& name : names)
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (mode == "Impression") names = {"HR", "MAP", "NDCG"};
  if (names.empty()) throw refused("metric", "has no name");
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::vector<std::string> known = mode == "CTR" ? std::vector<std::string>{"ACC", "AUC", "F1_SCORE", "LOG_LOSS"}
                                                       : std::vector<std::string>{"HR", "MAP", "NDCG"};
  const auto ours = [](std::string name) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return "rechorus." + name;
  };
  std::vector<NamedMetric> metrics;
  for (const std::string& name : names)
    if (std::ranges::find(known, name) == known.end() || (mode.empty() && name == "MAP"))
      throw refused("metric",
                    "there is no metric '" + plain(name) + "' in this mode" +
                        (mode == "CTR" ? "; there are ACC, AUC, F1_SCORE, LOG_LOSS" : "; there are HR, NDCG"));
  if (mode == "CTR") {
    for (const std::string& name : names) metrics.push_back({name + "@All", ours(name)});
    return metrics;
  }
  for (const int64_t k : cutoffs(flags))
    for (const std::string& name : names)
      metrics.push_back({name + "@" + std::to_string(k), ours(name) + "@" + std::to_string(k)});
  return metrics;
}

// --main_metric, or the first of --metric at the first of --topk as typed.
std::string main_metric(const Flags& flags, const std::string& mode) {
  std::string name = flags.text("main_metric");
  const std::vector<std::string> names = by_comma(flags.text("metric")), ks = by_comma(flags.text("topk"));
  if (names.empty()) throw refused("metric", "has no name");
  if (mode != "CTR") cutoffs(flags);
  if (name.empty()) name = mode == "CTR" ? names.at(0) : names.at(0) + "@" + ks.at(0);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::string base = name.substr(0, name.find('@'));
  const auto k = mode == "CTR" ? std::optional<int64_t>(1)
                               : to_int64(std::string_view(name).substr(std::min(name.size(), base.size() + 1)));
  if (!k || *k < 1 || (mode == "CTR" && name != base))
    throw refused("main_metric", "must be a metric of --metric" +
                                     std::string(mode == "CTR" ? "" : " with its k, such as NDCG@5") + ", got '" +
                                     plain(flags.text("main_metric")) + "'");
  for (const std::string& given : names) {
    std::string lower = given;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (lower == base) return "rechorus." + name;
  }
  if (mode == "Impression" && (base == "hr" || base == "map" || base == "ndcg")) return "rechorus." + name;
  throw refused("main_metric",
                "'" + plain(flags.text("main_metric")) + "' is not one of --metric, " + flags.text("metric"));
}

// Model and mode, data, seed, rates and what else its file names say, as Python prints them.
std::string tag_of(const Flags& flags, const ModelName& model, const std::string& mode) {
  std::string tag = model.name + mode + "__" + flags.text("dataset") + "__" + flags.text("random_seed") +
                    "__lr=" + flags.text("lr") + "__l2=" + flags.text("l2");
  for (const std::string& name : model.tag) tag += "__" + name + "=" + flags.text(name);
  for (size_t at = 0; (at = tag.find(' ', at)) != std::string::npos; at += 2) tag.replace(at, 1, "__");
  return tag;
}

Json parameters(const Flags& flags, const ModelName& model, const std::string& mode, const CommonOptions& common) {
  Json p = Json::object();
  const auto take = [&](const char* parameter, const char* flag) { p[parameter] = flags.text(flag); };
  take("seed", "random_seed");
  if (common.threads > 0) p["threads"] = std::to_string(common.threads);
  if (model.plugin == "popularity") return p;
  take("epochs", "epoch");
  take("batch_size", "batch_size");
  take("lr", "lr");
  take("emb_size", "emb_size");
  p["patience"] = "0";  // its own rule ends training
  std::string optimizer = flags.text("optimizer");
  std::ranges::transform(optimizer, optimizer.begin(), [](unsigned char c) { return std::tolower(c); });
  if (optimizer != "adam" && optimizer != "sgd" && optimizer != "adagrad")
    throw refused("optimizer", "must be Adam, SGD or Adagrad, got '" + plain(flags.text("optimizer")) + "'");
  p["optimizer"] = optimizer;
  if (model.plugin != "autocf") take("l2", "l2");
  if (mode != "CTR" &&
      (flags.is_given("num_neg") || (model.name != "ANS" && model.name != "HRM" && model.name != "AutoCF")))
    take("num_neg", "num_neg");
  if (model.name == "BPRMF" || model.name == "LightGCN") p["loss"] = "bpr_multi";
  if (model.name == "LightGCN") take("n_layers", "n_layers"), p["reg_weight"] = "0";
  if (model.name == "NeuMF") take("layers", "layers"), take("dropout", "dropout");
  if (model.name == "GRU4Rec") {
    p["variant"] = "rechorus";
    p["layers"] = "[" + flags.text("hidden_size") + "]";
    take("history_max", "history_max");
  }
  if (model.name == "SLRCPlus") take("time_scalar", "time_scalar"), take("history_max", "history_max");
  if (model.name == "ANS") {
    take("n_layers", "n_layers"), take("eps", "ans_eps"), take("gamma", "ans_gamma");
    take("noise_scale", "noise_scale"), take("predict_mode", "predict_mode");
  }
  if (model.name == "AutoCF") {
    take("n_heads", "head"), take("gcn_layer", "gcn_layer"), take("gt_layer", "gt_layer"), take("seed_num", "seedNum");
    take("mask_depth", "maskDepth"), take("keep_rate", "keepRate"), take("fix_steps", "fixSteps");
    take("reg_weight", "reg"), take("ssl_reg", "ssl_reg");
  }
  if (model.name == "HRM") {
    take("pooling_items", "pooling_type_layer_1"), take("pooling_layers", "pooling_type_layer_2");
    take("temperature", "tau"), take("history_max", "history_max");
    if (flags.is_given("dropout")) take("dropout", "dropout");
  }
  if (mode == "Impression" && model.reads_lists) {
    p["task"] = "impression";
    take("list_loss", "loss_n");
    take("max_pos", "train_max_pos_item"), take("max_neg", "train_max_neg_item");
  }
  if (mode == "CTR") {
    p["task"] = "ctr";
    const std::string loss = flags.is_given("loss_n") ? flags.text("loss_n") : "BCE";
    if (loss != "BCE" && loss != "MSE")
      throw refused("loss_n", "must be BCE or MSE in this mode, got '" + plain(loss) + "'");
    p["label_loss"] = loss == "BCE" ? "bce" : "mse";
  }
  return p;
}

Experiment translate(const Flags& flags, const ModelName& model, const std::string& mode, const CommonOptions& common) {
  Experiment e;
  e.model = model.plugin;
  e.parameters = parameters(flags, model, mode, common);
  std::string path = flags.text("path");
  if (!path.empty() && !path.ends_with('/')) path += '/';
  e.data.path = path + flags.text("dataset");
  e.data.format = "rechorus";
  const std::string& sep = flags.text("sep");
  e.data.separator = sep == "\\t" ? "\t" : sep;
  if (mode == "Impression") e.data.impression_key = flags.text("impression_idkey");
  if (mode.empty()) {
    const bool all = flags.integer("test_all") != 0 || !has_candidates(e.data.path, model.name);
    e.protocol.protocol = all ? "full" : "given";
    e.protocol.rows = "event";
    e.protocol.ties = "against-target";
  } else if (mode == "Impression") {
    if (flags.integer("test_all") != 0) throw refused("test_all", "has no meaning for impression lists");
    e.protocol.rows = "list";
    for (const char* flag : {"test_max_pos_item", "test_max_neg_item"})
      if (flags.integer(flag) < 1) throw refused(flag, "must be at least 1, got " + flags.text(flag));
    e.protocol.max_pos = flags.integer("test_max_pos_item");
    e.protocol.max_neg = flags.integer("test_max_neg_item");
  } else {
    e.protocol.rows = "label";
  }
  e.main_metric = main_metric(flags, mode);
  const std::vector<NamedMetric> metrics = metrics_of(flags, mode);
  std::string names, at_main;
  const std::string cutoff = mode == "CTR" ? "" : e.main_metric.substr(e.main_metric.find('@'));
  for (const NamedMetric& metric : metrics) {
    names += (names.empty() ? "" : ",") + metric.ours;
    const std::string name = metric.ours.substr(0, metric.ours.find('@')) + cutoff;
    if (at_main.find(name) == std::string::npos) at_main += (at_main.empty() ? "" : ",") + name;
  }
  e.metrics = at_main;
  e.final_metrics = names;
  e.measures_untrained = model.plugin != "popularity";
  e.early_stop = {"rechorus", std::max<int64_t>(0, flags.integer("early_stop"))};
  e.out = flags.text("model_path");
  return e;
}

// A failure that names a setting of ours, with the flag that gave it.
Failure in_words_of_the_flags(Failure failure) {
  constexpr std::pair<std::string_view, const char*> kFlags[] = {{"max_pos", "train_max_pos_item"},
                                                                 {"max_neg", "train_max_neg_item"},
                                                                 {"layers", "hidden_size"},
                                                                 {"epochs", "epoch"},
                                                                 {"list_loss", "loss_n"},
                                                                 {"out", "model_path"},
                                                                 {"seed", "random_seed"},
                                                                 {"separator", "sep"},
                                                                 {"impression_key", "impression_idkey"},
                                                                 {"eps", "ans_eps"},
                                                                 {"gamma", "ans_gamma"},
                                                                 {"seed_num", "seedNum"},
                                                                 {"mask_depth", "maskDepth"},
                                                                 {"keep_rate", "keepRate"},
                                                                 {"fix_steps", "fixSteps"},
                                                                 {"n_heads", "head"},
                                                                 {"temperature", "tau"},
                                                                 {"reg_weight", "reg"}};
  for (const auto& [ours, flag] : kFlags)
    if (failure.argument == ours && failure.message.starts_with(std::string(ours) + ":"))
      failure.message = std::string("--") + flag + failure.message.substr(ours.size());
  return failure;
}

int run(const std::vector<std::string>& words, Context& context) {
  const Flags flags(words);
  const std::string mode = mode_of(flags);
  const ModelName& model = model_named(flags.text("model_name"));
  for (const std::string& word : flags.unknown)
    std::fprintf(stderr, "recore: %s has no meaning for %s and is left out\n", plain(word).c_str(),
                 (model.name + mode).c_str());
  Experiment e = translate(flags, model, mode, context.common);
  const std::string tag = tag_of(flags, model, mode), folder = model.name + mode;
  if (e.out.empty()) e.out = "../model/" + folder + "/" + tag + ".pt";
  const std::string log_path =
      flags.text("log_file").empty() ? "../log/" + folder + "/" + tag + ".txt" : flags.text("log_file");
  const bool loads = flags.integer("load") != 0 && model.plugin != "popularity";
  if (flags.integer("train") == 0 && model.plugin != "popularity") {
    if (!loads) throw refused("train", "0 needs --load 1: a model that is neither trained nor loaded has no results");
    e.train = false;
  } else if (loads) {
    e.warm_start = {e.out};
  }
  if (loads && !std::filesystem::exists(e.out))
    throw Failure{REC_NOT_FOUND, "--load: there is no file " + e.out, "load", e.out, -1};
  if (mode == "Impression" && !model.reads_lists)
    std::fprintf(stderr,
                 "recore: %s trains on the clicked rows, each with items that the user has not clicked; only the "
                 "evaluation reads the lists\n",
                 model.name.c_str());
  const bool saves_predictions = flags.integer("save_final_results") != 0;
  if (saves_predictions) e.protocol.keep_lists = predictions_per_row(mode, e.protocol.max_pos + e.protocol.max_neg);
  std::error_code none;
  std::filesystem::create_directories(std::filesystem::path(e.out).parent_path(), none);
  e.dump_config = flags.dump_config;
  const auto same = [&](const std::string& a, const std::string& b) {
    return !a.empty() && std::filesystem::weakly_canonical(a, none) == std::filesystem::weakly_canonical(b, none);
  };
  if (same(log_path, e.out)) throw refused("log_file", "and --model_path are the same file, " + e.out);
  if (same(e.dump_config, e.out) || same(e.dump_config, log_path))
    throw refused("dump_config", e.dump_config + " is another output's file");
  for (const char* part : {"train.csv", "dev.csv", "test.csv"}) {
    check_is_no_input("log_file", log_path, {e.data.path + "/" + part});
    if (const std::string path = e.data.path + "/" + part; !std::filesystem::exists(path, none))
      throw Failure{REC_NOT_FOUND, "--dataset: there is no file " + path, "dataset", path, -1};
  }

  std::vector<NamedMetric> printed = metrics_of(flags, mode);
  for (const std::string& name : by_comma(e.metrics)) {  // the main metric's cutoff need not be one of --topk
    const bool known = std::ranges::any_of(printed, [&](const NamedMetric& metric) { return metric.ours == name; });
    if (known) continue;
    std::string upper = name.substr(std::string("rechorus.").size());
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
    printed.push_back({upper, name});
  }
  Log log(log_path, printed);
  log.model_path() = e.out;
  log.line("Namespace(model_name='" + model.name + "', model_mode='" + mode + "')");
  log.rule("BEGIN");
  log.arguments(flags);
  log.line("Device: cpu");
  log.line("Reading data from \"" + flags.text("path") + "\", dataset = \"" + flags.text("dataset") + "\" ");
  if (model.plugin == "popularity") log.has_no_epochs();
  run_experiment(e, log, context);
  if (saves_predictions) log.write_predictions(folder, mode, e.data.separator.value_or("\t"));
  log.close();
  return 0;
}

}  // namespace
}  // namespace rec::cli::rechorus

namespace rec::cli {

void add_rechorus(Commands& commands) {
  commands.add_foreign("rechorus", "ReChorus's main.py: its flags, its folders, its log.",
                       "rechorus --model_name BPRMF --dataset Grocery_and_Gourmet_Food --path data/",
                       [](const std::vector<std::string>& words, Context& context) {
                         const auto asks = [&](const char* word) {
                           return std::ranges::find(words, word) != words.end();
                         };
                         if (words.empty() || asks("-h") || asks("--help")) {
                           std::printf("%s\n", rechorus::kUsage);
                           return 0;
                         }
                         return argparse::exit_code_of("rechorus", rechorus::kUsage, context, [&] {
                           try {
                             return rechorus::run(words, context);
                           } catch (const Failure& failure) {
                             throw rechorus::in_words_of_the_flags(failure);
                           }
                         });
                       });
}

}  // namespace rec::cli
