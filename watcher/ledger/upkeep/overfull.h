// Folders of spools that hold more than they may: what retention leaves there may not be removed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

struct OverfullFolder {
  std::string folder;  // "done", "csv", "rejects", "failed"
  std::uint64_t bytes = 0;
  std::uint64_t most = 0;  // the configured bound
  /// In words, for people: what is so, why, and what to do. `spool`: its path.
  [[nodiscard]] std::string text(std::string_view spool) const;
};

struct OverfullRecord {
  std::string spool;
  OverfullFolder folder;
  Time since;
};

/// Remembered for `status`, as who holds the lock of each spool found them last. Errors and threads
/// as for Ledger.
class Overfull {
 public:
  /// `ledger` outlives it.
  explicit Overfull(Ledger& ledger) : database_(ledger.database()) {}

  /// What retention has just found in `spool`. Returns those that were not overfull before. Writes
  /// only what has changed.
  [[nodiscard]] Result<std::vector<OverfullFolder>> replace(
      const std::string& spool, const std::vector<OverfullFolder>& folders, Time now);
  /// Of all spools.
  [[nodiscard]] Result<std::vector<OverfullRecord>> all();

 private:
  Sqlite& database_;
};

}  // namespace caravel::watcher
