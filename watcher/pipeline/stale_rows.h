// Rows that an extract once brought and, formatted anew, no longer yields.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "uploader/store.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

struct StaleRows {
  std::uint64_t removed = 0;
  std::vector<std::string> kept;  // ids of rows that another extract may have brought
  std::string why_kept;
};

/// What the ids of rows are made of.
struct IdentityRules {
  bool by_position = true;  // the place in the log (`identity: position`), or that is not known
  bool manifests_ignored = false;
};

/// Removes the rows credited to the extract that its sidecar does not have, if their time lies
/// outside the first-to-last row time of every other extract in the ledger; names the rest. Removes
/// none if extracts of this content were at several places of their logs: the credit is the
/// content's, and the place is in the ids. Holds a hash of each id in memory, 16 bytes a row.
[[nodiscard]] Result<StaleRows> remove_stale_rows(
    uploader::Store& store, Ledger& ledger, const std::string& feed, const std::string& sha256,
    const std::string& unpacked_sha256, const std::string& sidecar_path,
    const std::string& csv_path, const IdentityRules& rules);

}  // namespace caravel::watcher
