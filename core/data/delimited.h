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

// Rows of cells. Lines end in LF, CRLF or CR; empty lines are skipped. Cells are views into the file's bytes. With a blank
// as the separator, any run of blanks and tabs separates.
class DelimitedReader {
 public:
  DelimitedReader(TextFile& file, char separator, Quotes quotes);

  // False at the end of the file. INVALID_DATA for a broken quote.
  bool next(std::vector<std::string_view>& cells);
  // The line, from 1, at which the row that next() returned or failed on begins.
  int64_t line() const { return line_; }
  // A quote was never closed, so there is no next row.
  bool broken() const { return broken_; }
  // The fraction of the file read so far.
  double share() const { return begin_ == end_ ? 1 : static_cast<double>(at_ - begin_) / static_cast<double>(end_ - begin_); }

 private:
  bool at_cell_end() const { return at_ == end_ || ends_cell_[static_cast<unsigned char>(*at_)]; }
  std::string_view plain_cell();
  std::string_view quoted_cell();
  bool is_quoted_within_line() const;
  void skip_blanks();
  void end_line();
  void skip_line();

  char* begin_;
  char* at_;
  char* end_;
  char separator_;
  Quotes quotes_;
  bool broken_ = false;
  int64_t line_ = 0, next_line_ = 1;
  std::array<bool, 256> ends_cell_{}, is_blank_{};
};

// The most frequent of tab , ; | in a line, outside quotes; else a blank, if there is one within the line; else 0.
char detect_separator(std::string_view line);

}  // namespace rec
