#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/text_source.h"

namespace rec {

enum class Quotes { kNone, kRfc4180 };

// As a separator: each line is one cell. A TextFile holds no NUL.
constexpr char kWholeLine = 0;

// Rows of cells. Lines end in LF, CRLF or CR; empty lines are passed over. Cells are views into the file's bytes.
class DelimitedReader {
 public:
  DelimitedReader(TextFile& file, char separator, Quotes quotes);

  // False at the end of the file. INVALID_DATA for a broken quote.
  bool next(std::vector<std::string_view>& cells);
  // Where the row that next() gave, or failed on, begins; from 1.
  int64_t line() const { return line_; }
  // A quote was never closed, so there is no next row.
  bool broken() const { return broken_; }
  // The share of the file that was read.
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
