#include "core/data/delimited.h"

#include <algorithm>

#include "core/base/text.h"

namespace rec {

namespace {

constexpr size_t kMostCells = 100'000;  // each takes 16 bytes, and one of a header more

}  // namespace

DelimitedReader::DelimitedReader(TextFile& file, char separator, Quotes quotes, const Place& place)
    : begin_(file.data()),
      at_(begin_),
      end_(file.data() + file.size()),
      separator_(separator),
      quotes_(quotes),
      next_line_(place.line),
      offset_(place.offset),
      file_size_(place.file_size > 0 ? place.file_size : file.size()) {
  for (char c : {separator, '\r', '\n'}) ends_cell_[static_cast<unsigned char>(c)] = true;
  if (separator == ' ') ends_cell_['\t'] = true;
  if (quotes == Quotes::kNone && separator != ' ') return;
  is_blank_[' '] = true;
  if (separator != '\t') is_blank_['\t'] = true;
}

void DelimitedReader::end_line() {
  if (at_ == end_) return;
  if (*at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n') ++at_;
  ++at_;
  ++next_line_;
}

void DelimitedReader::skip_line() {
  at_ = std::find_if(at_, end_, [](char c) { return c == '\n' || c == '\r'; });
  end_line();
}

bool DelimitedReader::next(std::vector<std::string_view>& cells) {
  while (at_ < end_ && skip_empty_line()) {
  }
  cells.clear();
  line_ = next_line_;
  if (at_ == end_) return false;
  if (std::string_view(at_, end_ - at_).starts_with("\xef\xbb\xbf")) {
    skip_line();
    throw Error(REC_INVALID_DATA, "a byte order mark, which only a file begins with: another file was added here");
  }
  while (true) {
    skip_blanks();
    const bool ends = at_ == end_ || *at_ == '\n' || *at_ == '\r';
    if (cells.size() == kMostCells) {
      skip_line();
      throw Error(REC_INVALID_DATA, cat("the row has more than ", kMostCells, " columns"));
    }
    if (separator_ == ' ' && ends && !cells.empty()) break;
    const bool quoted = !ends && *at_ == '"' && (quotes_ == Quotes::kRfc4180 || is_quoted_within_line());
    cells.push_back(quoted ? quoted_cell() : plain_cell());
    if (separator_ == ' ') continue;
    if (at_ == end_ || *at_ != separator_) break;
    ++at_;
  }
  end_line();
  return true;
}

// Also a line of blanks, and the byte that DOS ends a file with; false at a line that has something.
bool DelimitedReader::skip_empty_line() {
  constexpr char kEndOfDosFile = 0x1a;
  char* at = at_;
  while (at < end_ && is_blank_[static_cast<unsigned char>(*at)]) ++at;
  if (at + 1 == end_ && *at == kEndOfDosFile) ++at;
  if (at < end_ && *at != '\n' && *at != '\r') return false;
  at_ = at;
  if (at_ < end_) end_line();
  return true;
}

void DelimitedReader::skip_blanks() {
  while (at_ < end_ && is_blank_[static_cast<unsigned char>(*at_)]) ++at_;
}

std::string_view DelimitedReader::plain_cell() {
  // A local copy: a store to the member might alias the bytes, and would be made for each of them.
  char* at = at_;
  char* const end = end_;
  while (at < end && !ends_cell_[static_cast<unsigned char>(*at)]) ++at;
  const char* last = at;
  while (last > at_ && is_blank_[static_cast<unsigned char>(last[-1])]) --last;
  const std::string_view cell(at_, last - at_);
  at_ = at;
  return cell;
}

// Whether the quote at at_ is closed in its line, before the end of the cell.
bool DelimitedReader::is_quoted_within_line() const {
  if (quotes_ != Quotes::kWithinLine) return false;
  for (const char* at = at_ + 1; at < end_ && *at != '\n' && *at != '\r'; ++at) {
    if (*at != '"') continue;
    if (at + 1 < end_ && at[1] == '"') {
      ++at;
      continue;
    }
    ++at;
    while (separator_ != ' ' && at < end_ && is_blank_[static_cast<unsigned char>(*at)]) ++at;
    return at == end_ || ends_cell_[static_cast<unsigned char>(*at)];
  }
  return false;
}

// A doubled quote stands for one: the cell only shrinks, so it is rewritten in place.
std::string_view DelimitedReader::quoted_cell() {
  const int64_t first_line = next_line_;
  char* const begin = ++at_;
  char* out = begin;
  while (true) {
    if (at_ == end_) {
      broken_ = true;
      line_ = first_line;
      throw Error(REC_INVALID_DATA, "a quoted cell that begins in this line is never closed");
    }
    if (*at_ == '"') {
      ++at_;
      if (at_ == end_ || *at_ != '"') break;
    } else if (*at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] != '\n'))) {
      ++next_line_;
    }
    *out++ = *at_++;
  }
  if (separator_ != ' ') skip_blanks();  // else a blank is the end of the cell
  if (!at_cell_end()) {
    skip_line();
    throw Error(REC_INVALID_DATA, "text after the closing quote of a cell");
  }
  return {begin, static_cast<size_t>(out - begin)};
}

char detect_separator(std::string_view line) {
  char best = 0;
  int64_t most = 0;
  for (char candidate : {'\t', ',', ';', '|'}) {
    bool quoted = false;
    int64_t count = 0;
    for (char c : line) {
      if (c == '"') quoted = !quoted;
      count += c == candidate && !quoted;
    }
    if (count > most) {
      most = count;
      best = candidate;
    }
  }
  return best == 0 && trim(line).find(' ') != std::string_view::npos ? ' ' : best;
}

}  // namespace rec
