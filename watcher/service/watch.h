// The loops over the intake and the pipelines: until told to stop, or one pass.
#pragma once

#include "base/error.h"
#include "watcher/service/worker.h"

namespace caravel::watcher {

/// Watches the drop directories until `service.stop`. Extracts in work are left as they are: the
/// next start takes them up.
[[nodiscard]] Result<> watch(const Service& service);

struct SweepResult {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t gave_up = 0;   // the store or the disk is down: the next sweep tries again
  std::uint64_t waiting = 0;   // these, and what is not whole yet
  std::uint64_t faults = 0;    // of directories, the ledger, claims: the log names them
  std::uint64_t rejected = 0;  // lines
};

/// One pass: loads what is there and whole, waits for files only as long as `settle`.
[[nodiscard]] Result<SweepResult> sweep(const Service& service);

/// Deletes what was kept long enough in done/ and csv/, and temporaries that a crash left.
void tidy(const Service& service, std::chrono::system_clock::time_point now);

}  // namespace caravel::watcher
