#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/text_source.h"

namespace rec {

enum class Quotes { kNone, kRfc4180 };

// This separator makes each line one cell. A TextFile holds no NUL.
constexpr char kWholeLine = 0;

// Rows of cells. Lines end in LF, CRLF or CR; empty lines are skipped. Cells are views into the file's bytes.
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
  std::string_view quoted_cell();
  void end_line();
  void skip_line();

  char* begin_;
  char* at_;
  char* end_;
  char separator_;
  bool quotes_;
  bool broken_ = false;
  int64_t line_ = 0, next_line_ = 1;
  std::array<bool, 256> ends_cell_{};
};

// The most frequent of tab , ; | in a line, outside quotes, or 0.
char detect_separator(std::string_view line);

}  // namespace rec
