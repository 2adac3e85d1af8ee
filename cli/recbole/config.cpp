#include "cli/recbole/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace rec::cli::recbole {

namespace {

// Keys that change nothing here, and why.
constexpr std::pair<const char*, const char*> kNoEffect[] = {
    {"gpu_id", "the device is the parameter `device`"},
    {"use_gpu", "the device is the parameter `device`"},
    {"state", "see --verbose and --quiet"},
    {"show_progress", "see --quiet"},
    {"reproducibility", "runs are always repeatable"},
    {"save_dataset", "data are read again"},
    {"dataset_save_path", "data are read again"},
    {"save_dataloaders", "data are read again"},
    {"dataloaders_save_path", "data are read again"},
    {"log_wandb", "is not offered"},
    {"wandb_project", "is not offered"},
    {"worker", "threads are the parameter `threads`"},
    {"shuffle", "rows are always shuffled"},
    {"eval_batch_size", "has no effect on results"},
    {"transform", "has no effect on these models"},
    {"load_col", "all columns that are needed are read"},
    {"seq_separator", "is always a blank"},
    {"benchmark_filename", "parts are found by their files' names"},
    {"metric_decimal_place", "metrics are not rounded"},
    {"loss_decimal_place", "losses are not rounded"},
    {"normalize_all", "has no effect on these models"},
    {"encoding", "is always UTF-8"},
    {"MAX_ITEM_LIST_LENGTH", "has no effect on this model"},
    {"LABEL_FIELD", "is read in the mode labeled only"},
    {"topk", "belongs to ranking metrics"},
};

class Config {
 public:
  explicit Config(const std::vector<std::string>& words);

  // The value of a key, which is then no longer told as unknown; a null and `None` count as not given.
  YAML::Node take(const std::string& key) {
    taken_.insert(key);
    const auto found = values_.find(key);
    if (found == values_.end() || found->second.node.IsNull()) return YAML::Node(YAML::NodeType::Undefined);
    if (found->second.node.IsScalar() && found->second.node.Scalar() == "None")
      return YAML::Node(YAML::NodeType::Undefined);
    return found->second.node;
  }
  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key, const std::string& usual) {
    const YAML::Node node = take(key);
    if (!node.IsDefined()) return usual;
    if (!node.IsScalar()) throw bad(key, "must be a single value");
    return node.Scalar();
  }
  double number(const std::string& key, double usual) {
    const std::string given = text(key, "");
    if (given.empty()) return usual;
    char* end = nullptr;
    const double value = std::strtod(given.c_str(), &end);
    if (*end != '\0') throw bad(key, "must be a number, got '" + plain(given) + "'");
    return value;
  }
  int64_t integer(const std::string& key, int64_t usual) {
    const double value = number(key, static_cast<double>(usual));
    if (value != static_cast<double>(static_cast<int64_t>(value))) throw bad(key, "must be a whole number");
    return static_cast<int64_t>(value);
  }
  bool flag(const std::string& key, bool usual) {
    std::string given = text(key, usual ? "true" : "false");
    std::ranges::transform(given, given.begin(), [](unsigned char c) { return std::tolower(c); });
    if (given != "true" && given != "false") throw bad(key, "must be True or False, got '" + plain(given) + "'");
    return given == "true";
  }
  std::vector<std::string> list(const std::string& key, const std::vector<std::string>& usual) {
    const YAML::Node node = take(key);
    if (!node.IsDefined()) return usual;
    std::vector<std::string> values;
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) throw bad(key, "must be a list");
    for (const YAML::Node& element : node) {
      if (!element.IsScalar()) throw bad(key, "must be a list of single values");
      values.push_back(element.Scalar());
    }
    return values;
  }

  Failure bad(const std::string& key, const std::string& what) const {
    const auto found = values_.find(key);
    const bool of_file = found != values_.end() && found->second.line > 0;
    const std::string where = of_file ? found->second.file + ":" + std::to_string(found->second.line) + ": " : "";
    return {REC_INVALID_ARGUMENT, where + key + ": " + what, key, of_file ? found->second.file : "",
            of_file ? found->second.line : -1};
  }
  std::vector<std::string> left_out() const;

 private:
  struct Value {
    YAML::Node node;
    std::string file;
    int64_t line = -1;
  };
  void read_file(const std::string& path);

  std::map<std::string, Value> values_;
  std::set<std::string> taken_;
};

