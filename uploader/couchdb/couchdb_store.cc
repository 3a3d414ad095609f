#include "uploader/couchdb/couchdb_store.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "uploader/couchdb/bulk_docs.h"
#include "uploader/couchdb/couch_document.h"
#include "uploader/couchdb/couchdb_upload.h"
#include "uploader/couchdb/retry.h"
#include "uploader/json_text.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

constexpr std::size_t kReplyBytes = 64 * 1024;
constexpr std::size_t kPageBytes = 9 << 20;
constexpr std::size_t kPageRows = 200;
constexpr std::size_t kRemoveAtOnce = 100;

std::string text_at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

StoredDocument as_document(const std::string& id, std::string text) {
  StoredDocument document;
  document.id = id;
  const json value = json::parse(text, nullptr, false);
  if (value.is_object()) {
    const json origin = value.value("caravel", json::object());
    document.extract = text_at(origin, "extract");
    document.sum = text_at(origin, "sum");
    if (origin.is_object() && origin.contains("line") && origin["line"].is_number_unsigned()) {
      document.line = origin["line"].get<std::uint64_t>();
    }
    if (text_at(value, "doc_type") == "Feed")
      document.extract = text_at(value, "sha256").substr(0, 16);
  }
  document.text = std::move(text);
  return document;
}

}  // namespace

CouchStore::CouchStore(const StoreConfig& config, std::unique_ptr<HttpTransport> transport)
    : transport_(std::move(transport)), database_(config, *transport_) {}

Result<std::string> CouchStore::check(bool may_create) {
  const StoreConfig& config = database_.config();
  const std::string root = database_.server_url() + "/";
  CARAVEL_ASSIGN_OR_RETURN(const auto greeting,
                           database_.call(database_.request("GET", root, {}, kReplyBytes), never_));
  std::string server = "the server";
  const json hello = json::parse(greeting.body, nullptr, false);
  // A server may greet nobody but its users with its version; the database's answer is what counts.
  if (const std::string version = text_at(hello, "version"); !version.empty()) {
    server = "CouchDB " + version;
  } else if (const json vendor = hello.is_object() ? hello.value("vendor", json()) : json();
             !text_at(vendor, "name").empty()) {
    server = text_at(vendor, "name") + " " + text_at(vendor, "version");
  }
  CARAVEL_ASSIGN_OR_RETURN(
      const auto reply,
      database_.call(database_.request("GET", database_.url(), {}, kReplyBytes), never_));
  const Answer answer = answer_of_status(reply.status);
  if (answer == Answer::missing && config.create_database && may_create) {
    return fmt::format("{} at {} answers; the database '{}' is not there yet and will be created",
                       server, database_.server_url(), config.database);
  }
  const json facts = json::parse(reply.body, nullptr, false);
  if (answer != Answer::good || text_at(facts, "db_name").empty()) {
    return tl::unexpected(database_.error_of("GET", database_.url(), reply));
  }
  return fmt::format("{} at {} answers; the database '{}' has {} documents", server,
                     database_.server_url(), config.database,
                     facts.value("doc_count", json(0)).dump());
}

std::unique_ptr<Upload> CouchStore::start(ExtractInfo extract, formatter::RowReader rows,
                                          UploadOptions options) {
  return std::make_unique<CouchUpload>(database_, std::move(extract), std::move(rows), options);
}

Result<std::optional<StoredDocument>> CouchStore::find(const std::string& id) {
  CARAVEL_ASSIGN_OR_RETURN(auto text, get_document(database_, id, never_));
  if (!text) return std::nullopt;
  return as_document(id, std::move(*text));
}

Result<HttpReply> CouchStore::post(const std::string& path, const std::string& body,
                                   std::size_t max_reply_bytes) {
  const std::string url = database_.url(path);
  auto reply = database_.call(database_.request("POST", url, body, max_reply_bytes), never_);
  if (reply && answer_of_status(reply->status) != Answer::good) {
    return tl::unexpected(database_.error_of("POST", url, *reply));
  }
  return reply;
}

