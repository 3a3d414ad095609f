// What in the spool can be made again gives way when there is too little room.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "watcher/ledger/ledger.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// What gave way.
struct GivenWay {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// The id of the claim that a file of csv/ or a temporary of rejects/ belongs to:
/// "NAME.<claim id>.csv", "NAME.<claim id>.csv.sidecar", ".tmp-<claim id>.rejects"; "" for any
/// other file, which is not ours to remove.
[[nodiscard]] std::string_view claim_of_file(std::string_view name);

/// Removes files until there is `enough` room for the extract of the claim `asker`, or nothing is
/// left to remove. Nothing is lost: each extract itself is in done/, failed/ or work/.
///
///   1. CSVs with their sidecars, and temporaries, of extracts that are done or failed, the oldest
///      first: those that are kept for `keep_csv` only go sooner.
///   2. The same of extracts that wait and were tried more often than `asker`: they are formatted
///      once more at their next try. So what waits for days stops nobody who comes new, and no two
///      extracts can take each other's room in turn.
[[nodiscard]] GivenWay give_way(const Spool& spool, Ledger& ledger, const std::string& asker,
                                const std::function<bool()>& enough);

}  // namespace caravel::watcher
