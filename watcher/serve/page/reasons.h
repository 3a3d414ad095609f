// Why lines of an extract were rejected, in short.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace caravel::watcher {

/// The most frequent reasons in a NAME.reasons.csv (docs/rejects.md), the first one first: "2 x
/// expected a blank (location)". Where in a line it was is left out, so that equal reasons count
/// together. Only the beginning of the file is read. Empty if it cannot be.
[[nodiscard]] std::vector<std::string> frequent_reasons(const std::string& path, std::size_t most);

}  // namespace caravel::watcher
