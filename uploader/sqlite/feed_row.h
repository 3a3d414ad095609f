// The feed document as a row of the table `_feeds`.
#pragma once

#include <cstdint>

#include "base/sqlite/sqlite.h"
#include "formatter/rows/sidecar.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// Makes the table `_feeds` if it is missing.
[[nodiscard]] Result<> make_feeds_table(Sqlite& file);

/// Stores what is said of the whole extract. `refused`: rows that the store refused. A row that is
/// there stays; with `update` it gets our fields, but for those that a consumer may have changed.
[[nodiscard]] Result<> put_feed_row(Sqlite& file, const ExtractInfo& extract,
                                    const formatter::RowReader& rows, std::uint64_t refused,
                                    bool update);

}  // namespace caravel::uploader
