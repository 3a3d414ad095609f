#include "uploader/couchdb/documents/found.h"

#include <charconv>
#include <utility>

#include "uploader/couchdb/documents/replies.h"
#include "uploader/couchdb/documents/usual_replies.h"
#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

bool is_true_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

/// Fills in what `document` says of its origin. One without `caravel` is not one of ours: it exists
/// and has no sum, so it differs from every row of ours.
void read_origin(const json& document, Found& found) {
  const auto origin = document.find("caravel");
  if (origin == document.end() || !origin->is_object()) return;
  found.extract = string_at(*origin, "extract");
  found.sum = string_at(*origin, "sum");
  const auto line = origin->find("line");
  if (line != origin->end() && line->is_number_unsigned()) found.line = line->get<std::uint64_t>();
}

/// A deleted document still has a row: with `deleted` in its value, and null as its `doc`.
Found read_row(const json& row) {
  Found found;
  // The row of a missing id has a `key` and no `id`.
  found.id = string_at(row, "key");
  if (found.id.empty()) found.id = string_at(row, "id");
  const auto value = row.find("value");
  const auto document = row.find("doc");
  if (value == row.end() || !value->is_object()) return found;
  found.rev = string_at(*value, "rev");
  found.deleted = is_true_at(*value, "deleted");
  const bool has_document = document != row.end() && document->is_object();
  if (found.deleted || found.rev.empty() || !has_document) return found;
  found.exists = true;
  read_origin(*document, found);
  return found;
}

/// Does revision `a` win over `b`? CouchDB documentation, "Replication and conflict model": the
/// longer history, and of equal ones the greater hash. A revision is "GENERATION-HASH".
bool wins(std::string_view a, std::string_view b) {
  const auto generation = [](std::string_view rev) {
    std::uint64_t number = 0;
    std::from_chars(rev.data(), rev.data() + rev.size(), number);
    return number;
  };
  const std::uint64_t ours = generation(a);
  const std::uint64_t theirs = generation(b);
  return ours != theirs ? ours > theirs : a > b;
}

/// One entry of `results`: its `docs` hold every leaf of the document, the deleted ones too. What
/// is missing has an error there, or (PouchDB) nothing at all.
Result<Found> read_result(const json& result) {
  Found found;
  found.id = string_at(result, "id");
  const auto leaves = result.find("docs");
  if (leaves == result.end() || !leaves->is_array()) return not_understood("a result has no docs");
  for (const json& leaf : *leaves) {
    if (!leaf.is_object()) return not_understood("a result is no object");
    if (const auto error = leaf.find("error"); error != leaf.end()) {
      // CouchDB nests the words; others do not. not_found is an answer; any other error is a lack
      // of one.
      const std::string word =
          error->is_string() ? error->get<std::string>() : string_at(*error, "error");
      if (word != "not_found") return not_understood(shortened(word.empty() ? "error" : word));
      continue;
    }
    const auto document = leaf.find("ok");
    if (document == leaf.end()) continue;
    const std::string rev = string_at(*document, "_rev");
    if (!document->is_object() || string_at(*document, "_id") != found.id || rev.empty()) {
      return not_understood("a result is not the document that was asked for");
    }
    if (is_true_at(*document, "_deleted")) {
      found.deleted = !found.exists;
      continue;
    }
    if (found.exists && !wins(rev, found.rev)) continue;
    found = Found{found.id, true, false, rev, {}, 0, {}};
    read_origin(*document, found);
  }
  return found;
}

Result<std::vector<Found>> for_ids(std::vector<Found> all,
                                   const std::vector<std::string_view>& ids) {
  std::vector<std::string> names;
  for (const Found& found : all) names.push_back(found.id);
  return in_order(
      std::move(all), [&](std::size_t i) -> std::string_view { return names[i]; }, ids);
}

/// The array under `key`.
Result<json> list_in(std::string_view reply, const char* key) {
  auto value = parse_reply(reply);
  if (!value || !value->is_object()) return not_understood("not an object");
  const auto list = value->find(key);
  if (list == value->end() || !list->is_array()) {
    return not_understood(fmt::format("it has no {}", key));
  }
  return std::move(*list);
}

/// `before`, every id as a JSON string between two texts, and `]}`.
std::string body_of_ids(std::string_view before, const std::vector<std::string_view>& ids,
                        std::string_view before_id, std::string_view behind_id) {
  std::string body(before);
  for (const std::string_view id : ids) {
    if (body.back() != '[') body.push_back(',');
    body.append(before_id);
    append_json_string(id, body);
    body.append(behind_id);
  }
  body.append("]}");
  return body;
}

}  // namespace

std::string bulk_get_body(const std::vector<std::string_view>& ids) {
  return body_of_ids(R"({"docs":[)", ids, R"({"id":)", "}");
}

std::string keys_body(const std::vector<std::string_view>& ids) {
  return body_of_ids(R"({"keys":[)", ids, "", "");
}

Result<std::vector<Found>> read_bulk_get_reply(std::string_view reply,
                                               const std::vector<std::string_view>& ids) {
  if (auto found = read_usual_bulk_get_reply(reply, ids)) return *std::move(found);
  return read_any_bulk_get_reply(reply, ids);
}

Result<std::vector<Found>> read_any_bulk_get_reply(std::string_view reply,
                                                   const std::vector<std::string_view>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(const auto results, list_in(reply, "results"));
  std::vector<Found> all;
  for (const json& result : results) {
    if (!result.is_object()) return not_understood("a result is no object");
    CARAVEL_ASSIGN_OR_RETURN(auto found, read_result(result));
    all.push_back(std::move(found));
  }
  return for_ids(std::move(all), ids);
}

Result<std::vector<Found>> read_keys_reply(std::string_view reply,
                                           const std::vector<std::string_view>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(const auto rows, list_in(reply, "rows"));
  std::vector<Found> all;
  for (const json& row : rows) {
    if (!row.is_object()) return not_understood("a row is no object");
    // not_found is an answer; any other error is a lack of one.
    const std::string error = string_at(row, "error");
    if (!error.empty() && error != "not_found") return not_understood(shortened(error));
    all.push_back(read_row(row));
  }
  return for_ids(std::move(all), ids);
}

Result<std::vector<std::string>> read_page_of_ids(std::string_view reply) {
  CARAVEL_ASSIGN_OR_RETURN(const auto rows, list_in(reply, "rows"));
  std::vector<std::string> ids;
  for (const json& row : rows) {
    std::string id = string_at(row, "id");
    if (id.empty()) return not_understood("a row has no id");
    ids.push_back(std::move(id));
  }
  return ids;
}

}  // namespace caravel::uploader
