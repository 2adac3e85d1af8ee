#include "core/training/checkpoint.h"

#include <filesystem>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"

namespace rec {

namespace {

constexpr std::string_view kFormat = "recore.checkpoint";
constexpr std::string_view kPrevious = ".prev";

}  // namespace

// The first checkpoint moves the file at the path aside and a later one replaces it, so it must be a checkpoint itself.
// A resumed run reads the file, and reports more about a damaged one.
CheckpointFile::CheckpointFile(const TrainerOptions& options) : path_(options.checkpoint_path) {
  if (path_.empty()) {
    if (options.resume) throw invalid_argument("resume", "needs checkpoint_path");
    return;
  }
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  constexpr size_t kLongestName = 255 - kPrevious.size();  // of a file system
  if (const size_t n = std::filesystem::path(path_).filename().string().size(); n > kLongestName)
    throw invalid_argument("checkpoint_path", "must have a name of at most ", kLongestName,
                           " bytes, as the checkpoint before is kept as NAME", kPrevious, ", got ", n);
  if (!folder.empty() && !is_directory(folder.string()))
    throw argument_error(REC_NOT_FOUND, "checkpoint_path", "there is no folder ", folder.string());
  if (!file_exists(path_)) return;
  const char* what = is_directory(path_)                             ? "a folder"
                     : !std::filesystem::is_regular_file(path_)      ? "not a regular file"
                     : !options.resume && !begins_as(path_, kFormat) ? "not a checkpoint"
                                                                     : nullptr;
  if (what != nullptr)
    throw invalid_argument("checkpoint_path", "must name a new file or a checkpoint to write over, got ",
                           printable(path_), ", which is ", what);
}

void CheckpointFile::write(const Json& manifest, const Json& run, const std::vector<NamedTensor>& tensors) {
  Json whole = {{"format", kFormat}, {"run", run}};  // the format comes first: begins_as looks for it there
  whole.update(manifest);
  // A damaged file must not replace the intact one before it.
  write_tensor_file(path_, std::move(whole), tensors, is_damaged_ ? "" : cat(path_, kPrevious));
  is_damaged_ = false;
}

std::optional<TensorFile> CheckpointFile::read(const Json& run) {
  std::optional<Error> damage;
  for (const std::string& path : {path_, cat(path_, kPrevious)}) {
    if (!file_exists(path)) continue;
    std::optional<TensorFile> file;
    try {
      file = read_tensor_file(path, kFormat);
    } catch (const Error& error) {
      if (error.status != REC_CORRUPT_DATA) throw;
      if (!damage) damage = error;
      is_damaged_ |= path == path_;
      log::write(REC_LOG_WARNING, cat("checkpoint_damaged path=", path, " reason=", error.message));
      continue;
    }
    const Json theirs = file->manifest.value("run", Json::object());
    for (const auto& [key, value] : run.items())
      if (theirs.value(key, Json()) != value)
        throw invalid_argument("checkpoint_path", path, " is from a different run: its ", key, " is ",
                               printable(dump_json(theirs.value(key, Json()))), ", this run's is ",
                               printable(dump_json(value)));
    return file;
  }
  if (damage) throw *damage;
  return std::nullopt;
}

}  // namespace rec
