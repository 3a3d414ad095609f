#include "uploader/postgresql/feed_table.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "uploader/column_names.h"
#include "uploader/postgresql/wire/sqlstate.h"

namespace caravel::uploader {
namespace {

using formatter::ColumnType;

/// "C" compares bytes: ids ascend in that order, and it costs a fraction of a language's.
constexpr const char* kIdColumn = "_id text COLLATE \"C\" PRIMARY KEY";

/// For automatic and JSON columns the kind of each value is decided by the value: jsonb alone holds
/// a number with all digits beside a text.
std::string_view declared_type(ColumnType type) {
  switch (type) {
    case ColumnType::number:
      return "numeric";
    case ColumnType::automatic:
    case ColumnType::json:
      return "jsonb";
    case ColumnType::text:
      break;
  }
  return "text";
}

Encoding encoding_for(std::string_view declared) {
  if (declared == "numeric") return Encoding::numeric;
  if (declared == "jsonb") return Encoding::jsonb;
  if (declared == "json") return Encoding::json;
  return Encoding::text;
}

Encoding time_encoding_for(std::string_view declared) {
  return declared.starts_with("timestamp") || declared == "date" ? Encoding::timestamp
                                                                 : Encoding::text;
}

std::string_view time_type(const WantedTable& wanted) {
  return wanted.instants ? "timestamptz" : "timestamp";
}

/// The columns that the table has for itself.
std::vector<std::string> own_names(const WantedTable& wanted) {
  std::vector<std::string> names = {"_id", "_kind", "_time", "_extract", "_line", "_sum"};
  if (wanted.utc) names.emplace_back("_time_utc");
  return names;
}

Result<std::string> oid_of(Session& session, Connection& connection, std::string_view name,
                           const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply reply,
      connection.run("SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                     " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2"
                     " AND c.relkind IN ('r', 'p')",
                     {session.config().schema, std::string(name)}, stop));
  return reply.rows() == 0 ? std::string() : std::string(reply.text(0, 0));
}

/// Name and type of each column.
Result<std::map<std::string, std::string>> columns_of(Connection& connection,
                                                      const std::string& oid,
                                                      const StopSignal& stop) {
  std::map<std::string, std::string> columns;
  if (oid.empty()) return columns;
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply reply, connection.run("SELECT attname, pg_catalog.format_type(atttypid, NULL)"
                                        " FROM pg_catalog.pg_attribute"
                                        " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
                                        {oid}, stop));
  for (int row = 0; row < reply.rows(); ++row) {
    columns.emplace(reply.text(row, 0), reply.text(row, 1));
  }
  return columns;
}

/// The statements that make what is missing; none if nothing is.
Result<std::string> statements_for(Session& session, Connection& connection,
                                   const WantedTable* wanted, const StopSignal& stop) {
  std::string sql;
  const std::string& schema = session.config().schema;
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply there,
      connection.run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", {schema}, stop));
  if (there.rows() == 0) sql += fmt::format("CREATE SCHEMA {};", quoted_name(schema));
  CARAVEL_ASSIGN_OR_RETURN(const auto feeds, oid_of(session, connection, kPgFeedsTable, stop));
  if (feeds.empty()) {
    sql += fmt::format(
        "CREATE TABLE {} (_id text COLLATE \"C\" PRIMARY KEY, doc_type text, status text,"
        " timestamp timestamptz, name text, host text, feed text, format text, lines bigint,"
        " rows bigint, dropped bigint, rejected bigint, sha256 text, year_guessed boolean);",
        session.table(kPgFeedsTable));
  }
  if (wanted == nullptr) return sql;
  CARAVEL_ASSIGN_OR_RETURN(const auto oid, oid_of(session, connection, wanted->feed, stop));
  if (oid.empty()) {
    sql += fmt::format(
        "CREATE TABLE {} ({}, _kind text, _time {}, _extract text, _line bigint, _sum text);",
        session.table(wanted->feed), kIdColumn, time_type(*wanted));
  }
  CARAVEL_ASSIGN_OR_RETURN(const auto columns, columns_of(connection, oid, stop));
  const auto add = [&](const std::string& name, std::string_view type) {
    if (columns.contains(name)) return;
    sql += fmt::format("ALTER TABLE {} ADD COLUMN {} {};", session.table(wanted->feed),
                       quoted_name(name), type);
  };
  if (wanted->utc) add("_time_utc", "timestamptz");
  for (const TableColumn& column : wanted->columns) add(column.name, declared_type(column.type));
  return sql;
}

/// One transaction. Two processes must not make the same table at the same time: PostgreSQL's own
/// IF NOT EXISTS fails then, on a unique index of its catalog.
Result<> make_missing(Session& session, Connection& connection, const WantedTable* wanted,
                      const StopSignal& stop) {
  CARAVEL_TRY(
      connection.run("BEGIN; SET LOCAL lock_timeout = '5s';"
                     " SELECT pg_advisory_xact_lock(pg_catalog.hashtext('caravel'))",
                     stop));
  auto sql = statements_for(session, connection, wanted, stop);
  auto made = sql ? connection.run(*sql + "COMMIT", stop) : tl::unexpected(sql.error());
  if (made) return {};
  const std::string state = connection.state();
  // 54011 too_many_columns: no waiting makes room for more.
  if (state == "54011") made = fail(ErrorKind::content, made.error().message);
  if (was_made_meanwhile(state)) made = fail(ErrorKind::retry, made.error().message);
  if (connection.is_open()) (void)connection.run("ROLLBACK", stop);
  return tl::unexpected(with_context("the tables cannot be made", std::move(made).error()));
}

