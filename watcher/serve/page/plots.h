// Numbers as the paths of an SVG: what the page draws, without a script.
#pragma once

#include <string>
#include <vector>

namespace caravel::watcher {

/// The size of every plot, in the units of its viewBox.
inline constexpr double kPlotWidth = 720;
inline constexpr double kPlotHeight = 120;

/// A bar for each value, on the ground; the largest one nearly fills the height. Path data
/// (w3.org/TR/SVG2, "Paths"); "M0 0" without any value over 0.
[[nodiscard]] std::string bars_path(const std::vector<double>& values);

/// The same as a closed area below a line.
[[nodiscard]] std::string area_path(const std::vector<double>& values);

}  // namespace caravel::watcher
