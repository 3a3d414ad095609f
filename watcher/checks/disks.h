// Whether the disks have the room that the service needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "watcher/config/config.h"

namespace caravel::watcher {

/// The disk under one of the directories that the service needs.
struct DiskRoom {
  std::string what;  // "spool", "state", "store NAME", "drop directory"
  std::string path;
  std::uint64_t free = 0;  // bytes, without what is reserved for root
  std::uint64_t size = 0;
  std::uint64_t least = 0;  // with less free than that, work stops
  std::string full{};       // if it is: in words, what follows from it and what to do
};

/// The disks of the spool, of the state directory, of stores that are files and of drop directories
/// outside of the spool. A directory that is not there is passed over.
[[nodiscard]] std::vector<DiskRoom> disk_rooms(const Config& config);

/// The disks of the spool, of the state directory, of stores that are files and of the drop
/// directories that have too little room, each with what follows from it and what to do. A
/// directory that is not there is passed over.
[[nodiscard]] std::vector<std::string> full_disks(const Config& config);

}  // namespace caravel::watcher
