#include "core/worker/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/base/log.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/base/trusted_path.h"
#include "core/plugin/registry.h"

extern char** environ;

namespace rec {

namespace {

constexpr size_t kOutputKept = 4096;
constexpr int kFirstDescriptor = 10;  // above those that the new process uses
constexpr int kWorkerSocket = 3;

// The program of worker processes, which may be run.
std::string worker_program() {
  // Read once: the host may change its environment while other threads read it.
  static const std::optional<std::string> given = [] {
    const char* path = std::getenv("REC_WORKER_PATH");
    return path != nullptr ? std::optional<std::string>(path) : std::nullopt;
  }();
  if (!given) {
    const std::string shipped = library_folder() + "/recore/recore-worker";
    if (!file_exists(shipped))
      throw argument_error(REC_NOT_FOUND, "isolation", "there is no ", shipped,
                           ", which runs a plugin in a separate process; install it beside the library, or set "
                           "REC_WORKER_PATH before the process starts");
    return trusted_path(shipped);
  }
  const auto refused = [](rec_status_t status, std::string_view what) {
    return Error(status, cat("REC_WORKER_PATH: must be the absolute path of the program recore-worker, ", what, " '",
                             printable(*given), "'"));
  };
  if (!given->starts_with('/')) throw refused(REC_DENIED, "got");
  if (!file_exists(*given)) throw refused(REC_NOT_FOUND, "there is no");
  if (is_directory(*given)) throw refused(REC_INVALID_ARGUMENT, "got the folder");
  return trusted_path(*given);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Duplicates the file under a number that the new process does not use.
Descriptor out_of_the_way(Descriptor file) {
  Descriptor moved(::fcntl(file.get(), F_DUPFD_CLOEXEC, kFirstDescriptor));
  if (moved.get() < 0) throw system_error("make", "a descriptor for the worker process", errno);
  return moved;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

// A separate process group: a Ctrl-C in the terminal is for the host, which asks the worker to stop.
pid_t spawn(const std::string& program, int socket, int output) {
  SpawnSettings settings;
  posix_spawn_file_actions_addopen(&settings.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, output, 1);
  posix_spawn_file_actions_adddup2(&settings.actions, output, 2);
  posix_spawn_file_actions_adddup2(&settings.actions, socket, kWorkerSocket);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&settings.attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&settings.attributes, &signals);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string name = program;
  char* arguments[] = {name.data(), nullptr};
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes, arguments, environ);
  if (code != 0) throw system_error("start", program, code);
  return pid;
}

struct SignalName {
  int number;
  const char* text;
};
constexpr SignalName kSignals[] = {
    {SIGSEGV, "SIGSEGV, invalid memory access"},
    {SIGABRT, "SIGABRT, the process aborted"},
    {SIGKILL, "SIGKILL, sent from outside; the system does so when memory runs out"},
    {SIGBUS, "SIGBUS, access to missing memory"},
    {SIGFPE, "SIGFPE, arithmetic error"},
    {SIGILL, "SIGILL, an instruction this processor does not have"},
    {SIGTERM, "SIGTERM, sent from outside"},
    {SIGINT, "SIGINT, sent from outside"},
    {SIGSYS, "SIGSYS, a system call that is not allowed"},
    {SIGTRAP, "SIGTRAP"},
    {SIGXCPU, "SIGXCPU, limit of processor time"},
};

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return cat("ended with exit status ", WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  const auto* known = std::find_if(std::begin(kSignals), std::end(kSignals),
                                   [number](const SignalName& signal) { return signal.number == number; });
  return cat("was killed by signal ", number,
             known != std::end(kSignals) ? cat(" (", known->text, ")") : std::string());
}

std::string_view last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const size_t line = text.rfind('\n');
  return line == std::string_view::npos ? text : text.substr(line + 1);
}

}  // namespace

