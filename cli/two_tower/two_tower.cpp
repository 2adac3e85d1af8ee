// `recore two-tower`: the scripts of the public two-tower reproduction. It has no numbers of its own.
#include "cli/two_tower/two_tower.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rec::cli::two_tower {

namespace fs = std::filesystem;

namespace {

const Flags kFiles = {
    {"--q_feats_npy", 's', nullptr, "features of the queries"},
    {"--q_idmap_csv", 's', nullptr, "their ids: id,row_idx"},
    {"--i_feats_npy", 's', nullptr, "features of the items"},
    {"--i_idmap_csv", 's', nullptr, "their ids: id,row_idx"},
    {"--inter_csv", 's', nullptr, "pairs: query_id,item_id"},
};
const Flags kData = {{"--data", 's', nullptr,
                      "folder with q_feats.npy, q_idmap.csv, i_feats.npy, i_idmap.csv and "
                      "interactions.csv, perhaps q_side_cat.npy and item_adj.npy"}};
const Flags kGraphFile = {{"--item_adj_npy", 's', "", "matrix of neighbouring items, for --use_gcn"}};
const Flags kSideFile = {{"--q_side_cat_npy", 's', "", "categories of the queries"}};

// The scripts' 20 hard negatives keep a model from learning what popularity has; without them it does.
Flags training(const char* hard_negatives) {
  return {
      {"--use_gcn", 'b', "", "item tower of two graph convolutions"},
      {"--gcn_h", 'i', "256", "units of the first one; must be --h1"},
      {"--use_dcn_query", 'b', "", "cross layers in the query tower"},
      {"--use_dcn_item", 'b', "", "and in the item tower, unless it is --use_gcn"},
      {"--cross_layers", 'i', "3", "how many"},
      {"--h1", 'i', "256", "units of the first hidden layer"},
      {"--h2", 'i', "128", "and of the second"},
      {"--out_dim", 'i', "64", "length of the vectors"},
      {"--batch_size", 'i', "256", "pairs of a step, each other's negatives"},
      {"--epochs", 'i', "2", "over the train part"},
      {"--lr", 'f', "", "learning rate, of adagrad unless --optimizer is given; adam 0.001 without both"},
      {"--temperature", 'f', "0.05", "divides the cosines"},
      {"--hard_negatives", 'i', hard_negatives, "largest negatives of a row that count; 0 = all"},
      {"--freq_H", 'i', "1000003", "slots of the frequency estimate"},
      {"--freq_alpha", 'f', "0.01", "its rate"},
      {"--no_bias_correction", 'b', "", "do not subtract the logarithm of the estimated frequency"},
      {"--optimizer", 's', "", "adagrad, adam, lazy_adam or sgd", "adagrad adam lazy_adam sgd", true},
      {"--user_embed", 'b', "", "an embedding of the query itself enters its tower, and its categories do", "", true},
      {"--dump_config", 's', "", "write the experiment, which `recore run` runs", "", true},
  };
}
const Flags kSeed = {{"--seed", 'i', "1", "of the split and of every random choice", "", true}};
const Flags kCpu = {{"--cpu", 'b', "", "has no effect: the models work on the CPU"}};
const Flags kOut = {{"--save_path", 's', "./data/sbcnm_real_ckpt.pt", "model file to write, a Recore model file"}};
const Flags kIndex = {{"--use_faiss", 'i', "0", "has no effect: items.npy is what an index is built from"},
                      {"--force_gcn", 'b', "", "has no effect: the model knows its towers"},
                      {"--gcn_h", 'i', "256", "has no effect"}};
const Flags kIndexFolder = {{"--out", 's', "", "folder for items.npy, ids.csv and model.rec", "", true}};
const Flags kBatch = {{"--batch_size", 'i', "512", "has no effect"}};
const Flags kBy = {
    {"--by", 's', "", "popularity: recall for items of each third of the pairs too", "popularity", true}};
const Flags kThree = {{"--baseline_ckpt", 's', nullptr, "model file"},
                      {"--userembed_ckpt", 's', nullptr, "model file"}};

const Script kScripts[] = {
    {"train_real", false, kFiles + kGraphFile + training("20") + kOut + kCpu + kSideFile + kSeed, train},
    {"export_index_real", false,
     Flags{{"--ckpt_path", 's', nullptr, "model file"}} + kFiles + kGraphFile + kIndex + kCpu + kIndexFolder,
     export_index},
    {"retrieval_bias_compare", false,
     kFiles +
         Flags{{"--dcn_bias_ckpt", 's', nullptr, "model file"}, {"--dcn_nobias_ckpt", 's', nullptr, "model file"}} +
         kSideFile + kBatch + kCpu + kBy,
     compare_bias},
    {"retrieval_three", false,
     kFiles + kSideFile + kThree + Flags{{"--gcn_ckpt", 's', nullptr, "model file"}} + kGraphFile + kBatch + kCpu + kBy,
     compare_three},
    {"retrieval_three_dcn", false,
     kFiles + kSideFile + kThree + Flags{{"--dcn_ckpt", 's', nullptr, "model file"}} + kBatch + kCpu + kBy,
     compare_three},
    {"train", true, kData + Flags{{"--out", 's', nullptr, "model file to write"}} + training("0") + kSeed, train},
    {"export", true,
     Flags{{"--model", 's', nullptr, "model file"},
           {"--out", 's', nullptr, "folder for items.npy, ids.csv, model.rec"}},
     export_index},
    {"retrieve", true,
     Flags{{"--model", 's', nullptr, "model file"},
           {"--query", 's', nullptr, "ids of queries", "", false, true},
           {"--k", 'i', "10", "items wanted"}},
     retrieve},
    {"compare", true, kData + Flags{{"--models", 's', nullptr, "model files", "", false, true}} + kBy, compare_models},
    {"prepare", true,
     Flags{{"--from", 's', nullptr, "movielens-100k", "movielens-100k"},
           {"--out", 's', nullptr, "folder to write"},
           {"--features", 's', "identity", "identity: as the original; rich: age, gender, occupation, genres, year",
            "identity rich"}},
     prepare, "FOLDER"},
};

std::string with_dashes(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string spelling(const Script& script, const std::string& name) {
  return script.is_ours ? with_dashes(name) : name;
}

std::string usage(const Script& script) {
  std::string text = "usage: recore two-tower " + std::string(script.name), row = " [-h]";
  const std::string indent(text.size(), ' ');
  for (const Flag& flag : script.flags) {
    std::string word = spelling(script, flag.name);
    if (flag.type != 'b') {
      std::string value = word.substr(2);
      std::ranges::transform(value, value.begin(), [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
      word += ' ' + value + (flag.is_list ? " ..." : "");
    }
    if (flag.standard != nullptr) word = '[' + word + ']';
    if (row.size() + word.size() > 90) text += std::exchange(row, "") + '\n' + indent;
    row += ' ' + word;
  }
  return text + row + (*script.positional == '\0' ? "" : std::string(" ") + script.positional);
}

std::string help(const Script& script) {
  std::string text = usage(script) + "\n\n";
  for (const Flag& flag : script.flags) {
    std::string name = spelling(script, flag.name);
    name.resize(std::max<size_t>(name.size() + 1, 24), ' ');
    const bool shown = flag.standard != nullptr && *flag.standard != '\0';
    text += name + flag.doc + (shown ? " [" + std::string(flag.standard) + ']' : "") + '\n';
  }
  return text;
}

// "scripts.train_real", as after `python -m`, is train_real.
const Script* find_script(std::string name) {
  if (name.starts_with("scripts.")) name.erase(0, 8);
  const auto found = std::ranges::find_if(kScripts, [&](const Script& script) { return script.name == name; });
  return found == std::end(kScripts) ? nullptr : found;
}

std::string all_usage() {
  std::string names;
  for (const Script& script : kScripts) names += (names.empty() ? "" : " | ") + std::string(script.name);
  return "usage: recore two-tower " + names + "\n       each with its flags; --help tells them";
}

int run(std::vector<std::string> words, Context& context) {
  if (!words.empty() && words.front() == "-m") words.erase(words.begin());
  if (!words.empty() && (words.front() == "--help" || words.front() == "-h")) {
    line(all_usage());
    return 0;
  }
  const Script* const script = words.empty() ? nullptr : find_script(words.front());
  if (script == nullptr)
    return argparse::exit_code_of("two-tower", all_usage().c_str(), context, [&]() -> int {
      std::vector<std::string> names;
      for (const Script& known : kScripts) names.emplace_back(known.name);
      if (words.empty()) throw argparse::UsageFailure{"the following arguments are required: SCRIPT"};
      throw argparse::UsageFailure{"there is no '" + plain(words.front()) + "'" + suggestion(words.front(), names)};
    });
  std::vector<std::string> names = {"--help"};  // before the options point at them
  for (const Flag& flag : script->flags) names.push_back(spelling(*script, flag.name));
  std::vector<argparse::Option> options = {{"-h", names[0].c_str(), 'b'}};
  for (size_t i = 0; i < script->flags.size(); ++i) {
    const Flag& flag = script->flags[i];
    options.push_back(
        {"", names[i + 1].c_str(), flag.type, flag.is_list, flag.choices, flag.is_ours, flag.standard == nullptr});
  }
  const std::string command = std::string("two-tower ") + script->name;
  return argparse::exit_code_of(command.c_str(), usage(*script).c_str(), context, [&] {
    const std::vector<std::string> wanted(*script->positional == '\0' ? 0 : 1, script->positional);
    const argparse::Arguments given = argparse::parse(options, wanted, {words.begin() + 1, words.end()});
    if (given.has("--help")) {
      std::fputs(help(*script).c_str(), stdout);
      return 0;
    }
    const Call call(*script, given, context);
    try {
      return script->run(call);
    } catch (const Failure& failure) {
      throw call.in_own_words(failure);
    }
  });
}

}  // namespace

Flags operator+(Flags a, const Flags& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool Call::has(const std::string& name) const { return given_.has(spelt(name)); }

std::string Call::spelt(const std::string& name) const { return spelling(script_, name); }

std::vector<std::string> Call::list(const std::string& name) const {
  if (has(name)) return given_.options.at(spelt(name));
  const auto flag = std::ranges::find_if(script_.flags, [&](const Flag& known) { return known.name == name; });
  return {flag == script_.flags.end() ? "" : flag->standard};
}

Failure Call::refused(const std::string& name, const std::string& why) const { return usage_error(spelt(name), why); }

Failure Call::in_own_words(Failure failure) const {
  const std::pair<std::string_view, const char*> kNames[] = {{"out", script_.is_ours ? "--out" : "--save_path"},
                                                             {"dump-config", "--dump_config"},
                                                             {"checkpoint", script_.is_ours ? "--out" : "--save_path"},
                                                             {"num_hard_negatives", "--hard_negatives"},
                                                             {"alpha", "--freq_alpha"},
                                                             {"n_slots", "--freq_H"}};
  for (const auto& [ours, flag] : kNames)
    if (failure.message.starts_with(std::string(ours) + ":")) {
      failure.message = spelt(flag) + failure.message.substr(ours.size());
      return failure;
    }
  for (const Flag& flag : script_.flags)
    if (failure.message.starts_with(std::string(flag.name).substr(2) + ":")) {
      failure.message = spelt(flag.name) + failure.message.substr(std::string_view(flag.name).size() - 2);
      return failure;
    }
  return failure;
}

Folder::Folder(const Call& call) {
  const auto check = [](const std::string& flag, const std::string& path) {
    std::error_code none;
    if (!fs::exists(path, none))
      throw Failure{REC_NOT_FOUND, flag + ": there is no file " + plain(path), flag, path, -1};
    if (fs::is_directory(path, none)) throw usage_error(flag, plain(path) + " is a folder");
  };
  if (call.is_ours()) {
    path_ = call.text("--data");
    return;
  }
  const std::pair<const char*, const char*> kNames[] = {
      {"--q_feats_npy", "q_feats.npy"},  {"--q_idmap_csv", "q_idmap.csv"},    {"--i_feats_npy", "i_feats.npy"},
      {"--i_idmap_csv", "i_idmap.csv"},  {"--inter_csv", "interactions.csv"}, {"--q_side_cat_npy", "q_side_cat.npy"},
      {"--item_adj_npy", "item_adj.npy"}};
  for (const auto& [flag, usual] : kNames) {
    if (!call.has(flag) || call.text(flag).empty()) continue;
    check(flag, call.text(flag));
    files_.push_back({usual, call.text(flag)});
    if (files_.back().given.ends_with(".gz")) files_.back().usual += ".gz";
  }
  const fs::path parent = fs::path(files_.front().given).parent_path();
  path_ = parent.empty() ? "." : parent.string();
  std::error_code none;
  if (std::ranges::all_of(files_, [&](const File& file) {
        return fs::path(file.given).filename() == file.usual &&
               fs::path(file.given).parent_path().lexically_normal() == parent.lexically_normal();
      }))
    return;
  std::string made = (fs::temp_directory_path() / "recore-two-tower-XXXXXX").string();
  if (::mkdtemp(made.data()) == nullptr)
    throw Failure{REC_IO, "cannot make a folder in " + fs::temp_directory_path().string() + " to link the files from",
                  "", made, -1};
  path_ = links_ = made;
  for (const File& file : files_) fs::create_symlink(fs::absolute(file.given), fs::path(links_) / file.usual);
}

Folder::~Folder() {
  std::error_code none;
  if (is_linked()) fs::remove_all(links_, none);
}

void Folder::check_is_no_input(const std::string& flag, const std::string& output, const Call& call) const {
  std::error_code none;
  std::vector<std::string> inputs;
  for (const File& file : files_) inputs.push_back(file.given);
  for (const char* usual : {"q_feats.npy", "q_idmap.csv", "i_feats.npy", "i_idmap.csv", "interactions.csv",
                            "q_side_cat.npy", "item_adj.npy"})
    inputs.push_back(path_ + '/' + usual);
  for (const std::string& input : inputs)
    if (!output.empty() && fs::equivalent(output, input, none))
      throw call.refused(flag, plain(output) + " is a file that is read");
}

Failure Folder::in_given_words(Failure failure) const {
  const auto replace = [&](const std::string& link, const std::string& given) {
    for (std::string* text : {&failure.message, &failure.file})
      for (size_t at = 0; (at = text->find(link, at)) != std::string::npos; at += given.size())
        text->replace(at, link.size(), given);
  };
  if (!is_linked()) return failure;
  for (const File& file : files_) replace(path_ + '/' + file.usual, file.given);
  for (const File& file : files_)  // what is said of the folder is of its pairs
    if (file.usual.starts_with("interactions")) replace(path_, file.given);
  return failure;
}

Experiment experiment_on(const Folder& folder, const std::string& seed) {
  Experiment e;
  e.model = "two_tower";
  e.parameters["seed"] = seed;
  e.data.path = folder.path();
  e.data.format = "two_tower";
  e.data.split = "interaction";
  return e;
}

void rank_pairs(Experiment& experiment) {
  experiment.protocol.protocol = "uni99";
  experiment.protocol.rows = "event";
  experiment.protocol.mask = "none";
}

Json card_of(const std::string& flag, const std::string& path, const Call& call) {
  std::error_code none;
  if (!fs::exists(path, none))
    throw Failure{REC_NOT_FOUND, call.spelt(flag) + ": there is no file " + plain(path), flag, path, -1};
  char begin[2] = {};
  std::ifstream(path, std::ios::binary).read(begin, sizeof begin);
  if (std::string_view(begin, 2) == "PK" || begin[0] == '\x80')
    throw call.refused(flag, plain(path) +
                                 " is a checkpoint of PyTorch, which is code; expected a model file of "
                                 "Recore, as `recore two-tower train_real` saves it");
  const rec_run_options_t run = call.context.stop.run();
  return describe(make<Model>(rec_model_load, path.c_str(), nullptr, &run));
}

void line(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

std::string rows_line(const char* part, const SplitData& data) {
  return std::string("✅ RealTwoTowerDataset[") + part +
         "] 样本数: " + value_text(data.description[std::string("n_") + part]);
}

}  // namespace rec::cli::two_tower

namespace rec::cli {

void add_two_tower(Commands& commands) {
  commands.add_foreign(
      "two-tower", "The scripts of the public two-tower reproduction: their flags, files and lines.",
      "two-tower train --data folder --out m.rec",
      [](const std::vector<std::string>& words, Context& context) { return two_tower::run(words, context); });
}

}  // namespace rec::cli
