// What a command wants of whoever holds the lock of the spool, and cannot do itself meanwhile.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// Retention of this spool now, and not when its hour comes.
[[nodiscard]] inline std::string prune_wish(const std::string& spool) { return "prune " + spool; }

/// A wish stays until it is taken, also over a restart. Errors and threads as for Ledger.
class Wishes {
 public:
  /// `ledger` outlives it.
  explicit Wishes(Ledger& ledger) : database_(ledger.database()) {}

  /// Asked twice is asked once.
  [[nodiscard]] Result<> ask(std::string_view what, Time now);
  /// Whether somebody asked; nobody does any longer.
  [[nodiscard]] Result<bool> take(std::string_view what);

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
