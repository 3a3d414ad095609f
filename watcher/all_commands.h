// The list of all commands that the program has. Only main and what describes the program know it.
#pragma once

#include <vector>

#include "watcher/commands/command.h"

namespace caravel::watcher {

/// In the order of `caravel --help`.
[[nodiscard]] std::vector<Command> all_commands();

}  // namespace caravel::watcher
