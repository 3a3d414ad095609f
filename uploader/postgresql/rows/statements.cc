#include "uploader/postgresql/rows/statements.h"

#include <algorithm>

#include <fmt/format.h>

#include "uploader/postgresql/wire/connection.h"

namespace caravel::uploader {
namespace {

constexpr const char* kStaging = "pg_temp.caravel_rows";

/// A value of the staging table as the type of its column: without a length, which PostgreSQL then
/// checks by itself, while a cast to varchar(5) would cut the text off without a word
/// (its manual, "Character Types").
std::string as_type(const std::string& value, std::string_view staged, const std::string& type) {
  if (type == staged || (staged == "timestamp" && type == "timestamp without time zone")) {
    return value;
  }
  // As casts these two mean character(1) and bit(1).
  if (type == "character") return value;
  if (type == "bit") return value + "::bit varying";
  return fmt::format("{}::{}", value, type);
}

/// Whether the server takes the binary form of what is sent for the column as it is.
bool is_sent_as(const FeedTable& table, const std::string& column, std::string_view sent) {
  const std::string& type = table.types.at(column);
  if (sent == "text") return type == "text" || type == "character varying";
  if (sent == "timestamp") return type.starts_with("timestamp ");
  return type == sent;
}

bool takes_copies(const FeedTable& table) {
  const SentShape& shape = table.shape;
  const auto as = [&](const std::string& column, std::string_view sent) {
    return is_sent_as(table, column, sent);
  };
  return as("_id", "text") && as("_kind", "text") && as("_extract", "text") && as("_sum", "text") &&
         as("_line", "bigint") && as("_time", staging_type(shape.time)) &&
         (!shape.utc || as("_time_utc", staging_type(shape.utc_time))) &&
         std::all_of(shape.columns.begin(), shape.columns.end(), [&](const SentColumn& column) {
           return as(column.name, staging_type(column.encoding));
         });
}

/// What needs no staging table.
void add_shortcuts(const FeedTable& table, const std::string& name, const std::string& columns,
                   Statements& made) {
  if (takes_copies(table)) {
    made.copy_to_table = fmt::format("COPY {} ({}) FROM STDIN WITH (FORMAT binary)", name, columns);
  }
  made.count_ids = fmt::format("SELECT count(*) FROM {} WHERE _id = ANY ($1::text[])", name);
  if (table.keyed_by_time) return;
  made.look_for_ids = fmt::format(
      "SELECT i.n, t._extract, t._line, t._sum FROM unnest($1::text[]) WITH ORDINALITY i(id, n)"
      " JOIN {} t ON t._id = i.id",
      name);
}

/// The begin of a transaction, and which table of this name there is now.
std::string begin_of(std::string_view schema, std::string_view feed) {
  // READ COMMITTED: what another process has stored while we waited for its commit must be seen.
  // Constraints that are deferred would only fail at the commit, where no row can be blamed.
  return fmt::format(
      "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL IMMEDIATE;"
      " SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
      " ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
      quoted_text(schema), quoted_text(feed));
}

}  // namespace

Statements statements_of(const FeedTable& table, const std::string& name, std::string_view schema,
                         std::string_view feed) {
  const SentShape& shape = table.shape;
  Statements made;
  std::string columns = "n int4, id text, kind text, at " + std::string(staging_type(shape.time));
  std::string names = "_id, _kind, _time";
  std::string values;
  const auto add = [&](const std::string& column, const std::string& value, std::string_view type) {
    values += fmt::format("{}{}", values.empty() ? "" : ", ",
                          as_type(value, type, table.types.at(column)));
  };
  add("_id", "s.id", "text");
  add("_kind", "s.kind", "text");
  add("_time", "s.at", staging_type(shape.time));
  if (shape.utc) {
    columns += fmt::format(", utc {}", staging_type(shape.utc_time));
    names += ", _time_utc";
    add("_time_utc", "s.utc", staging_type(shape.utc_time));
  }
  columns += ", extract text, line int8, sum text";
  names += ", _extract, _line, _sum";
  add("_extract", "s.extract", "text");
  add("_line", "s.line", "bigint");
  add("_sum", "s.sum", "text");
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const SentColumn& column = shape.columns[i];
    columns += fmt::format(", v{} {}", i, staging_type(column.encoding));
    names += ", " + quoted_name(column.name);
    add(column.name, fmt::format("s.v{}", i), staging_type(column.encoding));
  }
  // Rows are only ever there within a transaction: a crash leaves none.
  made.make_staging = fmt::format(
      "DROP TABLE IF EXISTS {0}; CREATE TEMPORARY TABLE caravel_rows ({1}) ON COMMIT DELETE ROWS",
      kStaging, columns);
  made.clear_staging = fmt::format("DELETE FROM {}", kStaging);
  made.copy = fmt::format("COPY {} FROM STDIN WITH (FORMAT binary)", kStaging);
  made.begin = begin_of(schema, feed);
  std::string same = "t._id = s.id";
  if (table.keyed_by_time) {
    // So that only the partition is asked that can have it.
    same += " AND t._time = " + as_type("s.at", staging_type(shape.time), table.types.at("_time"));
  }
  made.insert = fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} s WHERE true", name, names,
                            values, kStaging);
  // Without a target where that can be: a key of people's may be taken too, and then the row is
  // looked for by its id. With one, such a row fails the statement, and is found by halves.
  made.unless_taken = fmt::format(" ON CONFLICT {}DO NOTHING RETURNING _line",
                                  !table.has_deferrable_key ? ""
                                  : table.keyed_by_time     ? "(_id, _time) "
                                                            : "(_id) ");
  made.look = fmt::format(
      "SELECT s.n, t._extract, t._line, t._sum FROM {} s JOIN {} t ON {}"
      " WHERE true",
      kStaging, name, same);
  add_shortcuts(table, name, names, made);
  made.remove = fmt::format("DELETE FROM {} t USING {} s WHERE {}", name, kStaging, same);
  return made;
}

std::string insert_rows(const Statements& statements, bool chosen) {
  return statements.insert + (chosen ? kChosenRows : "") + statements.unless_taken;
}

}  // namespace caravel::uploader
