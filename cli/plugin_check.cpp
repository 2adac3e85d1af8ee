// `recore plugin check`: runs the checks in a process of their own, as a plugin may crash or never return.
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/plugin_checks.h"

extern char** environ;

namespace rec::cli {

namespace {

struct Options {
  std::string path;
  std::vector<std::string> set;
  int64_t seconds = 300;
  bool here = false;
};

// The process that runs the checks, and what it prints.
class Checker {
 public:
  explicit Checker(const std::vector<std::string>& words) {
    int ends[2];
    if (::pipe(ends) != 0) throw Failure{REC_IO, "cannot make a pipe", {}, {}, -1};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    // Without caches of threads, glibc counts what is in use to the byte.
    std::string tunables = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1";
    std::vector<char*> environment{tunables.data()};
    for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
    environment.push_back(nullptr);
    const int code = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
    if (code != 0) throw Failure{REC_IO, std::string("cannot start the checks: ") + std::strerror(code), {}, {}, -1};
  }
  ~Checker() {
    ::close(output_);
    if (pid_ > 0) end();
  }
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  enum class Next { kLine, kEnd, kLate };
  Next next(std::string& line, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto until = Clock::now() + std::chrono::duration<double>(seconds);
    for (size_t end; (end = text_.find('\n')) == std::string::npos;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      pollfd waited{output_, POLLIN, 0};
      const int ready = left > 0 ? ::poll(&waited, 1, static_cast<int>(std::min<int64_t>(left, 1000))) : 0;
      if (ready == 0 && left <= 0) return Next::kLate;
      if (ready <= 0) continue;
      char piece[4096];
      const ssize_t n = ::read(output_, piece, sizeof piece);
      if (n == 0) return Next::kEnd;
      if (n > 0) text_.append(piece, static_cast<size_t>(n));
    }
    line = text_.substr(0, text_.find('\n'));
    text_.erase(0, line.size() + 1);
    return Next::kLine;
  }

  // Kills it if it still runs, and says how it ended.
  std::string end(bool kill = true) {
    if (kill) ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return WIFSIGNALED(status)
               ? "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + sigdescr_np(WTERMSIG(status)) + ")"
               : "ended with exit status " + std::to_string(WEXITSTATUS(status));
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string text_;
};

std::vector<std::string> words_of(const Options& options, const CommonOptions& common) {
  std::vector<std::string> words{"recore", "plugin", "check", options.path, "--in-this-process", "--json"};
  for (const std::string& setting : options.set) words.insert(words.end(), {"--set", setting});
  if (common.seed) words.insert(words.end(), {"--seed", std::to_string(*common.seed)});
  if (common.threads > 0) words.insert(words.end(), {"--threads", std::to_string(common.threads)});
  return words;
}

int watch_checks(const Options& options, Context& context) {
  const Stop::Abandonable abandonable(context.stop);
  read_params(options.set, context.common);  // their form; the plugin knows their names
  if (::access(options.path.c_str(), F_OK) != 0)
    throw Failure{REC_NOT_FOUND, "there is no " + options.path, "file", options.path, -1};
  Checker checker(words_of(options, context.common));
  int64_t n_broken = 0;
  std::string current = "loads";
  const auto tell = [&](const Json& check) {
    const bool ok = check["state"] == "ok";
    n_broken += !ok;
    context.output.event(check);
    context.output.line(std::string(ok ? "ok      " : "BROKEN  ") + value_text(check["check"]) +
                        (ok ? "" : ": " + plain(value_text(check["found"]))));
  };
  std::string line;
  Checker::Next next;
  while ((next = checker.next(line, static_cast<double>(options.seconds))) == Checker::Next::kLine) {
    const Json event = Json::parse(line, nullptr, false);
    const std::string kind = event.is_object() ? value_text(event.value("event", Json(""))) : "";
    if (kind == "begin") {
      current = value_text(event["check"]);
    } else if (kind == "check") {
      tell(event);
    } else if (kind == "done") {
      context.output.event(event);
      return n_broken == 0 ? 0 : exit_code(REC_PLUGIN_FAILED);
    } else {
      context.output.note("the plugin printed: " + plain(line));
    }
  }
  const std::string why = next == Checker::Next::kLate
                              ? "did not finish within " + std::to_string(options.seconds) + " s and was killed"
                              : "the process " + checker.end(false);
  tell({{"event", "check"}, {"check", current}, {"state", "broken"}, {"found", why}});
  context.output.event({{"event", "done"}, {"command", "plugin check"}, {"model", Json()}, {"n_broken", n_broken}});
  return exit_code(REC_PLUGIN_FAILED);
}

}  // namespace

void add_plugin_check(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& group = commands.add_group("plugin", "For plugin authors.");
  CLI::App& app = commands.add(
      "check", "Tests on small data, in a process of its own, whether a plugin keeps its promises.",
      "plugin check ./librecore_mine.so --set emb_size=8",
      [options](Context& context) {
        if (!options->here) return watch_checks(*options, context);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        return check_plugin(options->path, options->set, context);
      },
      &group);
  app.add_option("file", options->path, "The plugin's file")->required()->type_name("FILE");
  app.add_option("--set", options->set, "A parameter; may be given several times")->type_name("NAME=VALUE");
  app.add_option("--seconds", options->seconds, "The longest time for one check; default 300")
      ->check(CLI::Range(int64_t{1}, int64_t{86400}));
  app.add_flag("--in-this-process", options->here)->group("");
}

}  // namespace rec::cli
