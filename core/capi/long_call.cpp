#include "core/capi/long_call.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "core/base/log.h"
#include "core/capi/objects.h"

namespace rec {

namespace {

constexpr size_t kStackBytes = size_t{8} << 20;
constexpr size_t kMaxWaitingProgress = 8;
constexpr auto kTickInterval = std::chrono::milliseconds(25);  // half of what is promised

class LongCall {
 public:
  explicit LongCall(const std::function<void(const Caller&)>& work) : work_(work) {}
  // The work uses this object. It is still running when host code has ended the calling thread by pthread_exit().
  ~LongCall() {
    if (!running_) return;
    cancel_.request();
    stopped_with_ = REC_CANCELLED;
    std::unique_lock lock(mutex_);
    while (!done_) {
      events_.clear();
      answered_ = pushed_;
      if (!std::exchange(errand_done_, true)) errand_failure_ = std::make_exception_ptr(CallerEnded());
      answered_changed_.notify_one();
      changed_.wait_for(lock, kTickInterval);
    }
    lock.unlock();
    pthread_join(thread_, nullptr);
  }

  // Ticks before the work begins, so that a caller who has cancelled already has none done.
  void ask(rec_event_fn on_event, void* user_data) {
    keep_exception([&] { tick(on_event, user_data); });
    throw_if_stopped();
  }

  void start() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    const int code = pthread_create(
        &thread_, &attributes,
        [](void* self) -> void* {
          static_cast<LongCall*>(self)->work();
          return nullptr;
        },
        this);
    pthread_attr_destroy(&attributes);
    if (code != 0) throw system_error("start", "a thread", code);
    running_ = true;
  }

