// What noticing hands to claiming: a file in a drop directory that may be whole.
#pragma once

#include <cstddef>
#include <string>

#include "watcher/config/config.h"
#include "watcher/files/file_stamp.h"

namespace caravel::watcher {

struct Candidate {
  std::size_t directory = 0;         // its place in DropDirectories
  const FeedConfig* feed = nullptr;  // the first whose `match` names it
  std::string name;
  FileStamp stamp;
  bool manifest = false;
};

}  // namespace caravel::watcher
