// Rows that an extract once brought and, formatted anew (`process --reprocess`), no longer yields.
//
// A row names the extract that brought it first, by its SHA-256, and no other. But another extract
// may have brought the same row later, and that is written nowhere. So of the rows credited to the
// extract
//
//   its new sidecar has the id                          kept: it is no stale row
//   another extract covers the time of the row          kept and listed: it may be that one's
//   the same content came from several places of logs   kept and listed: nothing tells whose it is
//   else                                                removed
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/store.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

struct StaleRows {
  std::uint64_t removed = 0;
  std::vector<std::string> kept;  // ids of rows that another extract may have brought
  std::string why_kept;
};

/// Whose stale rows are looked for.
struct StaleSearch {
  std::string feed;
  std::string sha256;           // of the extract, as it came
  std::string unpacked_sha256;  // of what is in it
  /// The ids have the place in the log in them (`identity: position`), or that is not known.
  bool by_position = true;
  bool manifests_ignored = false;
};

/// Removes stale rows by the rules above and names those that are kept. "Covers": the time lies
/// between the first and the last row time of another extract in the ledger. `yielded`: the rows
/// that the extract has now. Repeating it after a crash removes the rest. Holds a hash of each id
/// in memory, 16 bytes a row.
[[nodiscard]] Result<StaleRows> remove_stale_rows(uploader::Store& store, Ledger& ledger,
                                                  const StaleSearch& search,
                                                  formatter::RowReader yielded);

}  // namespace caravel::watcher
