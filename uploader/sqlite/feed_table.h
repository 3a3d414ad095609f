// A feed's table: made, given the columns that it lacks, and brought up to date if it is of an
// older kind, which held every value as text. docs/sqlite-store.md has its layout.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.h"
#include "base/stop_signal.h"
#include "formatter/rows/counts.h"
#include "uploader/tables/table_row.h"

namespace caravel::uploader {

/// How an upgrade, which may take minutes, is followed and ended. What is referred to outlives it.
struct UpgradeWatch {
  const StopSignal& stop;
  /// Rows that were looked at so far, of all that there are; may be empty.
  std::function<void(std::uint64_t rows, std::uint64_t of)> on_rows;
};

struct FeedTable {
  /// What each of the columns takes: its type, or `text` where the table makes texts of numbers.
  std::vector<formatter::ColumnType> types;
  std::string note;  // what a person should know; empty if nothing
};

/// A transaction makes the table or adds columns; a second one brings an older table up to date,
/// see upgrade_table(). Errors: SQLite's; content: more columns than SQLite takes; stopped; retry:
/// an older table, within a transaction of several extracts.
[[nodiscard]] Result<FeedTable> make_feed_table(Sqlite& file, const std::string& feed,
                                                const std::vector<TableColumn>& columns,
                                                const UpgradeWatch& watch);

/// The tables of one open file that make_feed_table() has seen: one is not looked at again for the
/// same columns until the schema of the file changes. Must be gone before the file.
class KnownTables {
 public:
  [[nodiscard]] Result<FeedTable> make(Sqlite& file, const std::string& feed,
                                       const std::vector<TableColumn>& columns,
                                       const UpgradeWatch& watch);
  /// To be called whenever a transaction was taken back: it may have made one of them.
  void forget() { known_.clear(); }

 private:
  struct Known {
    std::int64_t schema = 0;
    std::vector<TableColumn> columns;
    FeedTable table;
  };
  [[nodiscard]] Result<std::int64_t> schema_of(Sqlite& file);

  std::map<std::string, Known> known_;  // by feed
  std::optional<Statement> ask_schema_;
};

}  // namespace caravel::uploader
