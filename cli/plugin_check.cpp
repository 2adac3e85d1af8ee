// `recore plugin check`: runs the checks in a process of their own, as a plugin may crash or never return.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

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

// A folder for what the checks write, removed with what a killed process has left in it.
class Scratch {
 public:
  Scratch() {
    std::string path = (std::filesystem::temp_directory_path() / "recore-check-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw Failure{REC_IO, "cannot make a folder " + path, {}, path, -1};
    path_ = path;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  std::string printed_path() const { return path_ + "/printed"; }

 private:
  std::string path_;
};

// The process that runs the checks, and the events that it writes to kEventsDescriptor. What the plugin prints goes to a
// file of the scratch folder.
class Checker {
 public:
  using Clock = std::chrono::steady_clock;

  Checker(const std::vector<std::string>& words, const Scratch& scratch) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure{REC_IO, "cannot make a pipe", {}, {}, -1};
    events_ = ends[0];
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    // Without caches of threads, glibc counts what is in use to the byte.
    std::string settings[] = {"GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1",
                              "TMPDIR=" + scratch.path()};
    std::vector<char*> environment;
    for (std::string& setting : settings) environment.push_back(setting.data());
    for (char** entry = environ; *entry != nullptr; ++entry)
      if (!std::string_view(*entry).starts_with("TMPDIR=")) environment.push_back(*entry);
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, ends[1], kEventsDescriptor);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, scratch.printed_path().c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // with what the plugin starts
    const int code =
        ::posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(ends[1]);
    if (code != 0) throw Failure{REC_IO, std::string("cannot start the checks: ") + std::strerror(code), {}, {}, -1};
  }
  ~Checker() {
    if (pid_ > 0) end(Clock::now());
    ::close(events_);
  }
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  enum class Next { kLine, kEnd, kLate, kStopped };
  Next next(std::string& line, Clock::time_point until, const Stop& stop) {
    constexpr int kLookMilliseconds = 100;
    for (size_t end; (end = text_.find('\n')) == std::string::npos;) {
      if (stop.requested()) return Next::kStopped;
      if (Clock::now() > until) return Next::kLate;
      pollfd waited{events_, POLLIN, 0};
      const int ready = ::poll(&waited, 1, kLookMilliseconds);
      if (ready == 0 && has_ended()) return Next::kEnd;  // a process that it has started may hold the pipe
      if (ready <= 0) continue;
      char piece[4096];
      const ssize_t n = ::read(events_, piece, sizeof piece);
      if (n == 0) return Next::kEnd;
      if (n > 0) text_.append(piece, static_cast<size_t>(n));
    }
    line = text_.substr(0, text_.find('\n'));
    text_.erase(0, line.size() + 1);
    return Next::kLine;
  }

  // Kills it, with what it has started, if it has not ended by then, and says how it ended.
  std::string end(Clock::time_point until) {
    while (!has_ended() && Clock::now() < until) ::poll(nullptr, 0, 10);
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return WIFSIGNALED(status)
               ? "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + sigdescr_np(WTERMSIG(status)) + ")"
               : "ended with exit status " + std::to_string(WEXITSTATUS(status));
  }

 private:
  bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
  }

  pid_t pid_ = -1;
  int events_ = -1;
  std::string text_;
};

std::vector<std::string> words_of(const Options& options, const CommonOptions& common) {
  std::vector<std::string> words{"recore", "plugin", "check", options.path, "--in-this-process", "--json", "--quiet"};
  for (const std::string& setting : options.set) words.insert(words.end(), {"--set", setting});
  if (common.seed) words.insert(words.end(), {"--seed", std::to_string(*common.seed)});
  if (common.threads > 0) words.insert(words.end(), {"--threads", std::to_string(common.threads)});
  return words;
}

int watch_checks(const Options& options, Context& context) {
  ::signal(SIGPIPE, SIG_IGN);                // its end would leave the folder and the process
  read_params(options.set, context.common);  // their form; the plugin knows their names
  if (::access(options.path.c_str(), F_OK) != 0)
    throw Failure{REC_NOT_FOUND, "there is no " + options.path, "file", options.path, -1};
  const Scratch scratch;
  Checker checker(words_of(options, context.common), scratch);
  const auto time = std::chrono::seconds(options.seconds);
  constexpr auto kTimeToEnd = std::chrono::seconds(10);
  int64_t n_broken = 0;
  std::string current = "loads";
  const auto tell = [&](const std::string& check, const std::string& why) {
    n_broken += !why.empty();
    context.output.event({{"event", "check"},
                          {"check", check},
                          {"state", why.empty() ? "ok" : "broken"},
                          {"found", why.empty() ? Json() : Json(why)}});
    context.output.line((why.empty() ? "ok      " : "BROKEN  ") + check + (why.empty() ? "" : ": " + plain(why)));
  };
  const auto finish = [&](const Json& model) {
    constexpr int64_t kMostShown = 4096;
    std::string printed(kMostShown, '\0');
    std::ifstream file(scratch.printed_path(), std::ios::binary);
    printed.resize(static_cast<size_t>(file.read(printed.data(), kMostShown).gcount()));
    if (!printed.empty()) std::fprintf(stderr, "%s\n", plain(printed).c_str());
    tell("prints nothing", printed.empty() ? "" : "it writes to stdout or stderr, which belong to the host");
    context.output.event({{"event", "done"}, {"command", "plugin check"}, {"model", model}, {"n_broken", n_broken}});
    return n_broken == 0 ? 0 : exit_code(REC_PLUGIN_FAILED);
  };
  std::string line;
  Checker::Next next;
  auto until = Checker::Clock::now() + time;
  // A check begins and ends before the next; the plugin can write into the same pipe.
  constexpr int kMostChecks = 64;
  int n_begun = 0;
  bool runs = false;
  while ((next = checker.next(line, until, context.stop)) == Checker::Next::kLine) {
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object()) continue;
    const auto text = [&](const char* key) { return value_text(event.value(key, Json(""))); };
    const std::string kind = text("event");
    if (kind == "begin" && !runs && n_begun < kMostChecks) {
      current = text("check");
      until = Checker::Clock::now() + time;
      runs = true;
      ++n_begun;
    } else if (kind == "check" && runs && text("check") == current) {
      tell(current, text("found"));
      runs = false;
    } else if (kind == "done" && !runs) {
      checker.end(Checker::Clock::now() + kTimeToEnd);
      const std::string name = "librecore_" + text("model") + ".so";
      if (std::filesystem::path(options.path).filename() != name)
        context.output.note("the file must be named " + plain(name) + " to be found in a folder of plugins");
      return finish(event.value("model", Json()));
    } else if (kind == "begin" || kind == "check" || kind == "done") {
      checker.end(Checker::Clock::now());
      tell(current, "it writes to the checks' own channel, and was killed");
      return finish(Json());
    }
  }
  if (next == Checker::Next::kStopped) throw Failure{REC_CANCELLED, "cancelled; nothing was saved", {}, {}, -1};
  const std::string how =
      checker.end(next == Checker::Next::kLate ? Checker::Clock::now() : Checker::Clock::now() + kTimeToEnd);
  tell(current, next == Checker::Next::kLate
                    ? "did not finish within " + std::to_string(options.seconds) + " s and was killed"
                    : "the process " + how);
  return finish(Json());
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
