#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/buffer.h"
#include "core/base/cancel.h"
#include "core/base/checked.h"

namespace rec {

// A text file in memory, checked to be text: not empty, no UTF-16, no NUL, no known binary format, no JSON and no HTML; without its BOM, comments
// before the rows (lines that begin with "# ", "% " or "%%"), the size line of Matrix Market and the "sep=;" of spreadsheets.
struct TextFile {
  std::string path;
  Buffer<char> bytes;
  int64_t begin = 0;       // behind the BOM and what comes before the rows
  int64_t first_line = 1;  // that begins there
  bool is_whole = true;    // rather than its beginning
  std::string comment;     // the last one before the rows, without its sign

  // Readers unescape quoted cells in place, so they may change the bytes.
  char* data() { return bytes.data() + begin; }
  int64_t size() const { return bytes.size() - begin; }
  std::string_view text() const { return {bytes.data() + begin, static_cast<size_t>(size())}; }
};

// INVALID_DATA if there is a NUL in the text, which begins at this offset and line of its file.
void refuse_nul(const TextFile& file, int64_t offset, int64_t line);

TextFile open_text(const std::string& path, MemoryBudget& budget, const CancelToken* cancel = nullptr);
constexpr int64_t kTextHead = 1 << 16;
// Its beginning, enough to recognise the format: behind what comes before the rows, some KiB of them.
TextFile open_text_head(const std::string& path);

// "path:line: message", with file and line in their fields; an error that already has a place keeps it.
Error located(Error error, const std::string& path, int64_t line);

// Returns work(); adds the place to an error that it throws.
template <class Work>
auto with_place(const std::string& path, int64_t line, const Work& work) {
  try {
    return work();
  } catch (Error& error) {
    throw located(std::move(error), path, line);
  }
}

// The first line that is not empty, for telling formats apart; "" for a file that has none.
std::string_view first_line(std::string_view text);

// FOLDER/NAME or FOLDER/NAME.gz, whichever exists.
std::optional<std::string> find_text_file(const std::string& folder, const std::string& name);

// The text when it is UTF-8, else read as Latin-1.
std::string latin1_to_utf8(std::string_view text);

}  // namespace rec
