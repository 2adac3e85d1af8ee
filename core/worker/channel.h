#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/training/trainer.h"
#include "core/worker/archive.h"

namespace rec {

// What a host and its worker exchange: an object, and memory files for large data.
using Note = nlohmann::json;
struct Message {
  Note body;
  std::vector<MemoryFile> files;
};

// One end of a socket that carries whole messages; a body too large for a packet goes in a memory file, the last one.
// The two processes run the same version of the library.
class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }
  void close() { socket_.reset(); }
  // False when the other side has gone. Threads: any.
  bool send(const Note& body, const std::vector<const MemoryFile*>& files = {});
  // Waits for the next message; nothing when the other side has gone.
  std::optional<Message> receive();

 private:
  bool send_packet(const std::vector<uint8_t>& bytes, const std::vector<const MemoryFile*>& files);

  Descriptor socket_;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainingEvent, kind, epoch, n_epochs, batch, n_batches, loss, train_seconds,
                                   eval_seconds, metric_names, metric_values, is_best)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Protocol, part, rows, candidates, mask, ties, n_candidates, seed, max_pos, max_neg,
                                   history)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainerOptions, resume, checkpoint_path, checkpoint_seconds, checkpoint_batches,
                                   metrics, main_metric, protocol, memory_limit_bytes)
Note note_of(const Error& error);
Error error_of(const Note& note);

}  // namespace rec
