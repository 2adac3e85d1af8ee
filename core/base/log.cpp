#include "core/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <string>

namespace rec::log {

namespace {

constexpr size_t kMaxWaiting = 10000;

struct Line {
  int32_t level;
  std::string text;
};

class QueueSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  bool pop(Line& line) {
    const std::lock_guard lock(mutex_);
    if (lines_.empty()) return false;
    line = std::move(lines_.front());
    lines_.pop_front();
    return true;
  }
  void add_dropped(int64_t n) {
    const std::lock_guard lock(mutex_);
    dropped_ += n;
  }
  int64_t take_dropped() {
    const std::lock_guard lock(mutex_);
    return std::exchange(dropped_, 0);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (lines_.size() >= kMaxWaiting) {
      ++dropped_;
      return;
    }
    const int32_t level = message.level >= spdlog::level::err    ? REC_LOG_ERROR
                          : message.level == spdlog::level::warn ? REC_LOG_WARNING
                          : message.level == spdlog::level::info ? REC_LOG_INFO
                                                                 : REC_LOG_DEBUG;
    lines_.push_back({level, std::string(message.payload.data(), message.payload.size())});
  }
  void flush_() override {}

 private:
  std::deque<Line> lines_;
  int64_t dropped_ = 0;
};

// One log for the process, never destroyed: threads may log until the very end.
struct Log {
  std::shared_ptr<QueueSink> queue = std::make_shared<QueueSink>();
  spdlog::logger logger{"recore", queue};
  std::recursive_mutex mutex;  // held while the sink is called, which may set another sink
  rec_log_fn sink = nullptr;
  std::atomic<int32_t> level{0};  // 0 without a sink
  void* user_data = nullptr;
  rec_destroy_fn destroy = nullptr;

  Log() {
    logger.set_level(spdlog::level::off);
    // spdlog would print that there is no memory for a line.
    logger.set_error_handler([this](const std::string&) { queue->add_dropped(1); });
  }
};

Log& the_log() {
  static Log& log = *new Log;
  return log;
}

spdlog::level::level_enum spdlog_level(int32_t level) {
  return level >= REC_LOG_ERROR     ? spdlog::level::err
         : level == REC_LOG_WARNING ? spdlog::level::warn
         : level == REC_LOG_INFO    ? spdlog::level::info
                                    : spdlog::level::debug;
}

}  // namespace

void write(int32_t level, std::string_view message) {
  the_log().logger.log(spdlog_level(level), spdlog::string_view_t(message.data(), message.size()));
}

void set_sink(rec_log_fn sink, int32_t level, void* user_data, rec_destroy_fn destroy) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  const rec_destroy_fn end_old = std::exchange(log.destroy, destroy);
  void* const old_data = std::exchange(log.user_data, user_data);
  log.sink = sink;
  log.level = sink != nullptr ? level : 0;
  log.logger.set_level(sink == nullptr ? spdlog::level::off : spdlog_level(level));
  if (end_old != nullptr) end_old(old_data);
}

int32_t level() { return the_log().level; }

// A thread that is delivering already delivers these lines too: a slow sink holds up one call, not all.
void deliver() {
  Log& log = the_log();
  const std::unique_lock lock(log.mutex, std::try_to_lock);
  if (!lock.owns_lock()) return;
  Line line;
  while (log.queue->pop(line)) {
    if (log.sink != nullptr) log.sink(line.level, line.text.c_str(), log.user_data);
  }
}

void add_dropped(int64_t n) { the_log().queue->add_dropped(n); }

int64_t take_dropped() { return the_log().queue->take_dropped(); }

}  // namespace rec::log
