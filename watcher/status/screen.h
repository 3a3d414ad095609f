// `status --watch`: a screen of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "formatter/explain/styled_text.h"
#include "watcher/status/overview.h"

namespace caravel::watcher {

/// One character for each value, from "▁" to "█" for the largest; a blank for 0. At most `most`
/// characters: neighbours are added up, so that all of the time stays in sight.
[[nodiscard]] std::string sparkline(const std::vector<double>& values, std::size_t most);

/// What fits on `lines` lines of `columns` columns, the most urgent first; each line ends with a
/// line end.
[[nodiscard]] formatter::StyledText screen(const Overview& overview, std::size_t columns,
                                           std::size_t lines);

}  // namespace caravel::watcher
