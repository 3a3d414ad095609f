// Manifests at the intake: one that came is taken, and an extract may have to wait for its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/moment.h"
#include "watcher/files/file_stamp.h"
#include "watcher/files/time_text.h"
#include "watcher/intake/ready_extract.h"
#include "watcher/ledger/ledger.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// Reads the claimed manifest `file`, which `fd` has open, writes it into the ledger and archives
/// it. Returns why it is no whole manifest; nothing if it was taken. Errors: the file, the ledger
/// or the archive fails at this time, and everything can be done again.
[[nodiscard]] Result<std::optional<std::string>> take_manifest(const Spool& spool, Ledger& ledger,
                                                               const ReadyExtract& file, int fd,
                                                               Time now);

/// For what an extract waits, and how long at most.
struct ManifestWait {
  std::string why;
  std::chrono::milliseconds most;
};

/// Whether an extract that nobody writes any more still waits for its manifest or, after `mismatch`
/// (its content was not what the manifest says), for another manifest or a better transfer.
/// Nothing: it may be read. Notes in `extract` what has come for it, and that its time is over.
[[nodiscard]] Result<std::optional<ManifestWait>> wait_for_manifest(
    const Spool& spool, Ledger& ledger, ReadyExtract& extract,
    const std::optional<std::string>& mismatch, const FileStamp& stamp, const Moment& now);

}  // namespace caravel::watcher
