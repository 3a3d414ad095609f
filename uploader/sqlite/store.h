// Rows as rows of an SQLite file. docs/sqlite-store.md is the page of what it stores.
#pragma once

#include <memory>

#include "uploader/sqlite/config.h"
#include "uploader/store.h"

namespace caravel::uploader {

inline constexpr const char* kFeedsTable = "_feeds";
inline constexpr const char* kMappingsTable = "_mappings";

/// Opens nothing yet.
[[nodiscard]] std::unique_ptr<Store> make_sqlite_store(const SqliteConfig& config);

}  // namespace caravel::uploader
