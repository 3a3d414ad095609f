#include "uploader/couchdb/documents/bulk_docs.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

// In bytes. A validation function may write pages; a message needs a line.
constexpr std::size_t kLongestReason = 300;

std::string shortened(std::string text) {
  if (text.size() > kLongestReason) {
    text.resize(kLongestReason);
    // Not in the middle of a character.
    while (!text.empty() && !is_utf8(text)) text.pop_back();
    text.append("…");
  }
  return text;
}

/// The text under `key`; "" if there is none, or if it is no text. A server may send anything, and
/// nothing of it may throw.
std::string string_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The reply cannot be believed. Kind retry: a proxy may have written it, or it was cut off. Row
/// ids make it harmless to send the request again.
tl::unexpected<Error> garbage(std::string_view what) {
  return fail(ErrorKind::retry, fmt::format("the reply cannot be understood: {}", what));
}

/// Exceptions of the JSON library stop here. Nothing if the text is not JSON.
std::optional<json> parse(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return {};
  return value;
}

/// CouchDB writes `ok` and `rev` for a document that it stored; either of them is enough, for other
/// servers of its protocol.
BulkEntry read_entry(const json& object) {
  BulkEntry entry;
  const auto ok = object.find("ok");
  const std::string error = string_at(object, "error");
  if (error.empty()) {
    const bool stored = (ok != object.end() && ok->is_boolean() && ok->get<bool>()) ||
                        !string_at(object, "rev").empty();
    if (stored)
      entry.result = EntryResult::ok;
    else
      entry.reason = "neither ok nor an error";
    return entry;
  }
  const std::string reason = string_at(object, "reason");
  entry.reason = shortened(reason.empty() ? error : fmt::format("{}: {}", error, reason));
  if (error == "conflict") {
    entry.result = EntryResult::conflict;
    // CouchDB says the same of every conflict ("Document update conflict.").
    entry.reason.clear();
  } else if (error == "forbidden") {
    entry.result = EntryResult::forbidden;
  } else if (error == "unauthorized") {
    entry.result = EntryResult::unauthorized;
  } else if (error == "document_too_large" || error == "too_large") {
    entry.result = EntryResult::too_large;
  }
  return entry;
}

/// A deleted document still has a row: with `deleted` in its value, and null as its `doc`.
Found read_found(const json& row) {
  Found found;
  // The row of a missing id has a `key` and no `id` (CouchDB documentation, "/{db}/_all_docs").
  found.id = string_at(row, "key");
  if (found.id.empty()) found.id = string_at(row, "id");
  const auto value = row.find("value");
  const auto document = row.find("doc");
  if (value == row.end() || !value->is_object()) return found;
  found.rev = string_at(*value, "rev");
  const auto deleted = value->find("deleted");
  const bool gone = deleted != value->end() && deleted->is_boolean() && deleted->get<bool>();
  if (gone || found.rev.empty() || document == row.end() || !document->is_object()) return found;
  found.exists = true;
  // A document without `caravel` is not one of ours. It exists and has no sum, so it differs from
  // every row of ours.
  const auto origin = document->find("caravel");
  if (origin == document->end() || !origin->is_object()) return found;
  found.extract = string_at(*origin, "extract");
  found.sum = string_at(*origin, "sum");
  const auto line = origin->find("line");
  if (line != origin->end() && line->is_number_unsigned()) found.line = line->get<std::uint64_t>();
  return found;
}

/// Puts `items` into the order of `ids`, one for each; an error if they are not exactly those. The
/// reply usually has the order of the request, but a row must not get the credit of another where
/// it has not.
template <class Item, class Id>
Result<std::vector<Item>> in_order(std::vector<Item> items, const Id& id_of,
                                   const std::vector<std::string_view>& ids) {
  if (items.size() != ids.size()) {
    return garbage(fmt::format("{} entries for {} documents", items.size(), ids.size()));
  }
  bool same_order = true;
  for (std::size_t i = 0; i < ids.size() && same_order; ++i) same_order = id_of(i) == ids[i];
  if (same_order) return items;
  // If the reply has one id twice, another id has no entry, and the reply is refused.
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(id_of(i), i);
  std::vector<Item> ordered;
  for (const std::string_view id : ids) {
    const auto place = places.find(id);
    if (place == places.end()) return garbage(fmt::format("no entry for {}", id));
    ordered.push_back(items[place->second]);
  }
  return ordered;
}

}  // namespace

Result<std::vector<BulkEntry>> read_bulk_reply(std::string_view reply,
                                               const std::vector<std::string_view>& ids) {
  const auto value = parse(reply);
  if (!value || !value->is_array()) return garbage("not a list");
  std::vector<BulkEntry> entries;
  std::vector<std::string> names;
  for (const json& object : *value) {
    if (!object.is_object()) return garbage("an entry is no object");
    names.push_back(string_at(object, "id"));
    entries.push_back(read_entry(object));
  }
  return in_order(
      std::move(entries), [&](std::size_t i) -> std::string_view { return names[i]; }, ids);
}

std::string keys_body(const std::vector<std::string_view>& ids) {
  std::string body = R"({"keys":[)";
  for (const std::string_view id : ids) {
    if (body.back() != '[') body.push_back(',');
    append_json_string(id, body);
  }
  body.append("]}");
  return body;
}

Result<std::vector<Found>> read_all_docs_reply(std::string_view reply) {
  const auto value = parse(reply);
  if (!value || !value->is_object()) return garbage("not an object");
  const auto rows = value->find("rows");
  if (rows == value->end() || !rows->is_array()) return garbage("it has no rows");
  std::vector<Found> all;
  for (const json& row : *rows) {
    if (!row.is_object()) return garbage("a row is no object");
    // not_found is an answer; any other error is a lack of one.
    const std::string error = string_at(row, "error");
    if (!error.empty() && error != "not_found") return garbage(shortened(error));
    all.push_back(read_found(row));
  }
  return all;
}

Result<std::vector<Found>> read_lookup_reply(std::string_view reply,
                                             const std::vector<std::string_view>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(auto all, read_all_docs_reply(reply));
  std::vector<std::string> names;
  for (const Found& found : all) names.push_back(found.id);
  return in_order(
      std::move(all), [&](std::size_t i) -> std::string_view { return names[i]; }, ids);
}

void append_with_rev(std::string_view document, std::size_t id_size, std::string_view rev,
                     std::string& out) {
  // The document is ours and begins with its `_id` (DocumentBuilder), so that the place is known:
  // no parser reads it, and no number passes through a double.
  // After `{"_id":"…"`.
  const std::size_t at = std::string_view(R"({"_id":")").size() + id_size + 1;
  out.append(document.substr(0, at)).append(R"(,"_rev":)");
  append_json_string(rev, out);
  out.append(document.substr(at));
}

std::string error_of_reply(std::string_view reply) {
  const auto value = parse(reply);
  if (!value || !value->is_object()) return {};
  const std::string error = string_at(*value, "error");
  const std::string reason = string_at(*value, "reason");
  if (error.empty() || reason.empty()) return shortened(error + reason);
  return shortened(fmt::format("{}: {}", error, reason));
}

}  // namespace caravel::uploader
