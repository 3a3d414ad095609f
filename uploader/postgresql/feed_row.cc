#include "uploader/postgresql/feed_row.h"

#include <fmt/format.h>

#include "uploader/feed_fields.h"
#include "uploader/postgresql/feed_table.h"

namespace caravel::uploader {
namespace {

std::string text_of(const FeedField& field) {
  if (const auto* text = std::get_if<std::string>(&field.value)) return *text;
  if (const auto* number = std::get_if<std::uint64_t>(&field.value)) return std::to_string(*number);
  return std::get<bool>(field.value) ? "true" : "false";
}

}  // namespace

Result<> put_feed_row(Session& session, Connection& connection, const ExtractInfo& extract,
                      const formatter::RowReader& rows, std::uint64_t refused, bool update,
                      const StopSignal& stop) {
  std::string names = "_id";
  std::string marks = "$1";
  std::vector<std::string> values = {feed_document_id(extract.feed, rows.end().sha256)};
  // The field is missing where the year was sure: an update must take an old one away.
  std::string updates = fmt::format("year_guessed = {}", extract.year_guessed ? "true" : "NULL");
  for (const FeedField& field : feed_fields(extract, rows, refused)) {
    values.push_back(text_of(field));
    names += ", " + quoted_name(field.name);
    marks += fmt::format(", ${}", values.size());
    if (is_kept_feed_field(field.name) || field.name == "year_guessed") continue;
    updates += fmt::format(", {0} = excluded.{0}", quoted_name(field.name));
  }
  CARAVEL_TRY(connection.run(fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT (_id) DO {}",
                                         session.table(kPgFeedsTable), names, marks,
                                         update ? "UPDATE SET " + updates : "NOTHING"),
                             values, stop));
  return {};
}

}  // namespace caravel::uploader
