#include "watcher/serve/page/plots.h"

#include <algorithm>

#include <fmt/format.h>

namespace caravel::watcher {
namespace {

/// The part of the height that the largest value takes: a line at the very edge would be cut.
constexpr double kShareOfHeight = 0.92;

/// An empty path would be one that scripts and checkers complain of.
constexpr const char* kNothing = "M0 0";

double largest_of(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::ranges::max_element(values);
}

double height_of(double value, double largest) {
  return value / largest * kPlotHeight * kShareOfHeight;
}

}  // namespace

std::string bars_path(const std::vector<double>& values) {
  const double largest = largest_of(values);
  if (largest <= 0) return kNothing;
  const double width = kPlotWidth / static_cast<double>(values.size());
  constexpr double kGap = 0.2;
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] <= 0) continue;
    // At least one unit high: little is not nothing.
    const double height = std::max(1.0, height_of(values[i], largest));
    out += fmt::format("M{:.1f} {:.0f}v{:.1f}h{:.1f}v{:.1f}z",
                       (static_cast<double>(i) + kGap / 2) * width, kPlotHeight, -height,
                       width * (1 - kGap), height);
  }
  return out;
}

std::string area_path(const std::vector<double>& values) {
  const double largest = largest_of(values);
  if (largest <= 0) return kNothing;
  const double width = kPlotWidth / static_cast<double>(values.size());
  std::string out = fmt::format("M0 {:.0f}", kPlotHeight);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = (static_cast<double>(i) + 0.5) * width;
    out += fmt::format("L{:.1f} {:.1f}", x, kPlotHeight - height_of(values[i], largest));
  }
  return out + fmt::format("L{0:.0f} {1:.0f}z", kPlotWidth, kPlotHeight);
}

}  // namespace caravel::watcher
