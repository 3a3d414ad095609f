// The feed document as a row of the table `_feeds`.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/postgresql/session.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// Stores what is said of the whole extract, within the transaction that is open. `refused`: lines
/// of rows that the store refused. A row that is there stays; with `update` it gets our fields, but
/// for those that a consumer may have changed.
[[nodiscard]] Result<> put_feed_row(Session& session, Connection& connection,
                                    const ExtractInfo& extract, const formatter::RowReader& rows,
                                    std::uint64_t refused, bool update, const StopSignal& stop);

}  // namespace caravel::uploader
