#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/text_source.h"

namespace rec {

// kNone: a quote is a character, and blanks belong to the cell. In the others blanks around a cell do not. kLiteral: a quote
// is a character. kRfc4180: a cell that begins with a quote ends with one, and may hold separators and line ends.
// kWithinLine: the same, but only where it ends so in its line; any other quote is a character, as in dumps that know no
// quotes.
enum class Quotes { kNone, kLiteral, kRfc4180, kWithinLine };

// This separator makes each line one cell. A TextFile holds no NUL.
constexpr char kWholeLine = 0;

// Rows of cells. Lines end in LF, CRLF or CR; empty lines and lines of blanks are skipped. Cells are views into the file's bytes. With a blank
// as the separator, any run of blanks and tabs separates.
class DelimitedReader {
 public:
  // Where the text begins, if it is a piece of a file.
  struct Place {
    int64_t line = 1, offset = 0;
    int64_t file_size = 0;  // 0: the text is all of the file
  };
  DelimitedReader(TextFile& file, char separator, Quotes quotes)
      : DelimitedReader(file, separator, quotes, {file.first_line, 0, 0}) {}
  DelimitedReader(TextFile& file, char separator, Quotes quotes, const Place& place);

  // False at the end of the file. INVALID_DATA for a broken quote.
  bool next(std::vector<std::string_view>& cells);
  // The line, from 1, at which the row that next() returned or failed on begins.
  int64_t line() const { return line_; }
  // The line and the offset at which the next row is looked for.
  int64_t next_line() const { return next_line_; }
  int64_t next_offset() const { return offset_ + (at_ - begin_); }
  bool at_end() const { return at_ == end_; }
  // A quote was never closed, so there is no next row.
  bool broken() const { return broken_; }
  // The fraction of the file read so far.
  double share() const {
    return file_size_ == 0 ? 1 : static_cast<double>(next_offset()) / static_cast<double>(file_size_);
  }

 private:
  bool at_cell_end() const { return at_ == end_ || ends_cell_[static_cast<unsigned char>(*at_)]; }
  std::string_view plain_cell();
  std::string_view quoted_cell();
  bool is_quoted_within_line() const;
  bool skip_empty_line();
  void skip_blanks();
  void end_line();
  void skip_line();

  char* begin_;
  char* at_;
  char* end_;
  char separator_;
  Quotes quotes_;
  bool broken_ = false;
  int64_t line_ = 0, next_line_, offset_, file_size_;
  std::array<bool, 256> ends_cell_{}, is_blank_{};
};

// The most frequent of tab , ; | in a line, outside quotes; else a blank, if there is one within the line; else 0.
char detect_separator(std::string_view line);

}  // namespace rec
