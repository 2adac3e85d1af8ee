// What every command shares: common options, suggestions for misspelt names, and what main needs to run it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "cli/stop.h"

namespace rec::cli {

// json_of(rec_plugin_list): the parsed result of a function that returns a rec_text_t of JSON.
template <class Function, class... Arguments>
Json json_of(Function function, Arguments&&... arguments) {
  return Json::parse(rec_text_data(make<Text>(function, std::forward<Arguments>(arguments)...).get()));
}

struct CommonOptions {
  std::optional<int64_t> seed;
  int64_t threads = 0;
  bool json = false, quiet = false, verbose = false;
};

struct Context {
  const CommonOptions& common;
  Output& output;
  Stop& stop;
};

struct Command {
  CLI::App* app;
  std::function<int(Context&)> run;
};

class Commands {
 public:
  explicit Commands(CLI::App& root) : root_(root) {}

  // example: what follows the program name; --help shows it, and a test runs it.
  CLI::App& add(const std::string& name, const std::string& doc, const std::string& example,
                std::function<int(Context&)> run, CLI::App* parent = nullptr);
  // A command with a grammar of its own: it gets its words as they are.
  void add_foreign(const std::string& name, const std::string& doc, const std::string& example,
                   std::function<int(const std::vector<std::string>&, Context&)> run);
  CLI::App& add_group(const std::string& name, const std::string& doc);

  const Command& chosen() const;
  const CommonOptions& common() const { return common_; }

 private:
  CLI::App& root_;
  CommonOptions common_;
  std::vector<Command> commands_;
};

void add_train(Commands& commands);
void add_run(Commands& commands);
void add_tune(Commands& commands);
void add_rechorus(Commands& commands);
void add_recbole(Commands& commands);
void add_gru4rec(Commands& commands);
void add_two_tower(Commands& commands);
void add_evaluate(Commands& commands);
void add_compare(Commands& commands);
void add_export(Commands& commands);
void add_recommend(Commands& commands);
void add_similar(Commands& commands);
void add_info(Commands& commands);
void add_data(Commands& commands);
void add_plugins(Commands& commands);
void add_plugin_check(Commands& commands);
void add_doctor(Commands& commands);

// Throws for the first word of the command line that is neither a command nor an option of its command.
void check_words(const CLI::App& root, std::span<char* const> words);

struct Choice {
  std::string_view name;
  int32_t value;
};
int32_t pick(const std::string& argument, const std::string& given, std::span<const Choice> choices);

// ", did you mean 'x'?" or, when nothing is close, "; there are x, y".
std::string suggestion(std::string_view given, const std::vector<std::string>& names);

// --set NAME=VALUE, --seed and --threads as JSON of strings: the library reads each as the type its parameter has.
Json read_params(const std::vector<std::string>& settings, const CommonOptions& common);

// The parts of "1,2"; an empty text has none.
std::vector<std::string> split(std::string_view text, char separator);
std::optional<int64_t> to_int64(std::string_view text);

}  // namespace rec::cli
