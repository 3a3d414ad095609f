// Whether the disks have the room that the service needs.
#pragma once

#include <string>
#include <vector>

#include "watcher/config/config.h"

namespace caravel::watcher {

/// The disks of the spool, of the state directory, of stores that are files and of the drop
/// directories that have too little room, each with what follows from it and what to do. A
/// directory that is not there is passed over.
[[nodiscard]] std::vector<std::string> full_disks(const Config& config);

}  // namespace caravel::watcher
