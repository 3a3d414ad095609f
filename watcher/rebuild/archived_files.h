// What the files of done/ and failed/ say of extracts that the ledger does not know any more.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "base/stop_signal.h"
#include "watcher/config/config.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

struct RecoveredFiles {
  std::uint64_t done = 0;       // extracts of done/
  std::uint64_t failed = 0;     // of failed/
  std::uint64_t manifests = 0;  // of done/
  std::uint64_t unknown = 0;    // files that no feed takes, or that cannot be read
};

/// Row times of an extract of which nobody knows any more which rows it brought: it stands in the
/// way of every --delete-stale (History::other_row_times()).
inline constexpr std::string_view kAnyTimeFirst = "0000-01-01T00:00:00";
inline constexpr std::string_view kAnyTimeLast = "9999-12-31T23:59:59";

/// Enters what `fresh`, a new ledger, lacks of the files in done/ and failed/, in the caller's
/// transaction. A file of done/ is read for its SHA-256. One whose extract `fresh` knows by it
/// (from its feed document, or in an older state) gives that its place; any other is an extract of
/// which only name, size and digest are known. Errors: a directory cannot be read, `fresh` cannot
/// be written, kind stopped.
[[nodiscard]] Result<RecoveredFiles> recover_files(const Config& config, const Spool& spool,
                                                   Sqlite& fresh, const StopSignal& stop);

}  // namespace caravel::watcher
