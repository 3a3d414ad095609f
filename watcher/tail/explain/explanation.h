// What the agent knows of one log, for a person who asks: which files are the log's and why, how
// far each was read, what a running agent holds open, what was missed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"

namespace caravel::tail {

/// The options of the agent that is asked about.
struct Explained {
  std::string state;  // its file
  std::chrono::milliseconds grace{0};
  std::vector<std::string> logs;
  std::vector<std::string> siblings;
};

/// The answer, several lines. Looks at the state file and at the directories as they are now,
/// changes nothing and takes no lock: an agent may run meanwhile. Errors: the state or a directory
/// cannot be read.
[[nodiscard]] Result<std::string> explain_log(const Explained& agent, const std::string& log);

}  // namespace caravel::tail