WorkerProcess::WorkerProcess(const std::string& model, std::string what, const Patience& patience)
    : what_(std::move(what)), patience_(patience) {
  const PluginRegistry::Location plugin = PluginRegistry::instance().locate(model);
  const std::string program = worker_program();
  int sockets[2], pipe[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    throw system_error("make", "a socket for the worker process", errno);
  channel_.emplace(Descriptor(sockets[0]));
  const Descriptor theirs = out_of_the_way(Descriptor(sockets[1]));
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw system_error("make", "a pipe for the worker process", errno);
  output_ = Descriptor(pipe[0]);
  const Descriptor their_output = out_of_the_way(Descriptor(pipe[1]));
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  const Json hello = {{"version", REC_VERSION},
                      {"parent", ::getpid()},
                      {"folders", PluginRegistry::instance().folders()},
                      {"plugin", plugin.path},
                      {"log_level", log::level()}};
  channel_->send(hello);  // waits in the socket
  pid_ = spawn(program, theirs.get(), their_output.get());
}

WorkerProcess::~WorkerProcess() {
  if (channel_) channel_->close();  // the process then ends by itself
  if (pid_ > 0 && !Process::is_forked_child()) end();
}

Message WorkerProcess::call(const Json& request, const std::vector<const MemoryFile*>& files, const Observer& observer,
                            const CancelToken* cancel, double seconds) {
  if (!ended_.empty()) throw Error(REC_BAD_STATE, cat(what_, ": its worker process has ended: it ", ended_));
  must_stop_ = told_to_stop_ = false;
  answer_by_ = now() + seconds;
  late_ = cat("gave no answer within ", seconds, " s and was killed");
  send(request, files, cancel);
  for (;;) {
    std::optional<Message> message = next(cancel);
    if (!message) report_end();
    if (!handle(*message, observer, cancel)) continue;
    const Json& call = request.at("call");
    if (!message->body.contains("done") || message->body["done"] != call) {
      kill("answered a call that was not made and was killed");
      report_end();
    }
    return std::move(*message);
  }
}

// A worker that reads nothing cannot be told to stop either.
void WorkerProcess::send(const Json& body, const std::vector<const MemoryFile*>& files, const CancelToken* cancel) {
  const double start = now();
  const auto keep_waiting = [&] {
    if (has_ended()) return false;
    const double seconds = cancel != nullptr && cancel->requested() ? patience_.to_end : patience_.to_read;
    const bool in_time = now() < start + seconds;
    if (!in_time) kill(cat("read nothing for ", seconds, " s and was killed"));
    return in_time;
  };
  if (!channel_->send(body, files, keep_waiting)) report_end();
}

// Whether the message is the answer; the others are dealt with.
bool WorkerProcess::handle(Message& message, const Observer& observer, const CancelToken* cancel) {
  try {
    if (!take_interim(message.body, observer)) return true;
  } catch (const Unsound& unsound) {
    kill(cat("sent a message that is not sound (", unsound.what(), ") and was killed"));
    report_end();
  }
  if (!message.body.contains("event")) return false;
  if (cancel != nullptr && cancel->requested()) ask_to_stop();
  send({{"seen", true}}, {}, cancel);
  return false;
}

std::optional<Message> WorkerProcess::next(const CancelToken* cancel) {
  for (;;) {
    pollfd waited[] = {{channel_->descriptor(), POLLIN, 0}, {output_.get(), POLLIN, 0}};
    if (::poll(waited, output_.get() >= 0 ? 2 : 1, kPollMilliseconds) < 0 && errno != EINTR)
      throw system_error("wait for", "the worker process", errno);
    read_output();
    if (cancel != nullptr && cancel->requested()) ask_to_stop();
    if (now() > answer_by_) {
      kill(late_);
      return std::nullopt;
    }
    if (waited[0].revents != 0) {
      try {
        return channel_->receive();
      } catch (const Error& error) {
        if (error.status == REC_OUT_OF_MEMORY) throw;
        kill(cat("sent ", error.message, ", and was killed"));
        return std::nullopt;
      }
    }
    if (has_ended()) return std::nullopt;  // a process that it has started may hold the socket
  }
}

void WorkerProcess::ask_to_stop() {
  if (!must_stop_) {
    must_stop_ = true;
    answer_by_ = now() + patience_.to_stop;
    late_ = cat("did not stop within ", patience_.to_stop, " s and was killed");
  }
  if (!told_to_stop_) told_to_stop_ = channel_->send({{"cancel", true}}, {}, [] { return false; });
}

void WorkerProcess::kill(std::string why) {
  kill_group();
  ended_ = std::move(why);
}

// The process and what it has started. Until it is waited for, no other process group has its number; a host that ignores
// SIGCHLD or waits for any child may have waited for it.
void WorkerProcess::kill_group() {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // in case it has left its group
}

// Leaves the exit status for end(). No child is left when the host ignores SIGCHLD.
bool WorkerProcess::has_ended() const {
  siginfo_t info{};
  const int code = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return code == 0 ? info.si_pid == pid_ : errno == ECHILD;
}

void WorkerProcess::read_output() {
  char piece[4096];
  for (;;) {
    const ssize_t n = output_.get() >= 0 ? ::read(output_.get(), piece, sizeof piece) : -1;
    if (n == 0) output_.reset();
    if (n <= 0) break;
    last_output_.append(piece, n);
    if (last_output_.size() > 2 * kOutputKept) last_output_.erase(0, last_output_.size() - kOutputKept);
  }
}

void WorkerProcess::report_end() {
  channel_->close();
  const double deadline = now() + patience_.to_end;
  while (ended_.empty() && !has_ended()) {
    if (now() > deadline) kill("closed its socket and was killed");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::string status = end();
  if (ended_.empty()) ended_ = status;
  read_output();
  const std::string_view said = last_line(last_output_);
  throw Error(REC_PLUGIN_FAILED, cat(what_, ": the worker process ", ended_,
                                     said.empty() ? std::string() : cat("; it last wrote '", printable(said), "'")));
}

// Waits for the process, which has nothing left to do, kills the processes that it has started, and returns how it ended.
std::string WorkerProcess::end() {
  const double deadline = now() + patience_.to_end;
  while (!has_ended() && now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill_group();
  int status = 0;
  pid_t got;
  do {
    got = ::waitpid(pid_, &status, 0);
  } while (got < 0 && errno == EINTR);
  pid_ = -1;
  return got > 0 ? how_it_ended(status) : "ended, and another part of this process took its exit status";
}

}  // namespace rec
