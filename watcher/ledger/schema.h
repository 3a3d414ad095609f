// The tables of the ledger, and how an older file becomes a new one.
#pragma once

#include <array>
#include <string_view>

#include "base/error.h"
#include "base/sqlite/sqlite.h"

namespace caravel::watcher {

/// The schema that this program writes: PRAGMA user_version.
inline constexpr int kLedgerSchema = 8;

/// Every table, for `ledger export`.
inline constexpr std::array<std::string_view, 16> kLedgerTables{
    "extracts",    "known_times", "stores",  "left_alone", "manifests",   "sources",
    "gaps",        "remembered",  "daily",   "news",       "directories", "retries",
    "closed_gaps", "wishes",      "batches", "overfull"};

/// Makes the tables in an empty file, or brings an older schema up to date, in one transaction. A
/// newer schema, or a database that is no ledger, is an error of kind usage, and nothing is
/// changed.
[[nodiscard]] Result<> upgrade_ledger(Sqlite& database);

/// The same checks, and no change at all. An older schema is a fault, as only a writer can bring it
/// up to date.
[[nodiscard]] Result<> check_ledger(Sqlite& database);

}  // namespace caravel::watcher
