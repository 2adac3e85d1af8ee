#include "cli/rechorus/flags.h"

#include <algorithm>
#include <cmath>

namespace rec::cli::rechorus {

namespace {

struct Flag {
  const char* name;
  char type;  // i, f or s
  const char* usual;
  const char* of;  // models and modes that have it, "" = all
};
constexpr Flag kFlags[] = {
    {"model_name", 's', "BPRMF", ""},
    {"model_mode", 's', "", ""},
    {"gpu", 's', "0", ""},
    {"verbose", 'i', "20", ""},
    {"log_file", 's', "", ""},
    {"model_path", 's', "", ""},
    {"random_seed", 'i', "0", ""},
    {"load", 'i', "0", ""},
    {"train", 'i', "1", ""},
    {"save_final_results", 'i', "1", ""},
    {"regenerate", 'i', "0", ""},
    {"path", 's', "data/", ""},
    {"dataset", 's', "Grocery_and_Gourmet_Food", ""},
    {"sep", 's', "\t", ""},
    {"data_appendix", 's', "", ""},
    {"epoch", 'i', "200", ""},
    {"check_epoch", 'i', "1", ""},
    {"test_epoch", 'i', "-1", ""},
    {"early_stop", 'i', "10", ""},
    {"lr", 'f', "0.001", ""},
    {"l2", 'f', "0", ""},
    {"batch_size", 'i', "256", ""},
    {"eval_batch_size", 'i', "256", ""},
    {"optimizer", 's', "Adam", ""},
    {"num_workers", 'i', "5", ""},
    {"pin_memory", 'i', "0", ""},
    {"topk", 's', "5,10,20,50", ""},
    {"metric", 's', "NDCG,HR", ""},
    {"main_metric", 's', "", ""},
    {"buffer", 'i', "1", ""},
    {"num_neg", 'i', "1", ""},
    {"dropout", 'f', "0", ""},
    {"test_all", 'i', "0", ""},
    {"emb_size", 'i', "64", "BPRMF LightGCN NeuMF FPMC SLRCPlus GRU4Rec ANS AutoCF HRM"},
    {"history_max", 'i', "20", "FPMC SLRCPlus GRU4Rec HRM"},
    {"n_layers", 'i', "3", "LightGCN ANS"},
    {"layers", 's', "[64]", "NeuMF"},
    {"hidden_size", 'i', "64", "GRU4Rec"},
    {"time_scalar", 'i', "8640000", "SLRCPlus"},
    {"include_attr", 'i', "0", "SLRCPlus"},
    {"loss_n", 's', "BPR", "Impression CTR"},
    {"impression_idkey", 's', "time", "Impression"},
    {"train_max_pos_item", 'i', "20", "Impression"},
    {"train_max_neg_item", 'i', "20", "Impression"},
    {"test_max_pos_item", 'i', "20", "Impression"},
    {"test_max_neg_item", 'i', "20", "Impression"},
    {"ans_eps", 'f', "0.5", "ANS"},
    {"ans_gamma", 'f', "0.1", "ANS"},
    {"noise_scale", 'f', "0.1", "ANS"},
    {"predict_mode", 's', "hop_sum", "ANS"},
    {"head", 'i', "4", "AutoCF"},
    {"gcn_layer", 'i', "2", "AutoCF"},
    {"gt_layer", 'i', "1", "AutoCF"},
    {"seedNum", 'i', "500", "AutoCF"},
    {"maskDepth", 'i', "2", "AutoCF"},
    {"keepRate", 'f', "0.2", "AutoCF"},
    {"fixSteps", 'i', "10", "AutoCF"},
    {"reg", 'f', "1e-07", "AutoCF"},
    {"ssl_reg", 'f', "1.0", "AutoCF"},
    {"pooling_type_layer_1", 's', "max", "HRM"},
    {"pooling_type_layer_2", 's', "max", "HRM"},
    {"tau", 'f', "0.05", "HRM"},
};

std::string checked(const Flag& flag, const std::string& text) {
  const std::string name = std::string("--") + flag.name;
  if (flag.type == 's') return text;
  if (flag.type == 'i') {
    const auto number = argparse::to_int(text);
    if (!number) throw argparse::invalid_value(name, "int", text);
    return std::to_string(*number);
  }
  const auto number = argparse::to_float(text);
  if (!number) throw argparse::invalid_value(name, "float", text);
  if (!std::isfinite(*number))
    throw Failure{REC_INVALID_ARGUMENT, name + ": must be finite, got '" + plain(text) + "'", flag.name, {}, -1};
  return argparse::repr(*number);
}

bool is_of(const Flag& flag, const std::string& model, const std::string& mode) {
  const std::vector<std::string> all = split(flag.of, ' ');
  return all.empty() || std::ranges::find(all, model) != all.end() || std::ranges::find(all, mode) != all.end();
}

// The flag with this name, else the only flag whose name begins with it; nullptr when no flag does.
const Flag* find(const std::string& name, const std::string& model, const std::string& mode) {
  std::vector<std::string> names;
  for (const Flag& flag : kFlags)
    if (is_of(flag, model, mode)) names.push_back(std::string("--") + flag.name);
  const std::string* found = argparse::abbreviated("--" + name, names);
  return found == nullptr
             ? nullptr
             : std::ranges::find_if(kFlags, [&](const Flag& flag) { return *found == std::string("--") + flag.name; });
}

struct Word {
  std::string name;
  std::optional<std::string> value;
};

// "--flag value", "--flag=value"; what stands alone has no name.
std::vector<Word> read_words(const std::vector<std::string>& words) {
  std::vector<Word> read;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      read.push_back({"", words[i]});
      continue;
    }
    const size_t equal = words[i].find('=');
    Word word{words[i].substr(2, equal == std::string::npos ? equal : equal - 2), {}};
    const bool has_next = i + 1 < words.size() && !words[i + 1].starts_with("--");
    if (equal != std::string::npos)
      word.value = words[i].substr(equal + 1);
    else if (has_next)
      word.value = words[++i];
    read.push_back(word);
  }
  return read;
}

}  // namespace

