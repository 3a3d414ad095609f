// The ledger's rows as lines of JSON: `caravel ledger export`.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// Calls `write` with one line for each row, with its line end: an object with the name of the
/// table as "table", then the columns under their names. Everything beyond ASCII is escaped, so
/// that names of strangers drive no terminal.
[[nodiscard]] Result<> export_rows(Ledger& ledger,
                                   const std::function<void(const std::string& line)>& write);

}  // namespace caravel::watcher
