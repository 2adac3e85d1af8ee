#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rec::cli {

namespace {

void write_line(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fputc('\n', file);
  std::fflush(file);
}

size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Output::Output(bool json, bool quiet) : json_(json), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

void Output::event(const Json& object) {
  if (!json_) return;
  const std::lock_guard lock(mutex_);
  write_line(stdout, dump(object));
}

void Output::line(const std::string& text) {
  if (json_) return;
  const std::lock_guard lock(mutex_);
  clear_progress();
  write_line(stdout, text);
}

void Output::note(const std::string& text) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  clear_progress();
  write_line(stderr, "recore: " + plain(text));
}

void Output::log(std::string_view message) {
  const std::lock_guard lock(mutex_);
  clear_progress();
  write_line(stderr, "recore: " + plain(message));
}

void Output::failure(const Failure& failure, const Json& more) {
  const std::lock_guard lock(mutex_);
  clear_progress();
  if (!json_) return write_line(stderr, "recore: " + plain(failure.message));
  Json object = failure_event(failure);
  object.update(more);
  event(object);
}

void Output::progress(std::string_view label, int64_t done, int64_t total, std::string_view rest) {
  if (!terminal_ || quiet_ || json_) return;
  const std::lock_guard lock(mutex_);
  constexpr size_t kBar = 24;
  const double share = total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0;
  const auto full = static_cast<size_t>(share * kBar);
  std::string text(label);
  text += " [" + std::string(full, '#') + std::string(kBar - full, '.') + "] ";
  text += rest;
  text.resize(std::min(text.size(), terminal_width() - 1));
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Output::clear_progress() {
  const std::lock_guard lock(mutex_);
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

Json failure_event(const Failure& failure) {
  return {{"event", "error"},
          {"status", rec_status_name(failure.status)},
          {"message", failure.message},
          {"argument", failure.argument.empty() ? Json() : Json(failure.argument)},
          {"file", failure.file.empty() ? Json() : Json(failure.file)},
          {"line", failure.line < 0 ? Json() : Json(failure.line)}};
}

namespace {

// A byte on its way through a JSON string: its two halves as the noncharacters U+FDD0 to U+FDEF, whose UTF-8 begins with
// EF B7. Text that holds one of those is written in bytes, so that nothing else looks like this.
constexpr std::string_view kMark = "\xef\xb7";

// The bytes of the UTF-8 character that the text begins with; 0 if it begins with none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t n = first >= 0xc2 && first <= 0xdf ? 2 : first >> 4 == 0xe ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  for (size_t i = 1; i < n; ++i)
    if (byte(i) >> 6 != 2) return 0;
  // Longer than needed, a surrogate, or beyond U+10FFFF.
  const bool bad = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                   (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return bad ? 0 : n;
}

void append_byte(std::string& out, unsigned char byte) {
  for (const int half : {byte >> 4, 16 + (byte & 15)}) (out += kMark) += static_cast<char>(0x90 + half);
}

}  // namespace

Json text_json(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t n = utf8_length(text.substr(at));
    const bool marked = text.substr(at).starts_with(kMark) && n == 3 &&
                        static_cast<unsigned char>(text[at + 2]) >= 0x90 &&
                        static_cast<unsigned char>(text[at + 2]) <= 0xaf;
    if (n > 0 && !marked) {
      out += text.substr(at, n);
      at += n;
    } else {
      for (size_t i = 0; i < std::max<size_t>(n, 1); ++i) append_byte(out, static_cast<unsigned char>(text[at++]));
    }
  }
  return out;
}

std::string dump(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.find(kMark) == std::string::npos) return text;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t mark = std::min(text.find(kMark, at), text.size());
    out.append(text, at, mark - at);
    at = mark;
    const auto half = [&](size_t i) { return static_cast<unsigned char>(text[i]) - 0x90; };
    if (text.size() - at >= 6 && half(at + 2) >= 0 && half(at + 2) < 16 && text.compare(at + 3, 2, kMark) == 0) {
      constexpr char kDigits[] = "0123456789abcdef";
      ((out += "\\udc") += kDigits[half(at + 2)]) += kDigits[half(at + 5) - 16];
      at += 6;
    } else if (at < text.size()) {
      out += text[at++];
    }
  }
  return out;
}

Table::Table(std::vector<std::string> header) : right_(header.size(), false) { rows_.push_back(std::move(header)); }

Table& Table::right(size_t column) {
  right_[column] = true;
  return *this;
}

void Table::add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

std::string Table::text() const {
  std::vector<size_t> widths(right_.size(), 0);
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - width(row[c]), ' ');
      line += (c > 0 ? "  " : "") + (right_[c] ? space + row[c] : row[c] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += (out.empty() ? "" : "\n") + line;
  }
  return out;
}

std::string rounded(double value) {
  char text[32];
  if (std::isnan(value)) return "-";
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string fixed(const Json& value, int digits) { return value.is_null() ? "-" : fixed(value.get<double>(), digits); }

std::string grouped(int64_t value) {
  std::string text = std::to_string(value);
  const size_t first = value < 0 ? 1 : 0;
  for (size_t i = text.size(); i > first + 3;) text.insert(i -= 3, ",");
  return text;
}

std::string seconds_text(double seconds) {
  char text[64];
  if (seconds < 0.1)
    std::snprintf(text, sizeof text, "%.3g ms", seconds * 1000);
  else if (seconds < 60)
    std::snprintf(text, sizeof text, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  else
    std::snprintf(text, sizeof text, "%.0f min %02.0f s", std::floor(seconds / 60), std::floor(std::fmod(seconds, 60)));
  return text;
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  return dump(value);
}

std::string plain(std::string_view text) {
  std::string out;
  size_t n_following = 0;  // bytes that belong to a character of UTF-8
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned c = byte(i);
    // Also the C1 controls, by themselves or in UTF-8, and what turns the direction of writing.
    const bool is_c1 = c == 0xC2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9F;
    const bool is_turn = c == 0xE2 && ((byte(i + 1) == 0x80 && byte(i + 2) >= 0xAA && byte(i + 2) <= 0xAE) ||
                                       (byte(i + 1) == 0x81 && byte(i + 2) >= 0xA6 && byte(i + 2) <= 0xA9));
    if (is_c1 || is_turn) {
      out += '?';
      i += is_c1 ? 1 : 2;
      continue;
    }
    if (n_following > 0)
      --n_following;
    else if (c >= 0xC2)
      n_following = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    else if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) {
      out += '?';
      continue;
    }
    out += static_cast<char>(c);
  }
  return out;
}

size_t width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace rec::cli
