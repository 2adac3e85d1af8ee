#include "cli/charts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rec::cli {

namespace {

// The viewBox; text is 12 units high, legible from 300 px of width on.
constexpr double kWidth = 400, kHeight = 240, kLeft = 54, kRight = 12, kTop = 12, kBottom = 42;

std::string number(double value, const char* format = "%.4g") {
  char text[40];
  std::snprintf(text, sizeof text, format, value == 0 ? 0.0 : value);
  return text;
}

std::string at(double value) { return number(value, "%.2f"); }

std::string tick_text(double value, bool percent) {
  if (percent) return number(value * 100) + "%";
  if (std::abs(value) >= 1e6) return number(value / 1e6) + "M";
  if (std::abs(value) >= 1e4) return number(value / 1e3) + "k";
  if (value != 0 && std::abs(value) < 1e-3) return number(value, "%.0e");
  return number(value);
}

struct Axis {
  double low = 0, high = 1, from = 0, to = 1;  // values, and their pixel positions
  bool log = false;

  double place(double value) const {
    const double a = log ? std::log10(low) : low, b = log ? std::log10(high) : high;
    return from + (to - from) * ((log ? std::log10(value) : value) - a) / (b - a);
  }
};

std::vector<double> ticks(const Axis& axis, bool whole) {
  std::vector<double> out;
  if (axis.log) {
    const double decades = std::log10(axis.high / axis.low);
    for (int power = static_cast<int>(std::ceil(std::log10(axis.low) - 1e-9));
         std::pow(10, power) <= axis.high * 1.0001; ++power)
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double value = digit * std::pow(10, power);
        if ((digit == 1 || decades < 2) && value <= axis.high * 1.0001) out.push_back(value);
      }
    return out;
  }
  const double rough = (axis.high - axis.low) / 4, power = std::pow(10, std::floor(std::log10(rough)));
  double step = power;
  for (const double digit : {1.0, 2.0, 5.0, 10.0})
    if (digit * power >= rough * 0.999) {
      step = digit * power;
      break;
    }
  if (whole) step = std::max(1.0, std::round(step));
  for (double value = std::ceil(axis.low / step - 1e-9) * step; value <= axis.high + step * 1e-6; value += step)
    out.push_back(value);
  return out;
}

void x_axis(std::string& svg, const Axis& x, double bottom, bool whole, const std::string& label) {
  for (const double value : ticks(x, whole))
    svg += "<text class=tick text-anchor=middle x=" + at(x.place(value)) + " y=" + at(bottom + 17) + ">" +
           tick_text(value, false) + "</text>";
  svg +=
      "<line class=axis x1=" + at(x.from) + " x2=" + at(x.to) + " y1=" + at(bottom) + " y2=" + at(bottom) + "></line>";
  svg += "<text class=tick text-anchor=middle x=" + at((x.from + x.to) / 2) + " y=" + at(bottom + kBottom - 5) + ">" +
         escape(label) + "</text>";
}

void frame(std::string& svg, const Axis& x, const Axis& y, bool whole_x, bool percent_y, const std::string& x_label) {
  for (const double value : ticks(y, false)) {
    const std::string level = at(y.place(value));
    svg += "<line class=grid x1=" + at(x.from) + " x2=" + at(x.to) + " y1=" + level + " y2=" + level + "></line>";
    svg += "<text class=tick text-anchor=end x=" + at(x.from - 7) + " y=" + at(y.place(value) + 4) + ">" +
           tick_text(value, percent_y) + "</text>";
  }
  x_axis(svg, x, y.from, whole_x, x_label);
}

std::string opening(const std::string& title, double height = kHeight) {
  return "<svg viewBox=\"0 0 " + number(kWidth) + " " + number(height) + "\" role=img aria-label=\"" + escape(title) +
         "\">";
}

bool drawable(const Chart& chart, const std::pair<double, double>& point) {
  return std::isfinite(point.second) && (!chart.log_x || point.first > 0) && (!chart.log_y || point.second > 0);
}

