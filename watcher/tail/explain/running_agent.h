// The agent that works with a state file at this moment, seen from another process.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace caravel::tail {

struct OpenedFile {
  std::string path;  // with " (deleted)" behind it if its name is gone
  std::uint64_t size = 0;
};

struct RunningAgent {
  long pid = 0;  // 0: none runs
  bool may_look = true;
  std::vector<OpenedFile> files;  // regular ones in `directories`
};

/// Whose lock is on `state`, and what of `directories` it has open (proc(5)).
[[nodiscard]] RunningAgent find_running_agent(const std::string& state,
                                              const std::vector<std::string>& directories);

}  // namespace caravel::tail