/// A unique index that keeps an id from being stored twice: of `_id` alone, or of `_id` and of
/// `_time`, which the id determines. NULLs are all different to an index: `_time` must forbid them.
Result<> find_key(Connection& connection, FeedTable& table, const std::string& name,
                  const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(
      const Reply reply,
      connection.run(
          "SELECT i.indexrelid, string_agg(a.attname::text, ',' ORDER BY a.attname::text),"
          " bool_and(a.attnotnull), i.indimmediate FROM pg_catalog.pg_index i"
          " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid"
          " AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])"
          " WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid"
          " AND i.indpred IS NULL AND i.indexprs IS NULL GROUP BY i.indexrelid, i.indimmediate",
          {table.oid}, stop));
  bool by_id = false;
  bool by_time = false;
  for (int row = 0; row < reply.rows(); ++row) {
    const std::string_view key = reply.text(row, 1);
    if (!reply.flag(row, 3)) {
      table.has_deferrable_key = true;
    } else if (key == "_id") {
      by_id = true;
    } else if (key == "_id,_time" && reply.flag(row, 2)) {
      by_time = true;
    }
  }
  table.keyed_by_time = by_time && !by_id;
  if (by_id || by_time) return {};
  return fail(ErrorKind::fault,
              fmt::format("table {} has no unique key of _id, or of _id and a _time that is NOT "
                          "NULL: rows could be stored twice. Say: ALTER TABLE {} ADD PRIMARY KEY "
                          "(_id)",
                          name, name));
}

}  // namespace

std::vector<std::string> sql_column_names(const std::vector<formatter::Column>& columns) {
  static const std::set<std::string> kSystem = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (std::string name : table_column_names(columns)) {
    if (kSystem.contains(name)) name.push_back('_');
    if (!std::all_of(name.begin(), name.end(), [](char c) { return (c & 0x80) == 0; }) &&
        printable(name).find("\\x") != std::string::npos) {
      name = printable(name);
    }
    const auto cut = [&](std::size_t most) {
      // Not within a character: what begins with bits 10 goes on with one.
      while (most > 0 && most < name.size() && (name[most] & 0xc0) == 0x80) --most;
      if (name.size() > most) name.resize(most);
    };
    cut(kMostNameBytes);
    for (int copy = 2; !taken.insert(name).second; ++copy) {
      const std::string mark = fmt::format("_{}", copy);
      cut(kMostNameBytes - mark.size());
      name += mark;
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<bool> has_table(Session& session, Connection& connection, std::string_view name,
                       const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(const auto oid, oid_of(session, connection, name, stop));
  return !oid.empty();
}

Result<> make_tables(Session& session, Connection& connection, const WantedTable* wanted,
                     const StopSignal& stop) {
  if (!session.config().create) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto sql, statements_for(session, connection, wanted, stop));
  if (sql.empty()) return {};
  return make_missing(session, connection, wanted, stop);
}

Result<FeedTable> look_at_table(Session& session, Connection& connection, const WantedTable& wanted,
                                const StopSignal& stop) {
  FeedTable table;
  CARAVEL_ASSIGN_OR_RETURN(table.oid, oid_of(session, connection, wanted.feed, stop));
  if (table.oid.empty()) {
    return fail(ErrorKind::fault, fmt::format("table {} is missing in schema {}, and the "
                                              "configuration says create: false",
                                              wanted.feed, session.config().schema));
  }
  CARAVEL_ASSIGN_OR_RETURN(table.types, columns_of(connection, table.oid, stop));
  std::vector<std::string> missing;
  const auto look_for = [&](const std::string& name, std::string_view type) {
    if (!table.types.contains(name))
      missing.push_back(fmt::format("{} {}", quoted_name(name), type));
  };
  for (const std::string& name : own_names(wanted)) {
    look_for(name, name == "_line"       ? "bigint"
                   : name == "_time"     ? time_type(wanted)
                   : name == "_time_utc" ? "timestamptz"
                                         : "text");
  }
  for (const TableColumn& column : wanted.columns)
    look_for(column.name, declared_type(column.type));
  if (!missing.empty()) {
    return fail(
        ErrorKind::fault,
        fmt::format("table {} lacks columns, and the configuration says create: false. "
                    "Say: ALTER TABLE {} ADD COLUMN {}",
                    wanted.feed, session.table(wanted.feed), fmt::join(missing, ", ADD COLUMN ")));
  }
  CARAVEL_TRY(find_key(connection, table, session.table(wanted.feed), stop));
  table.shape.time = time_encoding_for(table.types["_time"]);
  table.shape.time_is_instant = table.types["_time"] == "timestamp with time zone";
  table.shape.utc = wanted.utc;
  if (wanted.utc) table.shape.utc_time = time_encoding_for(table.types["_time_utc"]);
  for (const TableColumn& column : wanted.columns) {
    table.shape.columns.push_back(
        {column.name, column.type, encoding_for(table.types[column.name])});
  }
  return table;
}

}  // namespace caravel::uploader
