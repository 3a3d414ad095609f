// The type TEXT taken out of a CREATE TABLE, whatever people have made of it.
#include "uploader/sqlite/table_definition.h"

#include <gtest/gtest.h>

namespace caravel::uploader {
namespace {

TEST(WithoutTextType, ChangesTheNamedColumnsAndNothingElse) {
  const struct {
    const char* sql;
    const char* expected;
  } cases[] = {
      {"CREATE TABLE \"hrt\" (_id TEXT PRIMARY KEY NOT NULL, \"Lat\" TEXT, \"Date\" TEXT) "
       "WITHOUT ROWID",
       "CREATE TABLE \"hrt\" (_id TEXT PRIMARY KEY NOT NULL, \"Lat\", \"Date\" TEXT) "
       "WITHOUT ROWID"},
      {"CREATE TABLE t (a TEXT, lat text)", "CREATE TABLE t (a TEXT, lat)"},
      {"CREATE TABLE t (`LAT` TEXT, [lon] TEXT)", "CREATE TABLE t (`LAT`, [lon])"},
      {"CREATE TABLE t (lat TEXT COLLATE NOCASE DEFAULT 'lat TEXT')",
       "CREATE TABLE t (lat COLLATE NOCASE DEFAULT 'lat TEXT')"},
      {"CREATE TABLE t (a TEXT DEFAULT ', lat TEXT', \"x, lat TEXT\" TEXT, lat\tTEXT)",
       "CREATE TABLE t (a TEXT DEFAULT ', lat TEXT', \"x, lat TEXT\" TEXT, lat\t)"},
      {"CREATE TABLE t (a TEXT /* , lat TEXT */, -- lat TEXT,\n lat TEXT)",
       "CREATE TABLE t (a TEXT /* , lat TEXT */, -- lat TEXT,\n lat)"},
      {"CREATE TABLE t (a AS (max(lat, 1)) CHECK (a, lat TEXT), lat TEXT)",
       "CREATE TABLE t (a AS (max(lat, 1)) CHECK (a, lat TEXT), lat)"},
      {"CREATE TABLE t (\"a\"\"b\" TEXT, lat INT)", "CREATE TABLE t (\"a\"\"b\", lat INT)"},
      {"CREATE TABLE t (lat \"TEXT\")", "CREATE TABLE t (lat \"TEXT\")"},
      {"CREATE TABLE t (lat TEXT", "CREATE TABLE t (lat"},
      {"CREATE TABLE t (lat 'open", "CREATE TABLE t (lat 'open"},
      {"", ""},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.sql);
    EXPECT_EQ(without_text_type(test.sql, {"lat", "lon", "a\"b"}), test.expected);
  }
}

}  // namespace
}  // namespace caravel::uploader
