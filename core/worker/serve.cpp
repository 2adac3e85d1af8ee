#include "core/worker/serve.h"

#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>

#include "core/base/log.h"
#include "core/plugin/loop_params.h"
#include "core/worker/channel.h"

namespace rec {

namespace {

constexpr int kLookMilliseconds = 1000;
constexpr auto kTimeToFinish = std::chrono::seconds(60);  // for the current request, when the host has gone

// Closes descriptors inherited from the host, which had not marked them close-on-exec.
void close_inherited(int last_wanted) {
  std::vector<int> open;
  for (const std::string& name : names_in("/proc/self/fd")) open.push_back(std::stoi(name));
  for (int fd : open)
    if (fd > last_wanted) ::close(fd);
}

// When memory runs out, the system should choose this process and not its host.
void offer_to_be_killed_first() { std::ofstream("/proc/self/oom_score_adj") << 500; }

class Server {
 public:
  explicit Server(int socket) : channel_(Descriptor(socket)) {}

  void run() {
    std::thread([this] { read(); }).detach();  // ends with the process
    Request hello;
    if (!wait(hello)) return;
    greet(hello.message.body);
    for (Request request; wait(request);) {
      Json answer;
      std::optional<MemoryFile> file;
      try {
        if (refusal_) throw *refusal_;
        file = handle(request, answer);
      } catch (...) {
        answer = {{"error", note_of(current_error())}};
      }
      deliver_log();
      std::vector<const MemoryFile*> files;
      if (file) files.push_back(&*file);
      if (!channel_.send(answer, files)) return;
    }
  }

 private:
  struct Request {
    Message message;
    std::shared_ptr<CancelToken> cancel;  // requested when the host asks, or has gone
  };

  // Runs on a separate thread: requests wait for the main thread, a cancellation takes effect at once.
  void read() {
    while (auto message = next_message()) {
      const std::lock_guard lock(mutex_);
      if (message->body.contains("cancel")) {
        if (current_ != nullptr) current_->request();
      } else if (message->body.contains("seen")) {
        ++seen_;
      } else {
        current_ = std::make_shared<CancelToken>();
        requests_.push_back({std::move(*message), current_});
      }
      changed_.notify_all();
    }
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
      if (current_ != nullptr) current_->request();
      changed_.notify_all();
    }
    std::this_thread::sleep_for(kTimeToFinish);
    ::_exit(1);
  }

  // A process forked from the host may keep the socket open, so the worker also checks whether the host has ended.
  std::optional<Message> next_message() {
    for (;;) {
      pollfd waited{channel_.descriptor(), POLLIN, 0};
      if (::poll(&waited, 1, kLookMilliseconds) > 0) return channel_.receive();
      if (const pid_t parent = parent_; parent != 0 && ::getppid() != parent) return std::nullopt;
    }
  }

  bool wait(Request& out) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return gone_ || !requests_.empty(); });
    if (requests_.empty()) return false;
    out = std::move(requests_.front());
    requests_.pop_front();
    return true;
  }

  void greet(const Json& hello) {
    parent_ = hello.at("parent").get<pid_t>();
    if (!is_text(hello.at("version"), REC_VERSION)) {
      refusal_ = argument_error(REC_ABI_MISMATCH, "isolation", "recore-worker is of version ", REC_VERSION,
                                ", the library of version ", hello.at("version").get<std::string>());
      return;
    }
    if (const auto level = hello.at("log_level").get<int32_t>(); level > 0)
      log::set_sink(
          [](int32_t line_level, const char* line, void* self) {
            static_cast<Server*>(self)->channel_.send({{"log", line}, {"level", line_level}});
          },
          level, this, nullptr);
    try {
      const auto folders = hello.at("folders").get<std::vector<std::string>>();
      for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
        if (is_directory(*folder)) PluginRegistry::instance().add_folder(*folder);
      PluginRegistry::instance().load(hello.at("plugin").get<std::string>());
    } catch (...) {
      refusal_ = current_error();
    }
  }

  // Fills `answer`; returns the memory file that goes with it, if any.
  std::optional<MemoryFile> handle(const Request& request, Json& answer) {
    const Json& body = request.message.body;
    const std::vector<MemoryFile>& files = request.message.files;
    const auto call = body.at("call").get<std::string>();
    answer = {{"done", call}};
    if (call == "create") {
      trainer_ = std::make_unique<Trainer>(shared_dataset(files.at(0)), body.at("model").get<std::string>(),
                                           body.at("params").get<std::string>(),
                                           body.at("options").get<TrainerOptions>(), request.cancel.get());
    } else if (call == "check") {
      TrainingSetup(body.at("model").get<std::string>(), body.at("params").get<std::string>(),
                    body.at("options").get<TrainerOptions>());
    } else if (call == "warm_start") {
      trainer().warm_start(*load_model_over(files.at(0).map()));
    } else if (call == "run") {
      trainer().run([this](const TrainingEvent& event) { report(event); }, request.cancel.get());
    } else if (call == "model") {
      const std::shared_ptr<const Model> model = trainer().model(body.at("which").get<int32_t>());
      return MemoryFile::write("recore model", [&](FileWriter& out) { write_model(out, *model, true); });
    } else if (call == "evaluate") {
      const std::shared_ptr<const Model> model = load_model_over(files.at(0).map());
      const std::shared_ptr<const Dataset> data = shared_dataset(files.at(1));
      return share_report(evaluate(model, *data, body.at("protocol").get<Protocol>(),
                                   parse_metrics(body.at("metrics").get<std::string>()),
                                   body.at("threads").get<int32_t>(), request.cancel.get()));
    } else if (call == "describe") {
      const Plugin& plugin = PluginRegistry::instance().find(body.at("model").get<std::string>());
      answer["text"] = dump_json(describe_plugin(plugin, loop_params()));
    } else {
      throw Error(REC_INTERNAL, cat("recore-worker knows no call '", call, "'"));
    }
    return std::nullopt;
  }

  Trainer& trainer() {
    if (trainer_ == nullptr) throw Error(REC_BAD_STATE, "the worker process has no trainer");
    return *trainer_;
  }

  void deliver_log() {
    log::deliver();
    if (const int64_t n_lost = log::take_dropped(); n_lost > 0) channel_.send({{"lost_lines", n_lost}});
  }

  // As in one process, training waits until the host has handled the event, except for mere progress.
  void report(const TrainingEvent& event) {
    deliver_log();
    if (!channel_.send({{"event", event}})) return;
    std::unique_lock lock(mutex_);
    const int64_t number = ++sent_;
    if (event.kind != REC_EVENT_PROGRESS) changed_.wait(lock, [&] { return gone_ || seen_ >= number; });
  }

  Channel channel_;
  std::optional<Error> refusal_;  // the answer to every request
  std::unique_ptr<Trainer> trainer_;
  std::atomic<pid_t> parent_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  std::shared_ptr<CancelToken> current_;  // of the last request
  int64_t sent_ = 0, seen_ = 0;           // events
  bool gone_ = false;
};

}  // namespace

void serve_host(int socket) {
  close_inherited(socket);
  offer_to_be_killed_first();
  Server& server = *new Server(socket);  // its thread reads until the process ends
  server.run();
}

}  // namespace rec