Config::Config(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> given;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t equal = word.find('=');
    const std::string name = word.substr(0, equal);
    const bool is_of_script =
        name == "--model" || name == "-m" || name == "--dataset" || name == "-d" || name == "--config_files";
    if (equal == std::string::npos && is_of_script && i + 1 < words.size()) {
      given.emplace_back(name == "-m" ? "model" : name == "-d" ? "dataset" : name.substr(2), words[++i]);
    } else if (word.starts_with("--") && equal != std::string::npos) {
      given.emplace_back(word.substr(2, equal - 2), word.substr(equal + 1));
    } else {
      throw usage_error(plain(word), "must be --key=value");
    }
  }
  for (const auto& [key, value] : given)
    if (key == "config_files")
      for (const std::string& path : cli::split(value, ' '))
        if (!path.empty()) read_file(path);
  for (const auto& [key, value] : given) {
    if (key == "config_files") continue;
    try {
      values_[key] = {YAML::Load(value), "", -1};
    } catch (const YAML::Exception&) {
      values_[key] = {YAML::Node(value), "", -1};
    }
  }
}

void Config::read_file(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none))
    throw Failure{REC_NOT_FOUND, "config_files: there is no file " + plain(path), "config_files", path, -1};
  try {
    const YAML::Node root = YAML::LoadFile(path);
    if (root.IsNull()) return;
    if (!root.IsMap())
      throw Failure{REC_INVALID_ARGUMENT, path + ": must be keys and values", "config_files", path, -1};
    for (const auto& pair : root) values_[pair.first.Scalar()] = {pair.second, path, pair.first.Mark().line + 1};
  } catch (const YAML::Exception& error) {
    throw Failure{REC_INVALID_ARGUMENT, path + ":" + std::to_string(error.mark.line + 1) + ": is no YAML: " + error.msg,
                  "config_files", path, error.mark.line + 1};
  }
}

