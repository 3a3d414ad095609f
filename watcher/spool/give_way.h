// What in the spool can be made again gives way when there is too little room.
#pragma once

#include <functional>
#include <string_view>

#include "watcher/ledger/ledger.h"
#include "watcher/spool/expire.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The id of the claim that a file of csv/ or a temporary of rejects/ belongs to:
/// "NAME.<claim id>.csv", "NAME.<claim id>.csv.sidecar", ".tmp-<claim id>.rejects"; "" for any
/// other file, which is not ours to remove.
[[nodiscard]] std::string_view claim_of_file(std::string_view name);

/// Removes, the oldest first, CSVs with their sidecars and temporaries of extracts that are done or
/// failed, until there is `enough` room or nothing is left to remove. The extract itself is in
/// done/ or failed/, so nothing is lost; those that are kept for `keep_csv` only go sooner.
[[nodiscard]] Expired give_way(const Spool& spool, Ledger& ledger,
                               const std::function<bool()>& enough);

}  // namespace caravel::watcher
