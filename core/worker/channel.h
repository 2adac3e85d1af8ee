#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/training/trainer.h"
#include "core/worker/archive.h"

namespace rec {

// What a host and its worker exchange: an object, and memory files for large data.
struct Message {
  Json body;
  std::vector<MemoryFile> files;
};

inline constexpr int kPollMilliseconds = 50;

// One end of a socket that carries whole messages; a body too large for a packet goes in a memory file, the last one.
// The two processes run the same version of the library, but a plugin in the worker may have broken it: what it sends is
// checked as a file is.
class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }
  // The other side sees it at once, even if a process has inherited this end.
  void close();
  // False when the other side has gone, or when the socket is full and `keep_waiting`, asked every kPollMilliseconds, says
  // no; without keep_waiting it waits for ever. Threads: any.
  bool send(const Json& body, const std::vector<const MemoryFile*>& files = {},
            const std::function<bool()>& keep_waiting = {});
  // Waits for the next message; nothing when the other side has gone. CORRUPT_DATA for what is no message.
  std::optional<Message> receive();

 private:
  bool send_packet(const std::vector<uint8_t>& bytes, const std::vector<const MemoryFile*>& files,
                   const std::function<bool()>& keep_waiting);

  Descriptor socket_;
};

// to_json and from_json of a struct, by its fields.
#define REC_JSON_FIELDS(Type, ...)                                             \
  inline void to_json(Json& nlohmann_json_j, const Type& nlohmann_json_t) {    \
    nlohmann_json_j = Json::object();                                          \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__))   \
  }                                                                            \
  inline void from_json(const Json& nlohmann_json_j, Type& nlohmann_json_t) {  \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM, __VA_ARGS__)) \
  }
REC_JSON_FIELDS(TrainingEvent, kind, epoch, n_epochs, batch, n_batches, loss, train_seconds, eval_seconds, metric_names,
                metric_values, is_best)
REC_JSON_FIELDS(Protocol, part, rows, candidates, mask, ties, n_candidates, seed, max_pos, max_neg, history, skip_first,
                n_users, keep_lists)
REC_JSON_FIELDS(TrainerOptions, resume, checkpoint_path, checkpoint_seconds, checkpoint_batches, metrics, main_metric,
                protocol, memory_limit_bytes)
Json note_of(const Error& error);

// What is not as a worker writes it.
struct Unsound : Error {
  explicit Unsound(std::string why) : Error(REC_PLUGIN_FAILED, std::move(why)) {}
};
// What a worker sends before its answer: an event goes to the observer, a log line to the log, an error is thrown. False
// for the answer. Unsound for anything else.
bool take_interim(const Json& body, const Observer& observer);

// Takes an answer apart, which a plugin may have spoilt: what is wrong with it is the plugin's fault.
template <class Read>
auto read_answer(const std::string& model, const Read& read) {
  const auto unsound = [&](const char* why) {
    return Error(REC_PLUGIN_FAILED, cat("the worker process of '", model, "' gave an answer that is not sound: ", why));
  };
  try {
    return read();
  } catch (const Error& error) {
    if (error.status == REC_OUT_OF_MEMORY || error.status == REC_LIMIT) throw;
    throw unsound(error.what());
  } catch (const Json::exception& error) {
    throw unsound(error.what());
  } catch (const std::out_of_range&) {
    throw unsound("a file is missing");
  }
}

}  // namespace rec