  // Runs on the caller's thread until the work is done.
  void serve(rec_event_fn on_event, void* user_data, const CancelToken* host_cancel) {
    auto next_tick = Clock::now() + kTickInterval;
    std::unique_lock lock(mutex_);
    while (!done_ || !events_.empty()) {
      changed_.wait_until(lock, next_tick, [this] { return done_ || !events_.empty() || errand_ != nullptr; });
      taken_.clear();
      taken_.swap(events_);
      const std::function<void()>* errand = std::exchange(errand_, nullptr);
      lock.unlock();
      if (errand != nullptr) run(*errand);
      keep_exception([&] {
        for (const TrainingEvent& event : taken_) deliver(event, on_event, user_data);
        if (Clock::now() < next_tick) return;
        next_tick = Clock::now() + kTickInterval;
        tick(on_event, user_data);
      });
      if (host_cancel != nullptr && host_cancel->requested()) cancel_.request();
      keep_exception([] { log::deliver(); });
      lock.lock();
      answered_ += std::ssize(taken_);
      if (errand != nullptr) errand_done_ = true;
      answered_changed_.notify_one();
    }
    lock.unlock();
    pthread_join(thread_, nullptr);
    running_ = false;
    keep_exception([] { log::deliver(); });
    throw_if_stopped();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void work() {
    try {
      work_({&cancel_, [this](const TrainingEvent& event) { push(event); },
             [this](const std::function<void()>& body) { send_errand(body); }});
    } catch (const Error& error) {
      cancelled_ = error.status == REC_CANCELLED;
      failure_ = std::current_exception();
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_one();
  }

  // A stop replaces only the cancellation that it caused: another failure, such as of a checkpoint, is reported itself.
  void throw_if_stopped() const {
    if (host_exception_) std::rethrow_exception(host_exception_);
    if (stopped_with_ != REC_OK && (!failure_ || cancelled_))
      throw stopped_with_ == REC_CANCELLED ? Error(REC_CANCELLED, "cancelled by the caller")
                                           : Error(stopped_with_, "stopped by on_event").at_argument("on_event");
  }

  // Progress is dropped when the host is slow; any other event waits for the host's answer, so that the point where the
  // host stops the work does not depend on its speed.
  void push(const TrainingEvent& event) {
    std::unique_lock lock(mutex_);
    if (event.kind == REC_EVENT_PROGRESS && events_.size() >= kMaxWaitingProgress) return;
    events_.push_back(event);
    const int64_t number = ++pushed_;
    changed_.notify_one();
    if (event.kind != REC_EVENT_PROGRESS) answered_changed_.wait(lock, [&] { return answered_ >= number; });
  }

  // Called on the library's thread: the caller's thread runs the body while this one waits.
  void send_errand(const std::function<void()>& body) {
    std::unique_lock lock(mutex_);
    errand_ = &body;
    errand_done_ = false;
    changed_.notify_one();
    answered_changed_.wait(lock, [this] { return errand_done_; });
    if (errand_failure_) std::rethrow_exception(std::exchange(errand_failure_, nullptr));
  }

  void run(const std::function<void()>& errand) {
    try {
      errand();
    } catch (...) {
      if (thread_is_ending()) throw;
      errand_failure_ = std::current_exception();
    }
    Process::throw_if_forked();
  }

  // An exception from a C++ host's callback or log sink: the work stops, and the call reports the first one.
  template <class Body>
  void keep_exception(Body&& body) {
    try {
      body();
    } catch (...) {
      if (thread_is_ending()) throw;
      if (!host_exception_) host_exception_ = std::current_exception();
      cancel_.request();
    }
    Process::throw_if_forked();
  }

  void tick(rec_event_fn on_event, void* user_data) {
    TrainingEvent tick;
    tick.kind = REC_EVENT_TICK;
    deliver(tick, on_event, user_data);
  }

  void deliver(const TrainingEvent& event, rec_event_fn on_event, void* user_data) {
    if (on_event == nullptr || stopped_with_ != REC_OK || host_exception_) return;
    std::vector<const char*> names;
    for (const std::string& name : event.metric_names) names.push_back(name.c_str());
    rec_event_t out{};
    out.struct_size = sizeof out;
    out.kind = event.kind;
    out.epoch = event.epoch;
    out.n_epochs = event.n_epochs;
    out.batch = event.batch;
    out.n_batches = event.n_batches;
    out.loss = event.loss;
    out.train_seconds = event.train_seconds;
    out.eval_seconds = event.eval_seconds;
    out.metric_names = names.data();
    out.metric_values = event.metric_values.data();
    out.n_metrics = std::ssize(names);
    out.is_best = event.is_best;
    out.done = cancel_.done();
    stopped_with_ = on_event(&out, user_data);
    if (stopped_with_ != REC_OK) cancel_.request();
  }

  const std::function<void(const Caller&)>& work_;
  CancelToken cancel_;
  pthread_t thread_{};
  std::mutex mutex_;
  std::condition_variable changed_, answered_changed_;
  int64_t pushed_ = 0, answered_ = 0;  // events
  std::deque<TrainingEvent> events_;
  std::deque<TrainingEvent> taken_;                // of the caller's thread; a member, as an empty deque allocates
  const std::function<void()>* errand_ = nullptr;  // of the library's thread, for the caller's
  bool errand_done_ = false, done_ = false, cancelled_ = false, running_ = false;
  std::exception_ptr failure_, host_exception_, errand_failure_;
  rec_status_t stopped_with_ = REC_OK;
};

}  // namespace

void run_long_call(const rec_run_options_t* given, const std::function<void(const Caller&)>& work) {
  const rec_run_options_t options = read_struct(given, "run");
  const std::shared_ptr<CancelToken> cancel = options.cancel != nullptr ? object_of(options.cancel) : nullptr;
  throw_if_cancelled(cancel.get());
  const OwnedByProcess<LongCall> call(new LongCall(work));
  call->ask(options.on_event, options.user_data);
  call->start();
  call->serve(options.on_event, options.user_data, cancel.get());
}

}  // namespace rec
