#include "uploader/sqlite/feed_row.h"

#include <fmt/format.h>

#include "uploader/feed_fields.h"
#include "uploader/sqlite/store.h"

namespace caravel::uploader {
namespace {

void bind(const FeedField& field, Statement& statement) {
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    statement.bind(*text);
  } else if (const auto* number = std::get_if<std::uint64_t>(&field.value)) {
    statement.bind(*number);
  } else {
    statement.bind(std::get<bool>(field.value) ? 1 : 0);
  }
}

}  // namespace

/// IF NOT EXISTS leaves an older table as it is. A new column would need an ALTER TABLE as well, as
/// make_table() in row_writer.cc has it.
Result<> make_feeds_table(Sqlite& file) {
  return file.script(fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (_id TEXT PRIMARY KEY NOT NULL, doc_type TEXT, status TEXT, "
      "timestamp TEXT, name TEXT, host TEXT, feed TEXT, format TEXT, lines INTEGER, rows INTEGER, "
      "dropped INTEGER, rejected INTEGER, sha256 TEXT, year_guessed INTEGER)",
      kFeedsTable));
}

Result<> put_feed_row(Sqlite& file, const ExtractInfo& extract, const formatter::RowReader& rows,
                      std::uint64_t refused, bool update) {
  const auto fields = feed_fields(extract, rows, refused);
  std::string names = "_id";
  std::string marks = "?";
  // The field is missing where the year was sure: an update must take an old 1 away.
  std::string updates = fmt::format("year_guessed = {}", extract.year_guessed ? "1" : "NULL");
  for (const FeedField& field : fields) {
    names.append(", ").append(sql_name(field.name));
    marks.append(", ?");
    // What a consumer or the first load wrote is left out of the update.
    if (is_kept_feed_field(field.name) || field.name == "year_guessed") continue;
    // `excluded` is the row that the INSERT would have stored (sqlite.org/lang_upsert.html).
    updates.append(fmt::format(", {0} = excluded.{0}", sql_name(field.name)));
  }
  CARAVEL_ASSIGN_OR_RETURN(
      auto kept, file.prepare_kept(fmt::format(
                     "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (_id) DO {}", kFeedsTable, names,
                     marks, update ? "UPDATE SET " + updates : "NOTHING")));
  Statement& statement = *kept;
  statement.bind(feed_document_id(extract.feed, rows.end().sha256));
  for (const FeedField& field : fields) bind(field, statement);
  return statement.finish();
}

}  // namespace caravel::uploader
