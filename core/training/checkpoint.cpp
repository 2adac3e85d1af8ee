#include "core/training/checkpoint.h"

#include <filesystem>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/staged_file.h"
#include "core/base/text.h"

namespace rec {

namespace {

constexpr std::string_view kFormat = "recore.checkpoint";
constexpr std::string_view kPrevious = ".prev";

// The first checkpoint moves the file at the path to PATH.prev and a later one replaces it, so both must be checkpoints.
// A resumed run reads the first, and reports more about a damaged one.
void check_replaceable(const std::string& path, bool resume) {
  if (!file_exists(path)) return;
  const char* what = is_directory(path)                        ? "a folder"
                     : !std::filesystem::is_regular_file(path) ? "not a regular file"
                     : resume || begins_as(path, kFormat)      ? nullptr
                     : begins_as(path, "recore.model")         ? "a model"
                                                               : "not a checkpoint";
  if (what != nullptr)
    throw invalid_argument("checkpoint_path", "must name a new file or a checkpoint to write over, got ",
                           printable(path), ", which is ", what);
}

// What differs, value by value and within objects: "; parameters.emb_size is 64 there, 8 in this run".
std::string differences(const std::string& name, const Json& theirs, const Json& ours) {
  if (theirs == ours) return "";
  if (!theirs.is_object() || !ours.is_object())
    return cat("; ", printable(name), " is ", printable(dump_json(theirs)), " there, ", printable(dump_json(ours)),
               " in this run");
  std::string all;
  const auto add = [&](const std::string& key, const Json& their, const Json& our) {
    all += differences(name.empty() ? key : cat(name, '.', key), their, our);
  };
  for (const auto& [key, value] : ours.items()) add(key, theirs.value(key, Json()), value);
  for (const auto& [key, value] : theirs.items())
    if (!ours.contains(key)) add(key, value, Json());
  return all;
}

}  // namespace

CheckpointFile::CheckpointFile(const TrainerOptions& options) {
  const std::string& given = options.checkpoint_path;
  if (given.empty()) {
    if (options.resume) throw invalid_argument("resume", "needs checkpoint_path");
    return;
  }
  path_ = std::filesystem::absolute(given).string();
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  constexpr size_t kLongestName = 255 - kPrevious.size();  // of a file system
  if (const size_t n = std::filesystem::path(path_).filename().string().size(); n > kLongestName)
    throw invalid_argument("checkpoint_path", "must have a name of at most ", kLongestName,
                           " bytes, as the checkpoint before is kept as NAME", kPrevious, ", got ", n);
  if (!is_directory(folder.string()))
    throw argument_error(REC_NOT_FOUND, "checkpoint_path", "there is no folder ", folder.string());
  check_replaceable(path_, options.resume);
  try {
    path_ = file_to_replace(path_);
  } catch (Error& error) {
    throw error.at_argument("checkpoint_path");
  }
  previous_ = cat(path_, kPrevious);
  check_replaceable(previous_, false);  // a resumed run replaces it too, and may not have read it
}

void CheckpointFile::write(const Json& manifest, const Json& run, const std::vector<NamedTensor>& tensors) {
  Json whole = {{"format", kFormat}, {"run", run}};  // the format comes first: begins_as looks for it there
  whole.update(manifest);
  // A damaged file must not replace the intact one before it.
  write_tensor_file(path_, std::move(whole), tensors, is_damaged_ ? "" : previous_);
  is_damaged_ = false;
}

// The manifest says whose file it is before memory is taken for the rest.
std::optional<TensorFile> CheckpointFile::read(const Json& run, const SizeLimit& limit, const CancelToken* cancel) {
  std::optional<Error> damage;
  for (const std::string& path : {path_, previous_}) {
    if (!file_exists(path)) continue;
    try {
      const Json manifest = of_argument("checkpoint_path", [&] { return read_manifest(path, kFormat, cancel); });
      if (const std::string text = differences("", manifest.value("run", Json::object()), run); !text.empty())
        throw invalid_argument("checkpoint_path", path, " is from a different run", text);
      return read_tensor_file(path, kFormat, limit, cancel);
    } catch (const Error& error) {
      if (error.status != REC_CORRUPT_DATA) throw;
      if (!damage) damage = error;
      is_damaged_ |= path == path_;
      log::write(REC_LOG_WARNING, cat("checkpoint_damaged path=", path, " reason=", error.message));
    }
  }
  if (damage) throw *damage;
  return std::nullopt;
}

}  // namespace rec
