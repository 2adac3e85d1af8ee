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
  if (json_) write_line(stdout, dump(object));
}

void Output::line(const std::string& text) {
  if (json_) return;
  clear_progress();
  write_line(stdout, text);
}

void Output::note(const std::string& text) {
  if (quiet_) return;
  clear_progress();
  write_line(stderr, "recore: " + plain(text));
}

void Output::log(std::string_view message) {
  clear_progress();
  write_line(stderr, "recore: " + plain(message));
}

void Output::failure(const Failure& failure, const Json& more) {
  clear_progress();
  if (!json_) return write_line(stderr, "recore: " + plain(failure.message));
  Json object = failure_event(failure);
  object.update(more);
  event(object);
}

void Output::progress(std::string_view label, int64_t done, int64_t total, std::string_view rest) {
  if (!terminal_ || quiet_ || json_) return;
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

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

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
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

size_t width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace rec::cli