std::vector<std::string> Config::left_out() const {
  std::vector<std::string> all;
  for (const auto& [key, value] : values_) {
    if (taken_.contains(key)) continue;
    const auto known = std::ranges::find_if(kNoEffect, [&](const auto& entry) { return entry.first == key; });
    all.push_back(key + ": " + (known != std::end(kNoEffect) ? known->second : "there is no such setting here"));
  }
  return all;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Rates as they were typed; a list as [a, b].
std::string list_text(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return "[" + text + "]";
}

// The parameters of a model that give what RecBole's gives.
void read_model(Config& c, const std::string& model, Experiment& e) {
  Json& p = e.parameters;
  const std::string size = c.text("embedding_size", "64");
  if (model == "BPR") {
    e.model = "bprmf";
    p["emb_size"] = size, p["loss"] = "bpr_log", p["init"] = "xavier_normal";
  } else if (model == "LightGCN") {
    e.model = "lightgcn";
    p["emb_size"] = size, p["loss"] = "bpr_log", p["adj_eps"] = "1e-7";
    p["n_layers"] = c.text("n_layers", "2"), p["reg_weight"] = c.text("reg_weight", "1e-05");
    p["reg_norm"] = c.flag("require_pow", false) ? "squared" : "plain";
  } else if (model == "NeuMF") {
    e.model = "neumf";
    p["emb_size"] = c.text("mf_embedding_size", "64"), p["mlp_emb_size"] = c.text("mlp_embedding_size", "64");
    p["layers"] = list_text(c.list("mlp_hidden_size", {"128", "64"})), p["dropout"] = c.text("dropout_prob", "0.1");
    p["dropout_at"] = "input", p["loss"] = "bce", p["predict_bias"] = "true", p["linear_init"] = "uniform";
    const bool mf = c.flag("mf_train", true), mlp = c.flag("mlp_train", true);
    if (!mf && !mlp) throw c.bad("mlp_train", "cannot be False where mf_train is");
    p["paths"] = mf && mlp ? "both" : mf ? "gmf" : "mlp";
  } else if (model == "FPMC") {
    e.model = "fpmc";
    p["emb_size"] = size, p["loss"] = "bpr_log", p["init"] = "xavier_normal";
  } else if (model == "GRU4Rec") {
    e.model = "gru4rec";
    const std::vector<std::string> layers(static_cast<size_t>(std::clamp<int64_t>(c.integer("num_layers", 1), 1, 64)),
                                          c.text("hidden_size", "128"));
    p["variant"] = "recbole", p["emb_size"] = size, p["layers"] = list_text(layers);
    p["dropout_embed"] = c.text("dropout_prob", "0.3"), p["history_max"] = c.text("MAX_ITEM_LIST_LENGTH", "50");
    p["loss"] = c.text("loss_type", "CE") == "CE" ? "softmax" : "bpr_log";
  } else if (model == "ItemKNN") {
    e.model = "itemknn";
    p["n_neighbors"] = c.text("k", "100"), p["shrink"] = c.text("shrink", "0");
    if (c.text("knn_method", "item") != "item") throw c.bad("knn_method", "only item is offered");
  } else if (model == "EASE") {
    e.model = "ease";
    p["lambda"] = c.text("reg_weight", "250");
  } else if (model == "Pop") {
    e.model = "popularity";
  } else {
    throw c.bad("model",
                "there is no model '" + plain(model) + "'" +
                    suggestion(model, {"BPR", "LightGCN", "NeuMF", "FPMC", "GRU4Rec", "ItemKNN", "EASE", "Pop"}));
  }
}

bool is_sequential(const std::string& model) { return model == "fpmc" || model == "gru4rec"; }
bool is_closed_form(const std::string& model) { return model == "itemknn" || model == "ease" || model == "popularity"; }

void read_training(Config& c, Experiment& e) {
  Json& p = e.parameters;
  p["seed"] = c.text("seed", "2020");
  const int64_t rows = c.integer("train_batch_size", 2048);
  if (rows < 1) throw c.bad("train_batch_size", "must be at least 1");
  const std::string epochs = c.text("epochs", "300"), lr = c.text("learning_rate", "0.001"),
                    decay = c.text("weight_decay", "0"), learner = lower(c.text("learner", "adam"));
  const int64_t step = c.integer("eval_step", 1), patience = c.integer("stopping_step", 10);
  const YAML::Node negatives = c.take("train_neg_sample_args");
  if (is_closed_form(e.model)) return;
  p["epochs"] = epochs, p["lr"] = lr;
  if (c.has("weight_decay")) p["l2"] = decay;
  if (learner != "adam" && learner != "sgd" && learner != "adagrad")
    throw c.bad("learner", "must be adam, sgd or adagrad, got '" + plain(learner) + "'");
  p["optimizer"] = learner;
  if (step < 1) throw c.bad("eval_step", "must be at least 1: epochs are judged by the valid part");
  p["eval_every"] = std::to_string(step);
  p["patience"] = std::to_string(patience + 1);  // it stops after more than stopping_step evaluations
  int64_t count = 1;
  if (negatives.IsDefined() && negatives.IsMap()) {
    if (negatives["sample_num"]) count = std::strtoll(negatives["sample_num"].Scalar().c_str(), nullptr, 10);
    if (count < 1 || count > 4096) throw c.bad("train_neg_sample_args", "sample_num must be 1 to 4096");
    if (negatives["distribution"] && negatives["distribution"].Scalar() == "popularity") {
      p["sampler"] = "popularity";
      p["sampler_alpha"] = negatives["alpha"] ? negatives["alpha"].Scalar() : "1.0";
    }
    if (negatives["dynamic"] && lower(negatives["dynamic"].Scalar()) == "true") {
      p["sampler"] = "dns";
      p["dns_candidates"] = negatives["candidate_num"] ? negatives["candidate_num"].Scalar() : "1";
    }
  }
  const bool all_items = e.model == "gru4rec" && p["loss"] == "softmax";
  if (count > 1) p["num_neg"] = std::to_string(count);
  // RecBole counts the rows of a batch after adding negatives: one for each negative, and for NeuMF each positive too.
  const int64_t share = all_items ? 1 : e.model == "neumf" ? count + 1 : count;
  p["batch_size"] = std::to_string(std::max<int64_t>(1, rows / share));
}

void read_data(Config& c, Experiment& e) {
  const std::string dataset = c.text("dataset", "");
  if (dataset.empty()) throw c.bad("dataset", "is not given");
  std::string folder = c.text("data_path", "dataset/");
  if (!folder.ends_with('/')) folder += '/';
  e.data.path = folder + dataset;
  e.data.format = "recbole";
  if (c.has("field_separator")) e.data.separator = c.text("field_separator", "\t");
  const auto column = [&](const char* key, std::optional<std::string>& name) {
    if (c.has(key)) name = c.text(key, "");
  };
  column("USER_ID_FIELD", e.data.user_column);
  column("ITEM_ID_FIELD", e.data.item_column);
  column("RATING_FIELD", e.data.weight_column);
  column("TIME_FIELD", e.data.time_column);
  const YAML::Node interval = c.take("val_interval");
  if (!interval.IsDefined()) return;
  const std::string rating = e.data.weight_column.value_or("rating");
  if (!interval.IsMap() || interval.size() != 1 || !interval[rating])
    throw c.bad("val_interval", "only an interval of the rating is offered");
  std::string text = interval[rating].Scalar();
  std::erase(text, ' ');
  char* end = nullptr;
  const double least = text.starts_with('[') ? std::strtod(text.c_str() + 1, &end) : 0;
  if (end == nullptr || std::string_view(end) != ",inf)")
    throw c.bad("val_interval", "only [x,inf) is offered, got '" + plain(text) + "'");
  e.data.min_weight = least;
}

void read_evaluation(Config& c, Experiment& e) {
  const bool sequential = is_sequential(e.model);
  e.data.split = sequential ? "leave-one-out" : "user";
  const YAML::Node args = c.take("eval_args");
  std::string mode = "full";
  if (args.IsDefined()) {
    if (!args.IsMap()) throw c.bad("eval_args", "must have split, group_by, order and mode");
    const YAML::Node split = args["split"];
    const std::string order = args["order"] ? args["order"].Scalar() : sequential ? "TO" : "RO";
    const bool by_user = !args["group_by"] || (args["group_by"].IsScalar() && args["group_by"].Scalar() == "user");
    if (split && split["LS"]) {
      if (split["LS"].Scalar() != "valid_and_test") throw c.bad("eval_args", "of LS only valid_and_test is offered");
      e.data.split = "leave-one-out";
    } else if (split && split["RS"]) {
      if (!split["RS"].IsSequence() || split["RS"].size() != 3) throw c.bad("eval_args", "RS must be three shares");
      if (order == "TO" && by_user)
        throw c.bad("eval_args",
                    "order TO with group_by user, each user's own rows by time, is not offered; with "
                    "group_by none all rows are split by time");
      e.data.split = order == "TO" ? "time" : by_user ? "user" : "interaction";
      e.data.ratio = split["RS"][0].Scalar() + ":" + split["RS"][1].Scalar() + ":" + split["RS"][2].Scalar();
    } else if (split) {
      throw c.bad("eval_args", "split must be RS or LS");
    }
    if (args["mode"] && args["mode"].IsMap())
      mode = args["mode"]["test"] ? args["mode"]["test"].Scalar() : "full";
    else if (args["mode"])
      mode = args["mode"].Scalar();
  }
  if (mode == "labeled")
    throw c.bad("eval_args", "the mode labeled is not offered here; see recore evaluate --rows label");
  e.protocol.protocol = mode;
  if (sequential) e.protocol.rows = "event";
  e.protocol.mask = c.flag("repeatable", sequential) ? "none" : "known";

  std::vector<std::string> names = c.list("metrics", {"Recall", "MRR", "NDCG", "Hit", "Precision"});
  const std::vector<std::string> ks = c.list("topk", {"10"});
  std::string all;
  for (const std::string& k : ks)
    for (const std::string& name : names) {
      const std::string known = lower(name);
      constexpr std::string_view kRanking[] = {"recall", "mrr", "ndcg", "hit", "precision", "map"};
      if (std::ranges::find(kRanking, known) == std::end(kRanking))
        throw c.bad("metrics",
                    "there is no '" + plain(name) + "' here; there are Recall, MRR, NDCG, Hit, Precision, MAP");
      all += (all.empty() ? "" : ",") + known + "@" + k;
    }
  e.final_metrics = all;
  e.main_metric = lower(c.text("valid_metric", "MRR@10"));
  e.metrics = all;
  if (("," + all + ",").find("," + e.main_metric + ",") == std::string::npos) e.metrics = e.main_metric + "," + all;
}

}  // namespace

Imported import_config(const std::vector<std::string>& words) {
  Config c(words);
  Imported imported;
  Experiment& e = imported.experiment;
  const std::string model = c.text("model", "");
  if (model.empty()) throw c.bad("model", "is not given");
  read_model(c, model, e);
  read_training(c, e);
  read_data(c, e);
  read_evaluation(c, e);
  std::string folder = c.text("checkpoint_dir", "saved");
  if (!folder.ends_with('/')) folder += '/';
  e.out = folder + model + "-" + c.text("dataset", "") + ".rec";
  imported.left_out = c.left_out();
  return imported;
}

}  // namespace rec::cli::recbole
