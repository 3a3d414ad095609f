// How a command tells the watcher of a spool that the ledger has something new for it.
//
//   caravel retry ──> ledger (a wish) ──> SPOOL/.nudge is opened and closed
//                                              │ inotify(7)
//   caravel watch <────────────────────────────┘ looks into the ledger
//
// A nudge that is lost (no inotify, the file was removed) costs a minute: then the watcher looks by
// itself.
#pragma once

#include "base/unique_fd.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The watcher's end.
class Nudges {
 public:
  explicit Nudges(const Spool& spool);

  /// For poll(2): readable once somebody nudged; -1, which poll(2) passes over, if none can be
  /// heard.
  [[nodiscard]] int fd() const { return events_ ? events_.get() : -1; }
  /// Whether somebody nudged since the last call.
  [[nodiscard]] bool take();

 private:
  UniqueFd events_;
};

/// The command's end. Without rights to the file nobody is nudged.
void nudge(const Spool& spool);

}  // namespace caravel::watcher
