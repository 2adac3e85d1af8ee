// The recore command: the library from a shell. Of the library it includes only rec_c_api.h.
#include <unistd.h>

#include <cstdio>
#include <new>

#include "cli/command.h"
#include "cli/exit_codes.h"

namespace rec::cli {

namespace {

void log_to(int32_t, const char* message, void* output) { static_cast<Output*>(output)->log(message); }

bool has_word(std::span<char* const> words, std::string_view wanted) {
  for (const std::string_view word : words) {
    if (word == "--") return false;
    if (word == wanted) return true;
  }
  return false;
}

int run(std::span<char* const> words) {
  const bool json = has_word(words, "--json");
  Output output(json, has_word(words, "--quiet"));
  try {
    // Nothing else is written after this: a plain write, from the watching thread.
    Stop stop([json] {
      const Failure failure{REC_CANCELLED, "cancelled; nothing was saved", {}, {}, -1};
      const std::string text = (json ? dump(failure_event(failure)) : "recore: " + failure.message) + '\n';
      if (::write(json ? STDOUT_FILENO : STDERR_FILENO, text.data(), text.size()) < 0) return;
    });
    CLI::App app("Train, evaluate and serve recommenders.", "recore");
    app.set_version_flag("--version", rec_version_string());
    app.set_help_flag("-h,--help", "Print this help and exit");
    app.require_subcommand(1);
    app.footer("recore COMMAND --help tells more, with an example.");
    Commands commands(app);
    for (const auto add : {add_train, add_run, add_tune, add_rechorus, add_recbole, add_gru4rec, add_two_tower,
                           add_evaluate, add_compare, add_recommend, add_similar, add_info, add_export, add_data,
                           add_plugins, add_plugin_check, add_doctor})
      add(commands);
    check_words(app, words.subspan(1));
    try {
      app.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::Success& help) {
      return app.exit(help);
    } catch (const CLI::ParseError& error) {
      throw Failure{REC_INVALID_ARGUMENT, error.what(), {}, {}, -1};
    }
    const CommonOptions& common = commands.common();
    call(rec_log_set_sink, log_to, common.verbose ? REC_LOG_INFO : REC_LOG_WARNING, &output, nullptr);
    Context context{common, output, stop};
    const int code = commands.chosen().run(context);
    call(rec_log_poll, nullptr);
    return code;
  } catch (const Failure& failure) {
    rec_log_poll(nullptr, nullptr);
    output.failure(failure);
    return exit_code(failure.status);
  } catch (const std::bad_alloc&) {
    output.failure({REC_OUT_OF_MEMORY, "out of memory", {}, {}, -1});
    return kExitLimit;
  } catch (const std::exception& error) {
    output.failure({REC_INTERNAL, std::string("unexpected: ") + error.what(), {}, {}, -1});
    return kExitInternal;
  }
}

}  // namespace

}  // namespace rec::cli

int main(int argc, char** argv) {
  int code = rec::cli::run({argv, static_cast<size_t>(argc)});
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("recore: the output could not be written\n", stderr);
    if (code == 0) code = rec::cli::kExitIo;
  }
  // The sink's Output no longer exists: nothing may reach it while the process ends.
  rec_log_set_sink(nullptr, REC_LOG_ERROR, nullptr, nullptr, nullptr);
  return code;
}
