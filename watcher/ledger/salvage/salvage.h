// What a damaged ledger still yields, written into a new one.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/sqlite/sqlite.h"
#include "watcher/ledger/extract.h"

namespace caravel::watcher {

/// Rows by what they are.
struct Salvaged {
  std::uint64_t extracts = 0;
  std::uint64_t years = 0;  // known_times
  std::uint64_t manifests = 0;
  std::uint64_t stores = 0;
  std::uint64_t sources = 0;
  std::uint64_t gaps = 0;
  std::uint64_t pages = 0;
  std::uint64_t damaged_pages = 0;
};

/// Writes every row of the ledger file at `path` (and of its write-ahead log) that can still be
/// read and makes sense into `fresh`, a new ledger, in the caller's transaction. Each page is read
/// for itself, so neither a damaged header nor a lost page above it takes a row away. Of a row that
/// is found twice, since SQLite leaves old pages in the file, the one that is further on its way
/// counts. What only lies in a drop directory, and what was told of once, is left out: the next
/// start finds it again. Errors: the file cannot be opened, `fresh` cannot be written.
[[nodiscard]] Result<Salvaged> salvage_ledger(const std::string& path, Sqlite& fresh);

/// Enters an extract as it is; its `id` is the row's, or chosen if it is 0. False if the claim is
/// known, or the database refuses the row (its counts do not add up).
[[nodiscard]] Result<bool> enter_extract(Sqlite& fresh, const Extract& extract);

}  // namespace caravel::watcher
