#pragma once

#include <optional>

#include "core/serving/tensor_file.h"
#include "core/training/setup.h"

namespace rec {

// The file that a training is resumed from, and the one before it at PATH.prev. A symbolic link is followed once, when
// the trainer is made, and a relative path stays what it was then.
class CheckpointFile {
 public:
  // INVALID_ARGUMENT or NOT_FOUND for a path that cannot be written or names something other than a checkpoint.
  explicit CheckpointFile(const TrainerOptions& options);

  bool is_wanted() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  // `manifest` gets the format and the identity of the run.
  void write(const Json& manifest, const Json& run, const std::vector<NamedTensor>& tensors);
  // The newest intact checkpoint, which must be of this run; nothing if there is no file, for a fresh start. LIMIT if
  // it has more than `limit` allows.
  std::optional<TensorFile> read(const Json& run, const SizeLimit& limit, const CancelToken* cancel);

 private:
  std::string path_, previous_;
  bool is_damaged_ = false;  // the file at path_, which is then not kept as PATH.prev
};

}  // namespace rec
