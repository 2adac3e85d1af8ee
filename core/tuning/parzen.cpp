#include "core/tuning/parzen.h"

#include <algorithm>
#include <cmath>

namespace rec {

namespace {

constexpr int kMostDraws = 1000;  // a third of them is inside, at the least

double cumulative(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double between(double from, double to, double mean, double width) {
  return cumulative((to - mean) / width) - cumulative((from - mean) / width);
}

}  // namespace

Parzen::Parzen(std::vector<double> points, double low, double high) : low_(low), high_(high) {
  const double range = high - low;
  const auto add = [&](double mean, double width) {
    components_.push_back({mean, width, between(low, high, mean, width)});
  };
  add((low + high) / 2, range);
  std::sort(points.begin(), points.end());
  const size_t n = points.size();
  const double least = range / static_cast<double>(std::min<size_t>(100, n + 1));
  for (size_t i = 0; i < n; ++i) {
    const double left = points[i] - (i > 0 ? points[i - 1] : low),
                 right = (i + 1 < n ? points[i + 1] : high) - points[i];
    add(points[i], std::clamp(std::max(left, right), least, range));
  }
}

double Parzen::draw(Rng& rng) const {
  const Component& component = components_[rng.next_below(static_cast<uint32_t>(components_.size()))];
  double x = component.mean;
  for (int i = 0; i < kMostDraws; ++i) {
    x = component.mean + component.width * static_cast<double>(rng.next_normal());
    if (x >= low_ && x <= high_) break;
  }
  return std::clamp(x, low_, high_);
}

double Parzen::density(double x) const {
  double sum = 0;
  for (const Component& c : components_) {
    const double z = (x - c.mean) / c.width;
    sum += std::exp(-0.5 * z * z) / (c.width * c.inside);
  }
  return sum / (std::sqrt(2 * 3.141592653589793) * static_cast<double>(components_.size()));
}

double Parzen::mass(double from, double to) const {
  double sum = 0;
  for (const Component& c : components_) sum += between(from, to, c.mean, c.width) / c.inside;
  return sum / static_cast<double>(components_.size());
}

}  // namespace rec
