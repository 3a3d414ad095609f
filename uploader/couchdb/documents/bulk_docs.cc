#include "uploader/couchdb/documents/bulk_docs.h"

#include <algorithm>
#include <array>

#include "uploader/couchdb/documents/replies.h"
#include "uploader/couchdb/documents/usual_replies.h"
#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

/// The reason of an error as text: a validation function may throw {forbidden: {any: "thing"}}.
std::string reason_at(const json& object) {
  const auto reason = object.find("reason");
  if (reason == object.end() || reason->is_null()) return {};
  if (reason->is_string()) return reason->get<std::string>();
  return reason->dump(-1, ' ', false, json::error_handler_t::replace);
}

ErrorWords words_of(const json& object) {
  return object.is_object() ? ErrorWords{string_at(object, "error"), reason_at(object)}
                            : ErrorWords{};
}

std::string in_one_line(const ErrorWords& words) {
  if (words.error.empty() || words.reason.empty()) return shortened(words.error + words.reason);
  return shortened(fmt::format("{}: {}", words.error, words.reason));
}

/// CouchDB writes `ok` and `rev` for a document that it stored; either of them is enough, for other
/// servers of its protocol.
BulkEntry read_entry(const json& object) {
  const ErrorWords words = words_of(object);
  if (words.error.empty()) {
    const auto ok = object.find("ok");
    const bool stored = (ok != object.end() && ok->is_boolean() && ok->get<bool>()) ||
                        !string_at(object, "rev").empty();
    if (stored) return {EntryResult::ok, {}};
    // A reason without an error: how PouchDB answers for a function that throws a text.
    if (!words.reason.empty()) return {EntryResult::broken_rule, shortened(words.reason)};
    return {EntryResult::other, "neither ok nor an error"};
  }
  // CouchDB says the same of every conflict ("Document update conflict.").
  if (words.error == "conflict") return {EntryResult::conflict, {}};
  std::string reason = in_one_line(words);
  if (words.error == "forbidden") return {EntryResult::forbidden, std::move(reason)};
  if (words.error == "unauthorized") return {EntryResult::unauthorized, std::move(reason)};
  if (words.error == "document_too_large" || words.error == "too_large") {
    return {EntryResult::too_large, std::move(reason)};
  }
  return {says_broken_rule(words.error) ? EntryResult::broken_rule : EntryResult::other,
          std::move(reason)};
}

}  // namespace

Result<std::vector<BulkEntry>> read_bulk_reply(std::string_view reply,
                                               const std::vector<std::string_view>& ids) {
  if (auto entries = read_usual_bulk_reply(reply, ids)) return *std::move(entries);
  return read_any_bulk_reply(reply, ids);
}

Result<std::vector<BulkEntry>> read_any_bulk_reply(std::string_view reply,
                                                   const std::vector<std::string_view>& ids) {
  const auto value = parse_reply(reply);
  if (!value || !value->is_array()) return not_understood("not a list");
  std::vector<BulkEntry> entries;
  std::vector<std::string> names;
  for (const json& object : *value) {
    if (!object.is_object()) return not_understood("an entry is no object");
    names.push_back(string_at(object, "id"));
    entries.push_back(read_entry(object));
  }
  return in_order(
      std::move(entries), [&](std::size_t i) -> std::string_view { return names[i]; }, ids);
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

ErrorWords words_of_reply(std::string_view reply) {
  const auto value = parse_reply(reply);
  if (!value) return {};
  if (!value->is_array()) return words_of(*value);
  for (const json& entry : *value) {
    ErrorWords words = words_of(entry);
    if (!words.error.empty() || !words.reason.empty()) return words;
  }
  return {};
}

std::string error_of_reply(std::string_view reply) {
  if (std::string words = in_one_line(words_of_reply(reply)); !words.empty()) return words;
  const auto value = parse_reply(reply);
  // An empty object says nothing. A page of HTML says too much, and none of it is CouchDB's.
  if (!value || value->empty()) return {};
  return shortened(value->dump(-1, ' ', false, json::error_handler_t::replace));
}

/// The query server hands on the name of what was thrown, "TypeError" and the like, and CouchDB
/// says unknown_error where that is no error object (src/couch/src/couch_query_servers.erl).
bool says_broken_rule(std::string_view error) {
  constexpr std::array<std::string_view, 4> kWords = {"compilation_error", "unknown_error",
                                                      "unnamed_error", "os_process_error"};
  return error.ends_with("Error") || std::find(kWords.begin(), kWords.end(), error) != kWords.end();
}

}  // namespace caravel::uploader
