// What is asked before the ledger is: the configuration, the directories, the disks, the locks.
#pragma once

#include "base/error.h"
#include "watcher/config/config.h"
#include "watcher/ledger/ledger.h"
#include "watcher/report/status.h"

namespace caravel::watcher {

/// What the configuration and the directories say now; the ledger knows the rest. Only looks.
[[nodiscard]] StatusQuestion status_question(const Config& config);

/// Whether there is no ledger yet, which is so before the first start, and is no fault. Only a
/// missing file says so; one that may not be read is a fault that people must hear of.
[[nodiscard]] bool ledger_is_missing(const Config& config);

/// The ledger read-only; an empty one if it is missing.
[[nodiscard]] Result<Ledger> open_ledger_to_look(const Config& config);

}  // namespace caravel::watcher
