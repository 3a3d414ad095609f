#include "uploader/couchdb/documents/feed_document.h"

#include <nlohmann/json.hpp>

namespace caravel::uploader {
namespace {

using Json = nlohmann::ordered_json;

void put(Json& document, const FeedField& field) {
  std::visit([&](const auto& value) { document[field.name] = value; }, field.value);
}

/// A text that is not UTF-8 after all must not stop the extract: the JSON library would throw, so
/// it is told to write U+FFFD instead of such bytes.
std::string text_of(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string feed_document_text(std::string_view id, const std::vector<FeedField>& fields) {
  Json document;
  document["_id"] = std::string(id);
  for (const FeedField& field : fields) put(document, field);
  return text_of(document);
}

Result<std::string> merged_feed_document(std::string_view stored,
                                         const std::vector<FeedField>& fields) {
  Json document = Json::parse(stored, nullptr, false);
  if (!document.is_object()) return fail(ErrorKind::retry, "the stored document is no object");
  // Our fields have `year_guessed` only if the year was guessed now; an earlier load may have left
  // it in the document.
  document.erase("year_guessed");
  for (const FeedField& field : fields) {
    if (!is_kept_feed_field(field.name) || !document.contains(field.name)) put(document, field);
  }
  return text_of(document);
}

std::string with_attachment(std::string_view text, const std::string& name,
                            const std::string& content_type, std::uint64_t bytes) {
  Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return std::string(text);
  // CouchDB takes the parts of the body in the order in which the document names them. Attachments
  // that were there are stubs without a part, so ours is the only part.
  document["_attachments"][name] = {
      {"follows", true}, {"content_type", content_type}, {"length", bytes}};
  return text_of(document);
}

bool has_attachment(std::string_view text, const std::string& name) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return false;
  const auto attachments = document.find("_attachments");
  return attachments != document.end() && attachments->is_object() && attachments->contains(name);
}

}  // namespace caravel::uploader
