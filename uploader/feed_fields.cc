#include "uploader/feed_fields.h"

#include <fmt/format.h>

namespace caravel::uploader {

std::string feed_document_id(const std::string& feed, std::string_view sha256) {
  // No feed may be called "feed" (watcher/config/feeds.cc), so no row has an id that looks like
  // this one.
  return fmt::format("feed:{}:{}", feed, sha256);
}

std::vector<FeedField> feed_fields(const ExtractInfo& extract, const formatter::RowReader& rows,
                                   std::uint64_t refused) {
  const formatter::Counts& counts = rows.end().counts;
  // The table of a store has a column for each field: a new one is needed there too
  // (uploader/sqlite/feed_row.cc).
  std::vector<FeedField> fields = {
      {"doc_type", std::string("Feed")},
      {"status", std::string("new")},
      {"timestamp", extract.timestamp},
      {"name", extract.name},
      {"host", extract.host},
      {"feed", extract.feed},
      {"format", rows.header().format},
      {"lines", counts.lines},
      {"rows", counts.rows},
      {"dropped", counts.dropped},
      // Rows that the store refused were rows to the format: they are in `rows` and here.
      {"rejected", counts.rejected + refused},
      {"sha256", rows.end().sha256},
  };
  if (extract.year_guessed) fields.push_back({"year_guessed", true});
  return fields;
}

bool is_kept_feed_field(std::string_view name) {
  // `status` belongs to the consumer: "new" written over it would make the consumer take the
  // extract once more.
  return name == "status" || name == "timestamp" || name == "name";
}

}  // namespace caravel::uploader
