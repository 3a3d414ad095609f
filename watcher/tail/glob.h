// Shell patterns to paths. Not glob(3): that one looks up users (~name), which a static program
// cannot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel::tail {

/// Has *, ? or [ in it.
[[nodiscard]] bool is_pattern(std::string_view path);

/// The files (no directories) that match, sorted; each component may be a pattern. Hidden files
/// need an explicit dot. Directories that cannot be read match nothing. Rotated files of another
/// match, and compressed ones, are left out: they are read as part of their log.
[[nodiscard]] std::vector<std::string> matching_logs(const std::string& pattern);

}  // namespace caravel::tail
