#include "uploader/couchdb/store.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "uploader/couchdb/database.h"
#include "uploader/couchdb/documents/bulk_docs.h"
#include "uploader/couchdb/documents/found.h"
#include "uploader/couchdb/learned.h"
#include "uploader/couchdb/single_document.h"
#include "uploader/couchdb/upload.h"
#include "uploader/feed_fields.h"
#include "uploader/http/answer.h"
#include "uploader/http/url.h"
#include "uploader/json_text.h"
#include "uploader/row.h"

namespace caravel::uploader {
namespace {

using nlohmann::json;

// A page of _all_docs holds ids and revisions: for an id of the longest kind (see is_id_tail())
// less than 2 KiB a row, however large the documents are. As many rows are deleted by one request.
constexpr std::size_t kPageRows = 1000;
constexpr std::size_t kPageBytes = kPageRows * 4096;

/// "" if `value` is no object, or has no text there.
std::string text_at(const json& value, const char* key) {
  if (!value.is_object()) return {};
  const auto found = value.find(key);
  return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A row document names its extract in `caravel`, a feed document in `sha256`. A document of
/// somebody else has neither, and these fields stay empty.
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
    if (text_at(value, "doc_type") == "Feed") {
      document.extract = extract_tag(text_at(value, "sha256"));
    }
  }
  document.text = std::move(text);
  return document;
}

/// Who answers, from the greeting of GET /: "CouchDB 3.5.0", "PouchDB Server 4.2.0".
std::string server_name(const std::string& greeting) {
  const json hello = json::parse(greeting, nullptr, false);
  // A server may greet nobody but its users with its version; the database's answer is what counts.
  if (const std::string version = text_at(hello, "version"); !version.empty()) {
    return "CouchDB " + version;
  }
  const json vendor = hello.is_object() ? hello.value("vendor", json()) : json();
  const std::string name = text_at(vendor, "name");
  return name.empty() ? "the server" : name + " " + text_at(vendor, "version");
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

class CouchStore : public Store {
 public:
  CouchStore(const CouchdbConfig& config, std::unique_ptr<HttpTransport> transport)
      : transport_(std::move(transport)), database_(config, *transport_), learned_(database_) {}

  Result<std::string> check(bool may_create) override;
  std::unique_ptr<Upload> start(ExtractInfo extract, formatter::RowReader rows,
                                UploadOptions options) override {
    return std::make_unique<CouchUpload>(database_, learned_, std::move(extract), std::move(rows),
                                         options);
  }
  Result<std::optional<StoredDocument>> find(const std::string& id) override {
    CARAVEL_ASSIGN_OR_RETURN(auto text, get_document(database_, id, never_));
    if (!text) return std::nullopt;
    return as_document(id, std::move(*text));
  }
  Result<Missing> missing(const std::string& feed, formatter::RowReader rows,
                          const StopSignal& stop) override;
  Result<> for_each_row_of(const std::string& feed, const std::string& extract,
                           const std::function<void(const StoredDocument&)>& visit) override;
  Result<> for_each_feed_document(const std::string& feed,
                                  const std::function<void(const StoredDocument&)>& visit) override;
  Result<std::uint64_t> remove_rows(const std::string&, const std::string& extract,
                                    const std::vector<std::string>& ids) override;
  Result<bool> put_mapping(const Mapping& mapping, bool may_create) override;

 private:
  /// An error if the user that we are may not make a database; nothing if that is not known.
  Result<> may_create_database();
  Result<std::uint64_t> remove_at_once(const std::string& extract,
                                       const std::vector<std::string_view>& ids);
  Result<std::vector<bool>> which_are_there(const std::vector<std::string>& ids,
                                            const StopSignal& stop);
  /// A request whose reply is good, or its error.
  Result<HttpReply> ask(const std::string& method, const std::string& url, std::string_view body,
                        std::size_t max_reply_bytes);
  /// What read_…_reply() made of the reply to `path`; its error says where it came from.
  template <class T>
  Result<T> said_by(const std::string& path, Result<T> read) const {
    if (!read) return tl::unexpected(with_context(database_.url(path), std::move(read).error()));
    return read;
  }

  std::unique_ptr<HttpTransport> transport_;
  CouchDatabase database_;
  Learned learned_;
  StopSignal never_;  // for the calls that nobody stops: they end by their timeout
};

Result<HttpReply> CouchStore::ask(const std::string& method, const std::string& url,
                                  std::string_view body, std::size_t max_reply_bytes) {
  auto reply = database_.call(database_.request(method, url, body, max_reply_bytes), never_);
  if (reply && answer_of_status(reply->status) != Answer::good) {
    return tl::unexpected(database_.error_of(method, url, *reply));
  }
  return reply;
}

Result<std::string> CouchStore::check(bool may_create) {
  const CouchdbConfig& config = database_.config();
  const std::string root = database_.server_url() + "/";
  // Whatever the status: a server may want a login for its greeting. The answer about the database
  // decides.
  CARAVEL_ASSIGN_OR_RETURN(const auto greeting,
                           database_.call(database_.request("GET", root, {}, kReplyBytes), never_));
  const std::string who =
      fmt::format("{} at {} answers", server_name(greeting.body), database_.server_url());
  CARAVEL_ASSIGN_OR_RETURN(
      const auto reply,
      database_.call(database_.request("GET", database_.url(), {}, kReplyBytes), never_));
  const Answer answer = answer_of_status(reply.status);
  if (answer == Answer::missing && config.create_database && may_create) {
    CARAVEL_TRY(may_create_database());
    return fmt::format("{}; the database '{}' is not there yet and will be created", who,
                       config.database);
  }
  const json facts = json::parse(reply.body, nullptr, false);
  // A server of another kind may answer 200 to anything.
  if (answer != Answer::good || text_at(facts, "db_name").empty()) {
    return tl::unexpected(database_.error_of("GET", database_.url(), reply));
  }
  return fmt::format("{}; the database '{}' has {} documents", who, config.database,
                     facts.value("doc_count", json(0)).dump());
}

Result<Missing> CouchStore::missing(const std::string& feed, formatter::RowReader rows,
                                    const StopSignal& stop) {
  const Documents documents = database_.config().documents;
  const std::string document = feed_document_id(feed, rows.end().sha256);
  Missing missing;
  if (documents != Documents::feed) {
    CARAVEL_ASSIGN_OR_RETURN(missing, ask_for_rows(feed, std::move(rows), kPageRows, stop,
                                                   [&](const std::vector<std::string>& ids) {
                                                     return which_are_there(ids, stop);
                                                   }));
  }
  if (documents != Documents::rows) {
    CARAVEL_ASSIGN_OR_RETURN(const auto text, get_document(database_, document, stop));
    missing.feed_document = !text;
  }
  return missing;
}

Result<std::vector<bool>> CouchStore::which_are_there(const std::vector<std::string>& ids,
                                                      const StopSignal& stop) {
  const std::vector<std::string_view> asked(ids.begin(), ids.end());
  CARAVEL_ASSIGN_OR_RETURN(const auto found, learned_.lookups.look_up(asked, stop));
  std::vector<bool> there;
  for (const Found& row : found) there.push_back(row.exists);
  return there;
}

/// CouchDB lets admins of the server make databases and nobody else, and says in GET /_session who
/// is one (CouchDB documentation, "/_session"). A server that does not say so may let anybody.
Result<> CouchStore::may_create_database() {
  const std::string url = database_.server_url() + "/_session";
  CARAVEL_ASSIGN_OR_RETURN(const auto reply,
                           database_.call(database_.request("GET", url, {}, kReplyBytes), never_));
  const json session = json::parse(reply.body, nullptr, false);
  if (answer_of_status(reply.status) != Answer::good || !session.is_object()) return {};
  const json who = session.value("userCtx", json());
  const json roles = who.is_object() ? who.value("roles", json()) : json();
  if (!roles.is_array()) return {};
  if (std::find(roles.begin(), roles.end(), json("_admin")) != roles.end()) return {};
  // What the server would say to the request that makes it.
  const ErrorWords words{"unauthorized", "You are not a server admin."};
  constexpr int kUnauthorized = 401;
  return fail(ErrorKind::fault,
              fmt::format("{}: the database '{}' is not there{}", database_.config().name,
                          database_.config().database,
                          database_.remedy_for(kUnauthorized, words, Asked::creation)));
}

/// Page by page, each from the last id of the one before (CouchDB documentation, "Pagination
/// Recipe"): with a growing `skip` the server would read all the rows before it again. A page holds
/// no documents, which may be of any size: they are looked up, in as many requests as they need.
Result<> CouchStore::for_each_row_of(const std::string& feed, const std::string& extract,
                                     const std::function<void(const StoredDocument&)>& visit) {
  // ';' follows ':' in the order of ids: from "hrt:" to all that begins with it.
  std::string from = feed + ":";
  const std::string until = json_string(feed + ";");
  for (;;) {
    const std::string path =
        fmt::format("/_all_docs?startkey={}&endkey={}&inclusive_end=false&limit={}",
                    percent_encoded(json_string(from)), percent_encoded(until), kPageRows);
    CARAVEL_ASSIGN_OR_RETURN(const auto reply, ask("GET", database_.url(path), {}, kPageBytes));
    CARAVEL_ASSIGN_OR_RETURN(const auto page, said_by(path, read_page_of_ids(reply.body)));
    // Each page but the first begins with the last row of the page before, unless that was deleted
    // meanwhile: it is told by its id, not by its place.
    const bool again = !page.empty() && page.front() == from;
    const std::vector<std::string_view> ids(page.begin() + (again ? 1 : 0), page.end());
    if (ids.empty()) return {};
    CARAVEL_ASSIGN_OR_RETURN(const auto rows, learned_.lookups.look_up(ids, never_));
    for (const Found& row : rows) {
      if (row.exists && row.extract == extract) {
        visit({row.id, row.extract, row.line, row.sum, {}});
      }
    }
    from = page.back();
  }
}

Result<> CouchStore::for_each_feed_document(
    const std::string& feed, const std::function<void(const StoredDocument&)>& visit) {
  std::string from = fmt::format("feed:{}:", feed);
  const std::string until = json_string(fmt::format("feed:{};", feed));
  for (;;) {
    const std::string path = fmt::format(
        "/_all_docs?include_docs=true&startkey={}&endkey={}&inclusive_end=false&limit={}",
        percent_encoded(json_string(from)), percent_encoded(until), kPageRows);
    CARAVEL_ASSIGN_OR_RETURN(const auto reply, ask("GET", database_.url(path), {}, kPageBytes));
    const json page = json::parse(reply.body, nullptr, false);
    if (!page.is_object() || !page.contains("rows") || !page["rows"].is_array()) {
      return said_by<void>(path, fail(ErrorKind::retry, "this is no reply of _all_docs"));
    }
    std::string last;
    for (const json& row : page["rows"]) {
      last = text_at(row, "id");
      const bool has_document = row.is_object() && row.contains("doc") && row["doc"].is_object();
      if (!has_document) continue;
      // Consumers write into feed documents, and an escape in JSON can stand for no character.
      visit(as_document(last, row["doc"].dump(-1, ' ', false, json::error_handler_t::replace)));
    }
    // An id that does not ascend would make this a circle.
    if (last < from) return {};
    // The next id at the earliest: no printable character sorts before a blank.
    from = last + " ";
  }
}

Result<std::uint64_t> CouchStore::remove_rows(const std::string&, const std::string& extract,
                                              const std::vector<std::string>& ids) {
  std::uint64_t removed = 0;
  for (std::size_t at = 0; at < ids.size(); at += kPageRows) {
    const std::size_t end = std::min(ids.size(), at + kPageRows);
    std::vector<std::string_view> batch(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                        ids.begin() + static_cast<std::ptrdiff_t>(end));
    // Each id once: read_bulk_reply() wants ids that differ, and a second deletion of one row would
    // be a conflict.
    std::sort(batch.begin(), batch.end());
    batch.erase(std::unique(batch.begin(), batch.end()), batch.end());
    CARAVEL_ASSIGN_OR_RETURN(const auto gone, remove_at_once(extract, batch));
    removed += gone;
  }
  return removed;
}

/// Looks the rows up and deletes those that `extract` still has the credit for, each with the
/// revision that was looked at. A crash between two calls leaves the other rows to the next
/// --delete-stale.
Result<std::uint64_t> CouchStore::remove_at_once(const std::string& extract,
                                                 const std::vector<std::string_view>& ids) {
  CARAVEL_ASSIGN_OR_RETURN(const auto found, learned_.lookups.look_up(ids, never_));
  std::vector<std::string_view> ours;
  json docs = json::array();
  for (const Found& row : found) {
    if (!row.exists || row.extract != extract) continue;
    ours.push_back(row.id);
    docs.push_back({{"_id", row.id}, {"_rev", row.rev}, {"_deleted", true}});
  }
  if (ours.empty()) return 0;
  const std::string deletions = json{{"docs", docs}}.dump();
  CARAVEL_ASSIGN_OR_RETURN(const auto deleted,
                           ask("POST", database_.url("/_bulk_docs"), deletions, kPageBytes));
  CARAVEL_ASSIGN_OR_RETURN(const auto entries,
                           said_by("/_bulk_docs", read_bulk_reply(deleted.body, ours)));
  // A conflict is a row that changed since we looked: it is no longer the one that was meant.
  return static_cast<std::uint64_t>(
      std::count_if(entries.begin(), entries.end(),
                    [](const BulkEntry& entry) { return entry.result == EntryResult::ok; }));
}

Result<bool> CouchStore::put_mapping(const Mapping& mapping, bool may_create) {
  constexpr const char* kContentName = "content";
  const std::string id = mapping_id(mapping);
  // put_document() streams an attachment from a file. This one lies in memory (memfd_create(2)) and
  // holds the very bytes that were checked, whatever becomes of the person's file.
  const UniqueFd file(::memfd_create("mapping", MFD_CLOEXEC));
  if (!file) return fail_with_errno("memfd_create", errno);
  CARAVEL_TRY(write_all(file.get(), mapping.csv));
  const Attachment attachment{kContentName, "text/csv", file.get(), mapping.csv.size()};
  const std::string url = database_.document_url(id);
  // The database is made once. A second 404 comes from somewhere else, such as a proxy with a wrong
  // path.
  for (bool created = false;; created = true) {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto put, put_document(database_, id, mapping_text(mapping), &attachment, never_));
    if (put.result == PutResult::stored) return true;
    if (put.result == PutResult::conflict) {
      CARAVEL_ASSIGN_OR_RETURN(const auto there, get_document(database_, id, never_));
      // The id holds a digest of the CSV: the document that is there is this mapping.
      if (there) return false;
      return fail(ErrorKind::retry,
                  fmt::format("PUT {}: a conflict, but there is no such document: try again", url));
    }
    const bool missing = answer_of_status(put.reply.status) == Answer::missing;
    if (!missing || created || !database_.config().create_database || !may_create) {
      return tl::unexpected(database_.error_of("PUT", url, put.reply));
    }
    CARAVEL_TRY(database_.create(never_));
  }
}

}  // namespace

std::unique_ptr<Store> make_couchdb_store(const CouchdbConfig& config,
                                          std::unique_ptr<HttpTransport> transport) {
  return std::make_unique<CouchStore>(config, std::move(transport));
}

}  // namespace caravel::uploader
