// The two loops over the intake and the pipelines: until told to stop, and one pass.
//
//   watch:  inotify ── events ──> Intake ── extracts that are ready ──> Workers, some threads
//                                   ^                                      │
//                                   └──── through, or to be waited for ────┘
//
//   sweep:  a scan ── names ────> Intake ── extracts that are ready ──> FeedLoader, one by one,
//                                   ^                                      │    in this thread
//                                   └──── through, or to be waited for ────┘
//
// A sweep ends once nothing is left that one pass should wait for.
//
// Both take up first what a crash left in work/ (Intake::start), say what capture hosts owe
// (SourceWatch), and delete what was kept long enough (tidy). Whoever calls them holds the spool's
// lock.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/service/reload.h"

namespace caravel::watcher {

/// Watches the drop directories until Service::stop, or until `reload` accepts a request. Extracts
/// in work are left as they are: the next start takes them up. Requests Service::stop itself
/// however it ends.
[[nodiscard]] Result<> watch(const Service& service, Reload& reload);

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

}  // namespace caravel::watcher
