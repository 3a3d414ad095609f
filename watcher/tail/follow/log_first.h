// Whether the log itself is older than the rotated files beside it.
#pragma once

#include <optional>
#include <string>

#include "watcher/tail/files/log_file.h"
#include "watcher/tail/follow/survey.h"

namespace caravel::tail {

/// Whether the log was last written before all the unread rotated files were begun: then its
/// program goes on in files with other names (rotatelogs -n), and the log is the oldest. A copy of
/// the log, which is younger too, was begun before the log was truncated. `same_text`: the log
/// still has what was read of it, so it was not truncated.
[[nodiscard]] bool log_comes_first(const Survey& survey, const std::string& path,
                                   const std::optional<Stamp>& live, bool same_text);

}  // namespace caravel::tail
