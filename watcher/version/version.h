// What `caravel --version` says.
#pragma once

#include <string>

namespace caravel::watcher {

/// The version and the commit in the first line, the libraries that are loaded below it: what a
/// report of a fault should begin with.
[[nodiscard]] std::string version_text();

}  // namespace caravel::watcher
