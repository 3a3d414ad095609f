// What watch and sweep share: a service over the locked spool.
#pragma once

#include <functional>
#include <string>

#include "watcher/commands/command.h"
#include "watcher/service/reload.h"
#include "watcher/service/watch.h"

namespace caravel::watcher {

/// Which spool a command works in, and what it says there.
struct ServiceWanted {
  std::string command;     // that holds the lock: "caravel watch"
  int exit_if_locked;      // the exit code where another process holds it
  std::string captured{};  // the spool of this feed's capture; "": the one of the drop directories
};

/// Loads the settings, locks the spool and calls `run`. If another process holds the lock, prints
/// who it is. Returns the exit code.
[[nodiscard]] Result<int> with_service(const CommandCall& call, const ServiceWanted& wanted,
                                       const std::function<Result<int>(const Service&)>& run);

/// Calls `run`; if SIGHUP ended it, starts the program anew in this process, and then returns only
/// if that fails. All that `run` holds must be given back when it returns.
[[nodiscard]] Result<int> with_reload(const CommandCall& call,
                                      const std::function<Result<int>(Reload&)>& run);

/// The exit code of a pass that ends by itself.
[[nodiscard]] int exit_code_of(const SweepResult& swept);

}  // namespace caravel::watcher
