#include "core/data/text_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/files.h"
#include "core/base/text.h"

namespace rec {

namespace {

struct Magic {
  std::string_view bytes;
  const char* what;
};

constexpr Magic kBinaryFormats[] = {
    {"\x1f\x8b", "gzip data (such a file is read when its name ends in .gz)"},
    {"PK\x03\x04", "a zip archive"},
    {"PAR1", "a Parquet file, which cannot stand where a text file is wanted"},
    {"ARROW1", "an Arrow file"},
    {"\x89HDF", "an HDF5 file"},
    {"\x93NUMPY", "a NumPy file"},
    {"SQLite format 3", "an SQLite database"},
    {"\x80\x04\x95", "a Python pickle"},
    {"\x7f"
     "ELF",
     "a program"},
    {"BZh", "bzip2 data"},
    {"\xfd"
     "7zXZ",
     "xz data"},
    {"\x28\xb5\x2f\xfd", "zstd data"},
};

// Text that is no rows, with what to do instead.
constexpr Magic kOtherTexts[] = {
    {"version https://git-lfs", "a pointer of Git LFS, not the data; `git lfs pull` fetches those"},
    {"<!", "HTML, not rows; was a page saved instead of the file that it links to?"},
    {"<html", "HTML, not rows; was a page saved instead of the file that it links to?"},
    {"<?xml", "XML, not rows of cells; write its fields as columns of CSV"},
    {"{\"", "JSON, not rows of cells; write its fields as columns of CSV"},
    {"[{", "JSON, not rows of cells; write its fields as columns of CSV"},
};

Error not_text(const std::string& path, int64_t line, const std::string& what) {
  return located(Error(REC_INVALID_DATA, what), path, line);
}

bool looks_like_utf16(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return true;
  return text.size() >= 4 && ((text[0] == 0 && text[2] == 0) || (text[1] == 0 && text[3] == 0));
}

}  // namespace

Error located(Error error, const std::string& path, int64_t line) {
  if (!error.file.empty()) return error;
  error.message = cat(path, ":", line, ": ", error.message);
  error.at_line(path, line);
  return error;
}

void refuse_nul(const TextFile& file, int64_t offset, int64_t line) {
  const std::string_view text = file.text();
  const void* const nul = std::memchr(text.data(), 0, text.size());
  if (nul == nullptr) return;
  const auto at = static_cast<const char*>(nul) - text.data();
  throw not_text(file.path, line + std::count(text.begin(), text.begin() + at, '\n'),
                 cat("NUL byte at offset ", offset + at, "; this is not a text file"));
}

namespace {

void skip_preamble(TextFile& file) {
  bool has_size_line = file.text().starts_with("%%MatrixMarket");
  while (true) {
    const std::string_view text = file.text();
    const bool is_comment = text.starts_with("# ") || text.starts_with("% ") || text.starts_with("%%");
    const bool names_separator = text.starts_with("sep=") && text.find_first_of("\r\n") == 5;
    if (!is_comment && !names_separator && !std::exchange(has_size_line, false)) return;
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return;
    if (is_comment) file.comment = trim(text.substr(0, end).substr(2));
    file.begin += static_cast<int64_t>(end) + 1;
    ++file.first_line;
  }
}

TextFile checked_text(const std::string& path, Buffer<char> bytes, bool is_whole = true) {
  TextFile file;
  file.is_whole = is_whole;
  file.path = path;
  file.bytes = std::move(bytes);
  std::string_view text = file.text();
  if (text.empty()) throw not_text(path, 1, "the file is empty");
  if (looks_like_utf16(text)) throw not_text(path, 1, "the file is UTF-16 text; save it as UTF-8");
  for (const Magic& magic : kBinaryFormats)
    if (text.starts_with(magic.bytes)) throw not_text(path, 1, cat("the file is no text; it is ", magic.what));
  constexpr size_t kTarMagic = 257;
  if (text.size() > kTarMagic && text.substr(kTarMagic).starts_with("ustar"))
    throw not_text(path, 1, "the file is a tar archive; unpack it, and give the file inside");
  refuse_nul(file, 0, 1);
  if (text.starts_with("\xef\xbb\xbf")) file.begin = 3;
  for (const Magic& magic : kOtherTexts)
    if (first_line(file.text()).starts_with(magic.bytes)) throw not_text(path, 1, cat("the file is ", magic.what));
  skip_preamble(file);
  if (file.size() == 0 && is_whole) throw not_text(path, 1, "the file is empty");
  return file;
}

}  // namespace

TextFile open_text(const std::string& path, MemoryBudget& budget, const CancelToken* cancel) {
  const int64_t limit = budget.limit() > 0 ? std::max<int64_t>(1, budget.limit() - budget.used()) : 0;
  Buffer<char> bytes = read_text_file(path, limit, cancel);
  budget.charge(bytes.size(), "the file's text");
  return checked_text(path, std::move(bytes));
}

TextFile open_text_head(const std::string& path) {
  constexpr int64_t kMost = kTextHead << 10;
  for (int64_t n = kTextHead;; n *= 4) {
    Buffer<char> bytes = read_text_head(path, n);
    const bool is_whole = bytes.size() < n;
    TextFile file = checked_text(path, std::move(bytes), is_whole);
    if (is_whole || file.size() >= kTextHead / 4 || n >= kMost) return file;
  }
}

std::string_view first_line(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  return text.substr(0, text.find_first_of("\r\n"));
}

std::optional<std::string> find_text_file(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  if (file_exists(path)) return path;
  if (file_exists(path + ".gz")) return path + ".gz";
  return std::nullopt;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

}  // namespace rec