void draw_series(std::string& svg, const Chart& chart, const Series& series, const Axis& x, const Axis& y) {
  const std::string colour = "c" + std::to_string(series.colour);
  if (!series.dots) {
    std::string path;
    bool pen_down = false;
    for (const auto& point : series.points) {
      if (!drawable(chart, point)) {
        pen_down = false;
        continue;
      }
      path += (pen_down ? " L" : " M") + at(x.place(point.first)) + " " + at(y.place(point.second));
      pen_down = true;
    }
    svg += "<path class=\"line " + colour + "\" d=\"" + path + "\"></path>";
  }
  for (const auto& point : series.points) {
    if (!drawable(chart, point)) continue;
    // On a line the circle is only a target for hovering.
    svg += std::string("<circle class=\"") + (series.dots ? "dot " : "touch ") + colour +
           "\" cx=" + at(x.place(point.first)) + " cy=" + at(y.place(point.second)) +
           " r=" + (series.dots ? "2.6" : "7") + "><title>" + escape(chart.x_label) + " " +
           number(point.first, "%.6g") + ": " + escape(series.name) + " " + tick_text(point.second, chart.percent_y) +
           "</title></circle>";
  }
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string draw(const Chart& chart) {
  Axis x{INFINITY, -INFINITY, kLeft, kWidth - kRight, chart.log_x},
      y{INFINITY, -INFINITY, kHeight - kBottom, kTop, chart.log_y};
  for (const Series& series : chart.series)
    for (const auto& point : series.points) {
      if (!drawable(chart, point)) continue;
      x.low = std::min(x.low, point.first);
      x.high = std::max(x.high, point.first);
      y.low = std::min(y.low, point.second);
      y.high = std::max(y.high, point.second);
    }
  if (!(x.low < x.high)) return {};
  if (chart.log_y) {
    y.low /= 1.3;
    y.high *= 1.3;
  } else {
    const double room = y.high > y.low ? (y.high - y.low) * 0.08 : std::max(std::abs(y.high) * 0.1, 1e-6);
    const bool above_zero = y.low >= 0;
    y.low -= room;
    y.high += room;
    if (above_zero) y.low = std::max(y.low, 0.0);
  }
  std::string svg = opening(chart.title);
  frame(svg, x, y, chart.whole_x, chart.percent_y, chart.x_label);
  if (chart.mark && drawable(chart, *chart.mark)) {
    const double left = x.place(chart.mark->first);
    const bool near_right = left > (x.from + x.to) / 2;
    const bool low = y.place(chart.mark->second) > (y.from + y.to) / 2;  // keeps the text clear of the curve
    svg += "<line class=mark x1=" + at(left) + " x2=" + at(left) + " y1=" + at(y.from) + " y2=" + at(y.to) + "></line>";
    svg += "<text class=note text-anchor=" + std::string(near_right ? "end" : "start") +
           " x=" + at(left + (near_right ? -6 : 6)) + " y=" + at(low ? y.to + 12 : y.from - 8) + ">" +
           escape(chart.mark_text) + "</text>";
  }
  for (const Series& series : chart.series) draw_series(svg, chart, series, x, y);
  if (chart.mark && drawable(chart, *chart.mark))
    svg += "<circle class=best cx=" + at(x.place(chart.mark->first)) + " cy=" + at(y.place(chart.mark->second)) +
           " r=4.5></circle>";
  return svg + "</svg>";
}

std::string draw_bars(const std::string& title, const std::string& x_label, double first_x, double last_x,
                      const std::vector<Bar>& bars) {
  double most = 0;
  for (const Bar& bar : bars) {
    double sum = 0;
    for (const double height : bar.heights) sum += height;
    most = std::max(most, sum);
  }
  if (bars.empty() || !(most > 0)) return {};
  const double slot = (kWidth - kLeft - kRight) / static_cast<double>(bars.size());
  const double gap = slot > 6 ? 2 : slot * 0.2, thick = std::min(slot - gap, 36.0);
  const double half = last_x > first_x ? (last_x - first_x) / static_cast<double>(bars.size() - 1) / 2 : 0.5;
  const Axis x{first_x - half, last_x + half, kLeft, kWidth - kRight, false},
      y{0, most * 1.08, kHeight - kBottom, kTop, false};
  std::string svg = opening(title);
  frame(svg, x, y, true, false, x_label);
  for (size_t i = 0; i < bars.size(); ++i) {
    const double left = kLeft + slot * (static_cast<double>(i) + 0.5) - thick / 2;
    double below = 0;
    svg += "<g><title>" + escape(bars[i].label) + "</title>";
    for (size_t part = 0; part < bars[i].heights.size(); ++part) {
      const double above = below + bars[i].heights[part];
      svg += "<rect class=\"bar c" + std::to_string(part + 1) + "\" x=" + at(left) + " width=" + at(thick) +
             " y=" + at(y.place(above)) + " height=" + at(y.place(below) - y.place(above)) + "></rect>";
      below = above;
    }
    svg += "</g>";
  }
  return svg + "</svg>";
}

std::string draw_intervals(const std::string& title, const std::string& x_label,
                           const std::vector<Interval>& intervals) {
  constexpr double kRow = 34, kSide = 16;
  std::vector<Interval> drawn;
  Axis x{0, 0, kSide, kWidth - kSide, false};
  for (const Interval& interval : intervals) {
    if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) continue;
    drawn.push_back(interval);
    x.low = std::min(x.low, interval.low);
    x.high = std::max(x.high, interval.high);
  }
  if (drawn.empty() || x.low == x.high) return {};
  const double room = (x.high - x.low) * 0.05, bottom = kTop + kRow * static_cast<double>(drawn.size());
  x.low -= room;
  x.high += room;
  std::string svg = opening(title, bottom + kBottom);
  svg += "<line class=grid x1=" + at(x.place(0)) + " x2=" + at(x.place(0)) + " y1=" + at(kTop) + " y2=" + at(bottom) +
         "></line>";
  for (size_t i = 0; i < drawn.size(); ++i) {
    const double level = kTop + kRow * (static_cast<double>(i) + 0.7);
    svg += "<text class=tick x=" + at(kSide) + " y=" + at(level - 9) + ">" + escape(drawn[i].label) + "</text>";
    svg += "<line class=\"line c1\" x1=" + at(x.place(drawn[i].low)) + " x2=" + at(x.place(drawn[i].high)) +
           " y1=" + at(level) + " y2=" + at(level) + "></line>";
    svg += "<circle class=\"dot c1\" cx=" + at(x.place(drawn[i].value)) + " cy=" + at(level) + " r=4><title>" +
           number(drawn[i].value) + ", " + number(drawn[i].low) + " to " + number(drawn[i].high) + "</title></circle>";
  }
  x_axis(svg, x, bottom, false, x_label);
  return svg + "</svg>";
}

}  // namespace rec::cli
