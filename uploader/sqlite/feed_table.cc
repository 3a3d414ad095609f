#include "uploader/sqlite/feed_table.h"

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "uploader/column_names.h"
#include "uploader/sqlite/feed_row.h"
#include "uploader/sqlite/table_upgrade.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

/// TEXT keeps the texts of a text column from being anything else. A column without a type keeps
/// every value as it was bound: "NUMERIC" would turn the text 007 into 7, and "TEXT" the number 7
/// into a text (sqlite.org/datatype3.html, "Type Affinity").
std::string definition_of(const TableColumn& column) {
  return sql_name(column.name) + (column.type == ColumnType::text ? " TEXT" : "");
}

/// Whether a column of this declared type turns numbers into texts: SQLite's own text of a double
/// has 15 digits at most (sqlite.org/datatype3.html, "Determination Of Column Affinity").
bool makes_texts(std::string declared) {
  declared = folded_name(std::move(declared));
  const auto has = [&](const char* part) { return declared.find(part) != std::string::npos; };
  return !has("int") && (has("char") || has("clob") || has("text"));
}

/// Makes the feed's table, or adds the `wanted` columns that it lacks. One transaction: a crash
/// leaves the table as it was, or with all of the columns. WITHOUT ROWID keys the table by the id
/// itself, with one B-tree instead of two (sqlite.org/withoutrowid.html).
Result<> make_table(Sqlite& file, const std::string& feed, std::vector<TableColumn> wanted) {
  CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(file));
  CARAVEL_TRY(file.script(fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, _kind TEXT, _time TEXT, "
      "_extract TEXT, _line INTEGER, _sum TEXT) WITHOUT ROWID",
      sql_name(feed))));
  // Another format of the same feed may have made the table: it gains columns and loses none.
  CARAVEL_ASSIGN_OR_RETURN(auto there, file.columns_of(feed));
  std::erase_if(
      wanted, [&](const TableColumn& column) { return there.contains(folded_name(column.name)); });
  if (there.size() + wanted.size() > file.most_columns()) {
    // No waiting makes room for more columns: the extract is set aside.
    return fail(ErrorKind::content,
                fmt::format("table {} would have {} columns, and SQLite takes {}", feed,
                            there.size() + wanted.size(), file.most_columns()));
  }
  for (const TableColumn& column : wanted) {
    CARAVEL_TRY(file.script(
        fmt::format("ALTER TABLE {} ADD COLUMN {}", sql_name(feed), definition_of(column))));
  }
  return transaction.commit();
}

}  // namespace

Result<FeedTable> make_feed_table(Sqlite& file, const std::string& feed,
                                  const std::vector<TableColumn>& columns,
                                  const UpgradeWatch& watch) {
  CARAVEL_TRY(make_table(file, feed, columns));
  FeedTable table;
  CARAVEL_ASSIGN_OR_RETURN(const auto old, columns_held_as_text(file, feed, columns));
  if (!old.empty()) {
    // The upgrade takes minutes and transactions of its own.
    if (file.in_transaction()) return fail(ErrorKind::retry, "an older table of " + feed);
    auto note = upgrade_table(file, feed, columns, watch);
    if (!note) {
      const auto what = fmt::format("table {}, of an older version, is brought up to date", feed);
      return tl::unexpected(note.error().kind == ErrorKind::stopped
                                ? std::move(note).error()
                                : with_context(what, std::move(note).error()));
    }
    table.note = *std::move(note);
  }
  CARAVEL_ASSIGN_OR_RETURN(auto declared, file.columns_of(feed));
  for (const TableColumn& column : columns) {
    const bool as_text = makes_texts(std::move(declared[folded_name(column.name)]));
    table.types.push_back(as_text ? ColumnType::text : column.type);
  }
  return table;
}

Result<std::int64_t> KnownTables::schema_of(Sqlite& file) {
  if (!ask_schema_) {
    CARAVEL_ASSIGN_OR_RETURN(ask_schema_, file.prepare("PRAGMA schema_version"));
  }
  CARAVEL_TRY(ask_schema_->step());
  const std::int64_t schema = ask_schema_->integer(0);
  ask_schema_->reset();
  return schema;
}

Result<FeedTable> KnownTables::make(Sqlite& file, const std::string& feed,
                                    const std::vector<TableColumn>& columns,
                                    const UpgradeWatch& watch) {
  CARAVEL_ASSIGN_OR_RETURN(const auto before, schema_of(file));
  const auto known = known_.find(feed);
  if (known != known_.end() && known->second.schema == before && known->second.columns == columns) {
    return known->second.table;
  }
  CARAVEL_ASSIGN_OR_RETURN(auto made, make_feed_table(file, feed, columns, watch));
  CARAVEL_TRY(make_feeds_table(file));
  CARAVEL_ASSIGN_OR_RETURN(const auto schema, schema_of(file));
  // What the upgrade did is told once.
  known_[feed] = {schema, columns, {made.types, ""}};
  return made;
}

}  // namespace caravel::uploader
