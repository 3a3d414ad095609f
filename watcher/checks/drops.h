// Whether extracts can be noticed in the drop directories, claimed there, and known to be whole.
#pragma once

#include "watcher/checks/findings.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

/// One feed's drop directory. `has_events`: somebody watches it now, and has the inotify watches
/// for that already.
void check_drop(const Config& config, const FeedConfig& feed, bool has_events, Findings& findings);

}  // namespace caravel::watcher
