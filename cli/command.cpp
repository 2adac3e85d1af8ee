#include "cli/command.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace rec::cli {

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> command_names(const CLI::App& parent) {
  std::vector<std::string> names;
  for (const CLI::App* command : parent.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

const CLI::App* find_command(const CLI::App& parent, std::string_view word) {
  for (const CLI::App* command : parent.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_name() == word) return command;
  throw usage_error("command", "there is no '" + std::string(word) + "'" + suggestion(word, command_names(parent)));
}

void check_option(const CLI::App& command, const std::string& name) {
  if (command.get_option_no_throw(name) != nullptr) return;
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
  throw usage_error(name, command.get_display_name() + " has no such option" + suggestion(name, names));
}

}  // namespace

CLI::App& Commands::add(const std::string& name, const std::string& doc, const std::string& example,
                        std::function<int(Context&)> run, CLI::App* parent) {
  CLI::App& app = *(parent != nullptr ? parent : &root_)->add_subcommand(name, doc);
  app.footer("Example:\n  recore " + example);
  app.add_option("--seed", common_.seed, "Seed of every random choice")->type_name("N")->group("Every command");
  app.add_option("--threads", common_.threads, "Threads to work on; 0 = one for each core")
      ->type_name("N")
      ->check(CLI::Range(0, 256))
      ->group("Every command");
  app.add_flag("--quiet", common_.quiet, "Results and errors only")->group("Every command");
  app.add_flag("--verbose", common_.verbose, "The library's log too")->group("Every command");
  app.add_flag("--json", common_.json, "One JSON object per line, on stdout")->group("Every command");
  commands_.push_back({&app, std::move(run)});
  return app;
}

void Commands::add_foreign(const std::string& name, const std::string& doc, const std::string& example,
                           std::function<int(const std::vector<std::string>&, Context&)> run) {
  CLI::App& app = *root_.add_subcommand(name, doc);
  app.footer("Example:\n  recore " + example);
  app.set_help_flag();
  app.prefix_command();
  commands_.push_back({&app, [&app, run = std::move(run)](Context& context) { return run(app.remaining(), context); }});
}

CLI::App& Commands::add_group(const std::string& name, const std::string& doc) {
  CLI::App& app = *root_.add_subcommand(name, doc);
  app.require_subcommand(1);
  return app;
}

const Command& Commands::chosen() const {
  return *std::find_if(commands_.begin(), commands_.end(),
                       [](const Command& command) { return command.app->parsed(); });
}

void check_words(const CLI::App& root, std::span<char* const> words) {
  const CLI::App* command = &root;
  for (const std::string_view word : words) {
    const bool wants_command = command->get_require_subcommand_min() > 0;
    if (word == "--" || command->get_prefix_command()) return;
    if (word.size() > 2 && word.starts_with("--"))
      check_option(*command, std::string(word.substr(0, word.find('='))));
    else if (word.size() > 1 && word[0] == '-' && !to_int64(word))
      check_option(*command, std::string(word.substr(0, 2)));
    else if (wants_command && !word.starts_with('-'))
      command = find_command(*command, word);
    if (word == "--help" || word == "-h" || word == "--version") return;
  }
  if (command->get_require_subcommand_min() == 0) return;
  std::string all;
  for (const std::string& name : command_names(*command)) all += (all.empty() ? "" : ", ") + name;
  throw usage_error("command", "one is wanted of " + all + "; --help tells more");
}

std::string in_words_of_the_command(std::string message) {
  for (const std::string_view family : {"REC_ROWS_", "REC_CANDIDATES_", "REC_TIES_", "REC_HISTORY_", "REC_BAD_ROW_"})
    for (size_t at = 0; (at = message.find(family, at)) != std::string::npos;) {
      message.erase(at, family.size());
      for (; at < message.size() && ((message[at] >= 'A' && message[at] <= 'Z') || message[at] == '_'); ++at)
        message[at] = message[at] == '_' ? '-' : static_cast<char>(message[at] - 'A' + 'a');
    }
  constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
      {"user_column", "--user-column"},     {"item_column", "--item-column"},   {"time_column", "--time-column"},
      {"weight_column", "--weight-column"}, {"label_column", "--label-column"}, {"impression_key", "--impression-key"},
      {"time_format", "--time-format"},     {"min_weight", "--min-weight"},     {"max_bad_rows", "--max-bad-rows"},
      {"bad_rows", "--bad-rows"},           {"valid_path", "--valid"},          {"test_path", "--test"},
      {"journal_path", "--journal"},        {"n_trials", "--trials"},           {"min_epochs", "--min-epochs"}};
  // Not within another word, and not in quotes or a path: those are a column or a file.
  const auto ends_word = [&](size_t at) {
    if (at >= message.size()) return true;
    const auto c = static_cast<unsigned char>(message[at]);
    return std::isalnum(c) == 0 && std::string_view("_'/.-").find(message[at]) == std::string_view::npos;
  };
  for (const auto& [name, option] : kOptions)
    for (size_t at = 0; (at = message.find(name, at)) != std::string::npos; at += option.size())
      if ((at == 0 || ends_word(at - 1)) && ends_word(at + name.size())) message.replace(at, name.size(), option);
  return message;
}

int32_t pick(const std::string& argument, const std::string& given, std::span<const Choice> choices) {
  std::vector<std::string> names;
  for (const Choice& choice : choices) {
    if (choice.name == given) return choice.value;
    names.emplace_back(choice.name);
  }
  throw usage_error(argument, "there is no '" + given + "'" + suggestion(given, names));
}

std::string suggestion(std::string_view given, const std::vector<std::string>& names) {
  const std::string* nearest = nullptr;
  size_t least = std::max<size_t>(2, given.size() / 3) + 1;
  std::string all;
  for (const std::string& name : names) {
    const size_t distance = edit_distance(given, name);
    // A prefix of a name counts as one wrong letter.
    const size_t score = name.starts_with(given) && given.size() > 2 ? std::min<size_t>(distance, 1) : distance;
    if (score < least) {
      least = score;
      nearest = &name;
    }
    all += (all.empty() ? "" : ", ") + name;
  }
  if (nearest != nullptr) return ", did you mean '" + *nearest + "'?";
  return all.empty() ? "" : "; there are " + all;
}

Json read_params(const std::vector<std::string>& settings, const CommonOptions& common) {
  Json params = Json::object();
  const auto set = [&](const std::string& name, const std::string& value, const char* option) {
    if (params.contains(name) && params[name] != value)
      throw usage_error(option, name + " is given twice, as " + value_text(params[name]) + " and as " + value);
    params[name] = value;
  };
  for (const std::string& text : settings) {
    const size_t equal = text.find('=');
    if (equal == 0 || equal == std::string::npos) throw usage_error("set", "must be NAME=VALUE, got '" + text + "'");
    set(text.substr(0, equal), text.substr(equal + 1), "set");
  }
  if (common.seed) set("seed", std::to_string(*common.seed), "seed");
  if (common.threads > 0) set("threads", std::to_string(common.threads), "threads");
  return params;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<int64_t> to_int64(std::string_view text) {
  int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace rec::cli
