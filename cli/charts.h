// Small drawings as inline SVG. Colours are the page's CSS classes, so that one drawing serves light and dark.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rec::cli {

std::string escape(std::string_view text);  // for HTML text and attributes

struct Series {
  std::string name;
  int colour = 1;                                 // class cN of the page
  bool dots = false;                              // else a line
  std::vector<std::pair<double, double>> points;  // x ascending; a y that cannot be drawn is a gap
};

struct Chart {
  std::string title, x_label;
  bool log_x = false, log_y = false, whole_x = false, percent_y = false;
  std::vector<Series> series;
  std::optional<std::pair<double, double>> mark;  // one point to highlight
  std::string mark_text;
};

std::string draw(const Chart& chart);

struct Bar {
  std::string label;            // on hover
  std::vector<double> heights;  // stacked, colour 1 below
};

std::string draw_bars(const std::string& title, const std::string& x_label, double first_x, double last_x,
                      const std::vector<Bar>& bars);

struct Interval {
  std::string label;  // above its line
  double value, low, high;
};

// A line for each interval with a dot for its value, and a rule at 0. Those that are not finite are left out.
std::string draw_intervals(const std::string& title, const std::string& x_label,
                           const std::vector<Interval>& intervals);

}  // namespace rec::cli
