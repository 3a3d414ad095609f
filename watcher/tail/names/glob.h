// Shell patterns to paths. Not glob(3): that one looks up users (~name), which a static program
// cannot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel::tail {

/// Has *, ? or [ in it.
[[nodiscard]] bool is_pattern(std::string_view path);

/// Whether a path matches, each of its components by itself; hidden ones need an explicit dot.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view path);

/// The files (no directories) that match, in no order. Directories that cannot be looked through
/// are passed over.
[[nodiscard]] std::vector<std::string> files_matching(const std::string& pattern);

/// `text` with a backslash before each character that means something in a pattern.
[[nodiscard]] std::string escaped(std::string_view text);

struct Matches {
  std::vector<std::string> logs;
  /// Taken for rotated files of a log among `logs`, though "app-1.log" beside "app.log" may as well
  /// be another program's log.
  std::vector<std::string> numbered;
  bool too_many = false;            // there are more; 10,000 are looked at
  std::optional<Error> unreadable;  // the first of the directories that could not be looked through
};

/// The files (no directories) that match, sorted.
/// Rotated files of another match (also one among `known`, sorted, that is not there in this
/// moment), and compressed ones, are left out of `logs`: they are read as part of their log.
[[nodiscard]] Matches matching_logs(const std::string& pattern,
                                    const std::vector<std::string>& known);

}  // namespace caravel::tail
