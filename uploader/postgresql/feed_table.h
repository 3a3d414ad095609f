// A feed's table as PostgreSQL describes it: looked at, made, and given the columns that it lacks.
// docs/postgresql.md has its layout.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/postgresql/rows/table_shape.h"
#include "uploader/postgresql/session.h"

namespace caravel::uploader {

/// What rows of an extract need of their table.
struct WantedTable {
  std::string feed;
  bool instants = false;             // the rows' own times are UTC
  bool utc = false;                  // they have a UTC time beside their own
  std::vector<TableColumn> columns;  // the format's, by sql_column_names()
};

inline constexpr const char* kPgFeedsTable = "_feeds";
inline constexpr const char* kPgMappingsTable = "_mappings";

/// table_column_names() as PostgreSQL takes them: at most kMostNameBytes, none of a system column.
[[nodiscard]] std::vector<std::string> sql_column_names(
    const std::vector<formatter::Column>& columns);

/// Whether the table is there, partitioned or not.
[[nodiscard]] Result<bool> has_table(Session& session, Connection& connection,
                                     std::string_view name, const StopSignal& stop);

/// Makes schema, `_feeds` and the feed's table, or the columns that it lacks, in one transaction,
/// as far as they are missing. Nothing if `create` of the configuration is false.
[[nodiscard]] Result<> make_tables(Session& session, Connection& connection,
                                   const WantedTable* wanted, const StopSignal& stop);

/// Looks at the table. Errors: fault: it is missing, lacks a column, or has no key that keeps ids
/// from being stored twice; content: more columns than PostgreSQL takes.
[[nodiscard]] Result<FeedTable> look_at_table(Session& session, Connection& connection,
                                              const WantedTable& wanted, const StopSignal& stop);

}  // namespace caravel::uploader
