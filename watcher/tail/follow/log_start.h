// Where the reading of a log begins that has no state yet.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "watcher/tail/files/cutter.h"
#include "watcher/tail/follow/file_search.h"

namespace caravel::tail {

struct StartRules {
  /// All of what is there is read; else what comes behind its last line end.
  bool from_start = false;
  /// Rotated files born since then are read (nanoseconds since 1970, see Pattern::since); older
  /// ones are remembered as not to be read.
  std::int64_t rotated_since = INT64_MAX;
};

/// Sets `log.state.file`, or leaves it empty where the start of a file is right. If the log must
/// not be read, the state remembers how large it was (LogState::first_look), and the error says so:
/// call it again.
[[nodiscard]] Result<> start_log(const FollowedFiles& log, const StartRules& rules, Cutter& cutter);

}  // namespace caravel::tail