const ModelName& model_named(const std::string& name) {
  static const std::vector<ModelName> kModels = {
      {"BPRMF", "bprmf", true, false, {"emb_size", "batch_size"}},
      {"LightGCN", "lightgcn", true, false, {"emb_size", "n_layers", "batch_size"}},
      {"NeuMF", "neumf", true, false, {"emb_size", "layers"}},
      {"FPMC", "fpmc", false, true, {"emb_size"}},
      {"SLRCPlus", "slrc_plus", false, true, {"emb_size"}},
      {"GRU4Rec", "gru4rec", false, true, {"emb_size", "hidden_size"}},
      {"POP", "popularity", false, false, {}},
      {"ANS", "ans", false, false, {"emb_size", "n_layers", "batch_size"}},
      {"AutoCF", "autocf", false, false, {"emb_size"}},
      {"HRM", "hrm", false, true, {"emb_size"}},
  };
  const std::string wanted = name == "SLRPlus" ? "SLRCPlus" : name;
  std::vector<std::string> names;
  for (const ModelName& model : kModels) {
    if (model.name == wanted) return model;
    names.push_back(model.name);
  }
  throw Failure{REC_INVALID_ARGUMENT,
                "--model_name: there is no model '" + plain(name) + "'" + suggestion(name, names),
                "model_name",
                {},
                -1};
}

Flags::Flags(const std::vector<std::string>& words) {
  const std::vector<Word> read = read_words(words);
  std::string model = "BPRMF", mode;
  for (const Word& word : read) {
    if (word.name.size() < 7 || !word.value) continue;  // --model_n and --model_m are short forms
    if (std::string_view("model_name").starts_with(word.name))
      model = *word.value == "SLRPlus" ? "SLRCPlus" : *word.value;
    if (std::string_view("model_mode").starts_with(word.name)) mode = *word.value;
  }
  for (const Flag& flag : kFlags)
    if (is_of(flag, model, mode)) values_[flag.name] = flag.usual;
  if (model == "ANS") values_["n_layers"] = "2";
  for (const Word& word : read) {
    if (word.name == "dump_config") {
      if (!word.value) throw argparse::UsageFailure{"argument --dump_config: expected one argument"};
      dump_config = *word.value;
      continue;
    }
    const Flag* flag = word.name.empty() ? nullptr : find(word.name, model, mode);
    if (flag == nullptr) {
      unknown.push_back(word.name.empty() ? word.value.value_or("--") : "--" + word.name);
      continue;
    }
    if (!word.value) throw argparse::UsageFailure{std::string("argument --") + flag->name + ": expected one argument"};
    values_[flag->name] = checked(*flag, *word.value);
    given_[flag->name] = true;
  }
  values_["model_name"] = model;
}

int64_t Flags::integer(const std::string& name) const { return *to_int64(text(name)); }

std::vector<std::string> by_comma(const std::string& text) {
  std::vector<std::string> parts;
  for (const std::string& part : split(text, ','))
    if (const size_t first = part.find_first_not_of(' '); first != std::string::npos)
      parts.push_back(part.substr(first, part.find_last_not_of(' ') + 1 - first));
  return parts;
}

std::vector<int64_t> cutoffs(const Flags& flags) {
  std::vector<int64_t> ks;
  for (const std::string& text : by_comma(flags.text("topk"))) {
    const auto k = to_int64(text);
    if (!k || *k < 1)
      throw Failure{REC_INVALID_ARGUMENT,
                    "--topk: must be whole numbers from 1 by comma, got '" + plain(text) + "'",
                    "topk",
                    {},
                    -1};
    ks.push_back(*k);
  }
  if (ks.empty()) throw Failure{REC_INVALID_ARGUMENT, "--topk: has no number", "topk", {}, -1};
  std::ranges::sort(ks);
  ks.erase(std::unique(ks.begin(), ks.end()), ks.end());
  return ks;
}

}  // namespace rec::cli::rechorus
