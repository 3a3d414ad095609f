#include "uploader/couchdb/documents/usual_replies.h"

#include <utility>

#include "uploader/couchdb/documents/json_cursor.h"

namespace caravel::uploader {
namespace {

/// Takes the entry of `id` off the reply of _bulk_docs, byte by byte as CouchDB writes it.
std::optional<EntryResult> take_usual_entry(JsonCursor& cursor, std::string_view id) {
  std::string_view text;
  if (cursor.take(R"({"ok":true,"id":)")) {
    const bool stored = cursor.take_plain_string(text) && text == id && cursor.take(R"(,"rev":)") &&
                        cursor.take_plain_string(text) && cursor.take("}");
    if (stored) return EntryResult::ok;
  } else if (cursor.take(R"({"id":)")) {
    const bool conflict = cursor.take_plain_string(text) && text == id &&
                          cursor.take(R"(,"error":"conflict","reason":)") &&
                          cursor.take_plain_string(text) && cursor.take("}");
    if (conflict) return EntryResult::conflict;
  }
  return {};
}

/// A member that may be there once: of two with one name, a parser takes the last.
class OnlyOnce {
 public:
  [[nodiscard]] bool first_time() { return !std::exchange(seen_, true); }

 private:
  bool seen_ = false;
};

/// The value of `caravel`.
bool take_origin(JsonCursor& cursor, Found& found) {
  OnlyOnce extract;
  OnlyOnce line;
  OnlyOnce sum;
  std::string_view text;
  if (!cursor.take_mark('{')) return false;
  do {
    std::string_view name;
    if (!cursor.take_name(name)) return false;
    if (name == "extract") {
      if (!extract.first_time() || !cursor.take_plain_string(text)) return false;
      found.extract = text;
    } else if (name == "sum") {
      if (!sum.first_time() || !cursor.take_plain_string(text)) return false;
      found.sum = text;
    } else if (name == "line") {
      if (!line.first_time() || !cursor.take_whole_number(found.line)) return false;
    } else if (!cursor.skip_value()) {
      return false;
    }
  } while (cursor.take_mark(','));
  return cursor.take_mark('}');
}

/// The document of `found.id`: one that is not deleted, and has an origin as our rows have it.
bool take_document(JsonCursor& cursor, Found& found) {
  OnlyOnce id;
  OnlyOnce rev;
  OnlyOnce origin;
  std::string_view text;
  if (!cursor.take_mark('{')) return false;
  do {
    std::string_view name;
    if (!cursor.take_name(name)) return false;
    if (name == "_id") {
      if (!id.first_time() || !cursor.take_plain_string(text) || text != found.id) return false;
    } else if (name == "_rev") {
      if (!rev.first_time() || !cursor.take_plain_string(text)) return false;
      found.rev = text;
    } else if (name == "caravel") {
      if (!origin.first_time() || !take_origin(cursor, found)) return false;
    } else if (name == "_deleted" || !cursor.skip_value()) {
      return false;
    }
  } while (cursor.take_mark(','));
  return cursor.take_mark('}') && !id.first_time() && !found.rev.empty();
}

/// Takes one entry of `results`.
bool take_result(JsonCursor& cursor, Found& found) {
  std::string_view id;
  return cursor.take_mark('{') && cursor.take_this_name("id") && cursor.take_plain_string(id) &&
         id == found.id && cursor.take_mark(',') && cursor.take_this_name("docs") &&
         cursor.take_mark('[') && cursor.take_mark('{') && cursor.take_this_name("ok") &&
         take_document(cursor, found) && cursor.take_mark('}') && cursor.take_mark(']') &&
         cursor.take_mark('}');
}

}  // namespace

std::optional<std::vector<BulkEntry>> read_usual_bulk_reply(
    std::string_view reply, const std::vector<std::string_view>& ids) {
  JsonCursor cursor(reply);
  std::vector<BulkEntry> entries;
  entries.reserve(ids.size());
  if (!cursor.take("[")) return {};
  for (const std::string_view id : ids) {
    if (!entries.empty() && !cursor.take(",")) return {};
    const auto result = take_usual_entry(cursor, id);
    if (!result) return {};
    entries.push_back({*result, {}});
  }
  if (!cursor.take("]") || !cursor.at_end()) return {};
  return entries;
}

std::optional<std::vector<Found>> read_usual_bulk_get_reply(
    std::string_view reply, const std::vector<std::string_view>& ids) {
  JsonCursor cursor(reply);
  std::vector<Found> all;
  all.reserve(ids.size());
  if (!cursor.take_mark('{') || !cursor.take_this_name("results") || !cursor.take_mark('['))
    return {};
  for (const std::string_view id : ids) {
    if (!all.empty() && !cursor.take_mark(',')) return {};
    Found& found = all.emplace_back();
    found.id = id;
    found.exists = true;
    if (!take_result(cursor, found)) return {};
  }
  if (!cursor.take_mark(']') || !cursor.take_mark('}') || !cursor.at_end()) return {};
  return all;
}

}  // namespace caravel::uploader
