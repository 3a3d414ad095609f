// What the logs of one agent know of each other: two names may be one file (links, a rename, a
// pattern), and a file is read once.
#pragma once

#include <optional>

#include "watcher/tail/files/log_file.h"
#include "watcher/tail/names/siblings.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// Asked by the follower of one log about all the others. `asking` is that log's own state, the
/// very object: it tells who asks.
class OtherLogs {
 public:
  OtherLogs() = default;
  OtherLogs(const OtherLogs&) = delete;
  OtherLogs& operator=(const OtherLogs&) = delete;
  virtual ~OtherLogs() = default;

  /// The log that reads this file now, or will read it; nothing if none does.
  [[nodiscard]] virtual const LogState* reader_of(const FileId& id,
                                                  const LogState& asking) const = 0;
  /// How far another log read this file before it let it go; nothing if none did.
  [[nodiscard]] virtual std::optional<Position> read_up_to(const Sibling& file,
                                                           const LogState& asking) const = 0;
  /// Whether the logger of this file, which is a log that a pattern found, went over to another
  /// one; see Handovers. No, if nobody looks.
  [[nodiscard]] virtual bool was_left(const Stamp& /*file*/, const LogState& /*asking*/) const {
    return false;
  }
};

}  // namespace caravel::tail
