// What the feed documents of the stores say of extracts that the ledger does not know any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/config/config.h"
#include "watcher/files/time_text.h"

namespace caravel::watcher {

struct RecoveredDocuments {
  std::uint64_t extracts = 0;
  /// Stores that did not answer, or could not be asked, with their errors.
  std::vector<std::string> unasked{};
};

/// Enters an extract, done, for each feed document whose content `fresh`, a new ledger, does not
/// know, in the caller's transaction; one that it knows in an earlier state, and whose file is not
/// in work any more, becomes done. A store that has a feed document has had its first row. Errors:
/// `fresh` cannot be written; a store that does not answer is none.
[[nodiscard]] Result<RecoveredDocuments> recover_documents(const Config& config, Sqlite& fresh,
                                                           Time now);

}  // namespace caravel::watcher
