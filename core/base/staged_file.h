#pragma once

#include <functional>
#include <string>

#include "core/base/cancel.h"
#include "core/base/descriptor.h"

namespace rec {

// The file that a save to `path` replaces or makes: where a symbolic link leads, else `path`. INVALID_ARGUMENT for a
// folder, device or FIFO; NOT_FOUND for a link to what cannot be made; DENIED for another user's link in a folder like /tmp.
std::string file_to_replace(const std::string& path);

// A new file, filled and flushed, that waits in the folder of file_to_replace(path) until replace_old() gives it that
// name; the old one is removed or becomes `keep_as`. Without replace_old() the old file stays as it was and the new one
// goes, also when the process is killed. The old file's mode is kept.
class StagedFile {
 public:
  StagedFile(const std::string& path, const std::function<void(FileWriter&)>& fill,
             const CancelToken* cancel = nullptr);
  StagedFile(StagedFile&&) = default;
  ~StagedFile();
  // Returns when the change is on disk.
  void replace_old(const std::string& keep_as = "");

 private:
  bool create(const std::string& name);
  bool link(const std::string& name);
  void claim_name(bool (StagedFile::*make)(const std::string& name));
  void remove_name();

  std::string path_, temporary_;  // the temporary name is "" while the file has none
  Descriptor file_;               // locked, so that nobody takes it for the leftover of a killed process
};

// In one step: fill, replace.
void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& fill,
                           const std::string& keep_as = "", const CancelToken* cancel = nullptr);

// Makes a change of the entries of path's folder durable, where the file system can and the folder may be read.
void flush_folder_of(const std::string& path);

// unlink(2), made durable; a missing file is not an error.
void remove_if_there(const std::string& path);

}  // namespace rec
