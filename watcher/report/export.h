// The ledger for other programs: `caravel ledger export`, as CSV and as lines of JSON.
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

/// Calls `write` with records of CSV (RFC 4180, "\n"), a header first. The column `kind` says what
/// a record is of:
///
///   extract      an extract, also one that is on its way
///   day          the totals of a feed and day, of extracts that are old; done_at is the day
///   remembered   one of these extracts: its counts stand in its day already
///
/// So sums are those over `extract` and `day`.
[[nodiscard]] Result<> export_csv(Ledger& ledger,
                                  const std::function<void(const std::string& line)>& write);

}  // namespace caravel::watcher