Result<> CouchStore::for_each_row_of(const std::string& feed, const std::string& extract,
                                     const std::function<void(const StoredDocument&)>& visit) {
  // ';' follows ':' in the order of ids: from "hrt:" to all that begins with it.
  std::string from = feed + ":";
  const std::string until = feed + ";";
  for (bool first = true;; first = false) {
    std::string start_key;
    append_json_string(from, start_key);
    std::string end_key;
    append_json_string(until, end_key);
    const std::string url = database_.url(fmt::format(
        "/_all_docs?include_docs=true&startkey={}&endkey={}&inclusive_end=false&limit={}&skip={}",
        percent_encoded(start_key), percent_encoded(end_key), kPageRows, first ? 0 : 1));
    CARAVEL_ASSIGN_OR_RETURN(const auto reply,
                             database_.call(database_.request("GET", url, {}, kPageBytes), never_));
    if (answer_of_status(reply.status) != Answer::good) {
      return tl::unexpected(database_.error_of("GET", url, reply));
    }
    const auto page = read_all_docs_reply(reply.body);
    if (!page) return tl::unexpected(with_context(url, page.error()));
    for (const Found& found : *page) {
      if (found.exists && found.extract == extract) {
        visit({found.id, found.extract, found.line, found.sum, {}});
      }
    }
    if (page->empty()) return {};
    from = page->back().id;
  }
}

Result<std::uint64_t> CouchStore::remove_rows(const std::string&, const std::string& extract,
                                              const std::vector<std::string>& ids) {
  std::uint64_t removed = 0;
  for (std::size_t at = 0; at < ids.size(); at += kRemoveAtOnce) {
    const std::size_t end = std::min(ids.size(), at + kRemoveAtOnce);
    std::vector<std::string_view> some(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                       ids.begin() + static_cast<std::ptrdiff_t>(end));
    // An id once: a repeated one would be a second deletion of the same.
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    CARAVEL_ASSIGN_OR_RETURN(const auto gone, remove_some(extract, some));
    removed += gone;
  }
  return removed;
}

Result<std::uint64_t> CouchStore::remove_some(const std::string& extract,
                                              const std::vector<std::string_view>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(const auto reply,
                           post("/_all_docs?include_docs=true", keys_body(ids), kPageBytes));
  const auto found = read_lookup_reply(reply.body, ids);
  if (!found) return tl::unexpected(with_context(database_.url("/_all_docs"), found.error()));
  std::vector<std::string_view> ours;
  json docs = json::array();
  for (const Found& row : *found) {
    if (!row.exists || row.extract != extract) continue;
    ours.push_back(row.id);
    docs.push_back({{"_id", row.id}, {"_rev", row.rev}, {"_deleted", true}});
  }
  if (ours.empty()) return 0;
  CARAVEL_ASSIGN_OR_RETURN(const auto deleted,
                           post("/_bulk_docs", json{{"docs", docs}}.dump(), kPageBytes));
  const auto entries = read_bulk_reply(deleted.body, ours);
  if (!entries) return tl::unexpected(with_context(database_.url("/_bulk_docs"), entries.error()));
  // A conflict is a row that changed since we looked: it is no longer the one that was meant.
  return static_cast<std::uint64_t>(
      std::count_if(entries->begin(), entries->end(),
                    [](const BulkEntry& entry) { return entry.result == EntryResult::ok; }));
}

Result<bool> CouchStore::put_mapping(const Mapping& mapping, bool may_create) {
  constexpr const char* kAttachmentName = "content";
  const std::string id = mapping_id(mapping);
  // What is streamed is a file: one in memory, so that it is what was checked.
  const UniqueFd file(::memfd_create("mapping", MFD_CLOEXEC));
  if (!file) return fail_with_errno("memfd_create", errno);
  CARAVEL_TRY(write_all(file.get(), mapping.csv));
  const Attachment attachment{kAttachmentName, "text/csv", file.get(), mapping.csv.size()};
  for (bool created = false;; created = true) {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto reply, put_document(database_, id, mapping_text(mapping), &attachment, never_));
    switch (answer_of_status(reply.status)) {
      case Answer::good:
        return true;
      case Answer::conflict:
        return false;
      case Answer::missing:
        if (!created && database_.config().create_database && may_create) {
          CARAVEL_TRY(database_.create(never_));
          continue;
        }
        [[fallthrough]];
      default:
        return tl::unexpected(database_.error_of("PUT", database_.document_url(id), reply));
    }
  }
}

}  // namespace caravel::uploader
