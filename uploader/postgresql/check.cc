#include "uploader/postgresql/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "uploader/postgresql/feed_table.h"

namespace caravel::uploader {
namespace {

/// Of the columns in the reply.
enum Asked : int {
  asked_version,
  asked_database,
  asked_user,
  asked_temporary,
  asked_schema,
  asked_usage,
  asked_create,
  asked_create_schema,
};

constexpr const char* kQuestion =
    "SELECT current_setting('server_version'), current_database(), current_user,"
    " has_database_privilege(current_database(), 'TEMPORARY'),"
    " n.oid IS NOT NULL, coalesce(has_schema_privilege(n.oid, 'USAGE'), true),"
    " coalesce(has_schema_privilege(n.oid, 'CREATE'), true),"
    " has_database_privilege(current_database(), 'CREATE')"
    " FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1";

/// Tables of ours: each has these columns, `_feeds` the first and the last only.
constexpr const char* kTables =
    "SELECT c.relname, has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, "
    "'INSERT')"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND (c.relname = '_feeds' OR 3 = (SELECT count(*) FROM pg_catalog.pg_attribute a"
    " WHERE a.attrelid = c.oid AND a.attname IN ('_id', '_extract', '_sum'))) ORDER BY 1";

Result<> check_rights(const Reply& found, const PostgresqlConfig& config) {
  const std::string user = quoted_name(found.text(0, asked_user));
  if (!found.flag(0, asked_temporary)) {
    return fail(ErrorKind::fault,
                fmt::format("it may not make temporary tables, which rows pass through: GRANT "
                            "TEMPORARY ON DATABASE {} TO {}",
                            quoted_name(found.text(0, asked_database)), user));
  }
  if (!found.flag(0, asked_usage)) {
    return fail(ErrorKind::fault, fmt::format("it may not use the schema: GRANT USAGE ON SCHEMA {} "
                                              "TO {}",
                                              quoted_name(config.schema), user));
  }
  return {};
}

/// Why nothing can be made; only asked where something must be.
Result<> check_making(const Reply& found, const PostgresqlConfig& config) {
  const std::string user = quoted_name(found.text(0, asked_user));
  if (!found.flag(0, asked_schema) && !found.flag(0, asked_create_schema)) {
    return fail(
        ErrorKind::fault,
        fmt::format("the schema is missing and it may not make one: GRANT CREATE ON DATABASE "
                    "{} TO {}, or CREATE SCHEMA {} AUTHORIZATION {}",
                    quoted_name(found.text(0, asked_database)), user, quoted_name(config.schema),
                    user));
  }
  if (!found.flag(0, asked_create)) {
    return fail(ErrorKind::fault,
                fmt::format("it may not make tables in the schema: GRANT CREATE ON "
                            "SCHEMA {} TO {}",
                            quoted_name(config.schema), user));
  }
  return {};
}

Result<std::string> say_of_tables(const Reply& found, const Reply& tables,
                                  const PostgresqlConfig& config, bool may_create) {
  std::vector<std::string> names;
  bool any_feeds = false;
  for (int row = 0; row < tables.rows(); ++row) {
    const std::string name(tables.text(row, 0));
    if (!tables.flag(row, 1)) {
      return fail(ErrorKind::fault,
                  fmt::format("it may not read and write table {}: GRANT SELECT, INSERT, UPDATE, "
                              "DELETE ON {}.{} TO {}",
                              name, quoted_name(config.schema), quoted_name(name),
                              quoted_name(found.text(0, asked_user))));
    }
    if (name == kPgFeedsTable) {
      any_feeds = true;
    } else {
      names.push_back(name);
    }
  }
  if (any_feeds) {
    if (names.empty()) return fmt::format("{} is there", kPgFeedsTable);
    return fmt::format("{} and the tables {} are there", kPgFeedsTable, fmt::join(names, ", "));
  }
  if (!may_create) {
    return fail(ErrorKind::fault,
                fmt::format("the table {} has vanished: rows were stored there before. Bring the "
                            "tables back",
                            kPgFeedsTable));
  }
  if (!config.create) {
    return fail(ErrorKind::fault,
                fmt::format("the table {} is missing, and the configuration says create: false",
                            kPgFeedsTable));
  }
  CARAVEL_TRY(check_making(found, config));
  return std::string("its tables are not there yet and will be created");
}

}  // namespace

Result<std::string> check_server(Session& session, bool may_create, const StopSignal& stop) {
  CARAVEL_ASSIGN_OR_RETURN(Connection* const connection, session.connect(stop));
  const PostgresqlConfig& config = session.config();
  return session.in_context([&]() -> Result<std::string> {
    CARAVEL_ASSIGN_OR_RETURN(const Reply found, connection->run(kQuestion, {config.schema}, stop));
    CARAVEL_ASSIGN_OR_RETURN(const Reply tables, connection->run(kTables, {config.schema}, stop));
    const std::string user(found.text(0, asked_user));
    const auto of_user = [&](Error error) {
      return with_context("user " + user, std::move(error));
    };
    if (auto rights = check_rights(found, config); !rights) {
      return tl::unexpected(of_user(std::move(rights).error()));
    }
    auto said = say_of_tables(found, tables, config, may_create);
    if (!said) return tl::unexpected(of_user(std::move(said).error()));
    const std::string tls = connection->encryption();
    return fmt::format("PostgreSQL {} at {} lets {} in, {}; in database {}, schema {}, {}",
                       found.text(0, asked_version), connection->host(), user,
                       tls.empty() ? "without TLS" : tls, found.text(0, asked_database),
                       config.schema, *said);
  });
}

}  // namespace caravel::uploader
