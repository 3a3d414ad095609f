// The last step of a rebuild: the new ledger takes the place of the old one.
//
//   ledger.db.rebuilding    is being written; a crash leaves it, and the next rebuild removes it
//   ledger.db.rebuilt       is whole; until it is ledger.db, nobody opens the ledger
//   ledger.db.damaged-TIME  the old one, with its -wal; never removed by Caravel
#pragma once

#include <string>

#include "base/error.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

/// The name under which the new ledger is written.
[[nodiscard]] std::string rebuilding_path(const std::string& ledger);

/// The new ledger, whole at rebuilding_path(), becomes PATH.rebuilt, durable on return. From here
/// on finish_exchange() alone remains.
[[nodiscard]] Result<> publish_rebuilt(const std::string& ledger);

/// True if PATH.rebuilt is there: a rebuild that a crash broke off at its end.
[[nodiscard]] bool has_rebuilt(const std::string& ledger);

/// Keeps the old ledger and its write-ahead log under names of their own, then gives the new one
/// its place. Repeat it after a crash at any point. Returns the name of the old one; "" if there
/// was none.
[[nodiscard]] Result<std::string> finish_exchange(const std::string& ledger, Time now);

}  // namespace caravel::watcher
