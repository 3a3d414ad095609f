// Whether extracts can be noticed in the drop directories, claimed there, and known to be whole.
#pragma once

#include "watcher/checks/findings.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

/// One feed's drop directory. `watched`: somebody watches the spool now, and uses inotify already.
void check_drop(const Config& config, const FeedConfig& feed, bool watched, Findings& findings);

}  // namespace caravel::watcher
