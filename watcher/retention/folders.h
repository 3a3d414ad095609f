// Retention of each folder of the spool: what was kept long enough goes, and then, as long as the
// folder holds more than it may, the oldest of what may go.
//
//   folder     age counts from        never goes
//   done/      the end of its day     an original that rejects are kept in by their place
//   csv/       the file's mtime       what belongs to an extract that is on its way
//   rejects/   its acknowledgement    rejects that nobody has settled
//   failed/    its settlement         an open failure, and what no row of the ledger explains
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"
#include "watcher/retention/remover.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// How long to keep one file, by its path relative to the spool, or by its feed;
/// milliseconds::max() is for ever, whatever the size of the folder.
using KeepFor = std::function<std::chrono::milliseconds(std::string_view)>;

/// Files of done/YYYY/MM/DD/, and the directories that are empty then. Nothing else in done/ is
/// touched, and no symlink is followed. `most`: bytes, as for Fill.
void prune_done(const Spool& spool, const KeepFor& keep, std::uint64_t most, Time now,
                Remover& remover);

/// Regular files of csv/. Not temporaries.
void prune_csv(const Spool& spool, Ledger& ledger, const KeepFor& keep, std::uint64_t most,
               Time now, Remover& remover);

/// NAME.rejects, NAME.reasons.csv and NAME.cut of extracts whose rejects a person has acknowledged.
/// `keep` is asked for a feed. While another process publishes rejects, nothing goes.
void prune_rejects(const Spool& spool, Ledger& ledger, const KeepFor& keep, std::uint64_t most,
                   Time now, Remover& remover);

/// Failed files, with their .why, whose failure is settled. `keep` is asked for a feed.
void prune_failed(const Spool& spool, Ledger& ledger, const KeepFor& keep, std::uint64_t most,
                  Time now, Remover& remover);

}  // namespace caravel::watcher
