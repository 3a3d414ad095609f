// Whether the ledger can be read, all of it.
#pragma once

#include "watcher/checks/findings.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

/// Opens the ledger read-only and has SQLite look at each of its pages (PRAGMA quick_check). One
/// that is not there yet is good: the first start makes it.
void check_ledger_file(const Config& config, Findings& findings);

}  // namespace caravel::watcher
