#include "uploader/feed_fields.h"

#include <fmt/format.h>

namespace caravel::uploader {

std::string feed_document_id(const std::string& feed, std::string_view sha256) {
  return fmt::format("feed:{}:{}", feed, sha256);
}

std::vector<FeedField> feed_fields(const ExtractInfo& extract, const formatter::RowReader& rows,
                                   std::uint64_t refused) {
  const formatter::Counts& counts = rows.end().counts;
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
  return name == "status" || name == "timestamp" || name == "name";
}

}  // namespace caravel::uploader
