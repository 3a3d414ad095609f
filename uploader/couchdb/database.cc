#include "uploader/couchdb/database.h"

#include <fmt/format.h>

#include "uploader/couchdb/documents/bulk_docs.h"
#include "uploader/couchdb/remedies.h"
#include "uploader/http/answer.h"
#include "uploader/http/url.h"

namespace caravel::uploader {

CouchDatabase::CouchDatabase(const CouchdbConfig& config, HttpTransport& transport)
    : config_(config),
      transport_(transport),
      url_(fmt::format("{}/{}", config.server.url, percent_encoded(config.database))) {}

std::string CouchDatabase::document_url(std::string_view id) const {
  return fmt::format("{}/{}", url_, percent_encoded(id));
}

HttpRequest CouchDatabase::request(std::string method, std::string url, std::string_view body,
                                   std::size_t max_reply_bytes) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.body = body;
  request.max_reply_bytes = max_reply_bytes;
  if (!body.empty()) request.headers.emplace_back("Content-Type: application/json");
  return request;
}

Result<HttpReply> CouchDatabase::call(const HttpRequest& request, const StopSignal& stop) const {
  transport_.start(request);
  auto reply = transport_.wait(stop);
  if (!reply) {
    // The request points at bytes that the caller frees. Whether the server did what it was asked
    // stays unknown; all our requests may be sent again.
    transport_.cancel_all();
    return reply;
  }
  if (reply->failure) return tl::unexpected(error_of(request.method, request.url, *reply));
  return reply;
}

Error CouchDatabase::error_of(const std::string& method, const std::string& url,
                              const HttpReply& reply) const {
  const std::string context = fmt::format("{}: {} {}", config_.name, method, url);
  if (reply.failure) return with_context(context, *reply.failure);
  const Answer answer = answer_of_status(reply.status);
  std::string what = fmt::format("{}: HTTP {}", context, reply.status);
  if (const std::string said = error_of_reply(reply.body); !said.empty()) {
    what.append(fmt::format(" ({})", said));
  }
  if (reply.status >= 300 && reply.status < 400) {
    what.append(fmt::format("; redirects are not followed: put the final address{} into url",
                            reply.location.empty() ? "" : " (" + reply.location + ")"));
  }
  what.append(remedy_for(reply.status, words_of_reply(reply.body), asked_by(method, url)));
  // A good status in an error is a reply that we do not understand, from a proxy perhaps: it may
  // pass.
  const bool passing =
      answer == Answer::wait || answer == Answer::good || answer == Answer::conflict;
  Error error{passing ? ErrorKind::retry : ErrorKind::fault, std::move(what)};
  if (answer == Answer::wait) {
    error.retry_after = parse_retry_after(reply.retry_after, std::chrono::system_clock::now());
  }
  return error;
}

std::string CouchDatabase::remedy_for(int status, const ErrorWords& words, Asked asked) const {
  const CurlOptions& client = config_.server.client;
  return remedy(status, words, asked, {client.user, config_.database, client.password_from});
}

Asked CouchDatabase::asked_by(const std::string& method, const std::string& url) const {
  if (!url.starts_with(url_)) return Asked::server;
  if (url.size() == url_.size()) return method == "PUT" ? Asked::creation : Asked::database;
  // "/_bulk_docs" and the like are about the database.
  return url[url_.size()] == '/' && url[url_.size() + 1] != '_' ? Asked::document : Asked::database;
}

/// Its name may hold a slash, which stands as %2F in url_ (CouchDB documentation, "PUT /{db}").
Result<> CouchDatabase::create(const StopSignal& stop) const {
  CARAVEL_ASSIGN_OR_RETURN(const auto reply, call(request("PUT", url_, {}, 64 * 1024), stop));
  const Answer answer = answer_of_status(reply.status);
  // 412 file_exists: another loader was faster. (409 from some proxies and PouchDB.)
  if (answer == Answer::good || answer == Answer::conflict) return {};
  return tl::unexpected(error_of("PUT", url_, reply));
}

Result<> MissingDatabase::make(const std::string& method, const std::string& url,
                               const HttpReply& reply, const StopSignal& stop) {
  // Twice, because somebody may delete the database just after it was made. A 404 after that comes
  // from somewhere else (a proxy with a wrong path).
  constexpr int kMostTimes = 2;
  const CouchdbConfig& config = database_.config();
  // Rows that were acknowledged are lost: an empty database in the place of theirs would hide that.
  if (was_there_) {
    rows_are_lost_ = true;
    return fail(ErrorKind::fault,
                fmt::format("{}: the database '{}' has vanished while rows were sent to it; bring "
                            "it back, and the whole extract is sent again",
                            config.name, config.database));
  }
  if (!config.create_database || times_made_ >= kMostTimes) {
    return tl::unexpected(database_.error_of(method, url, reply));
  }
  // The ledger knows of rows that were stored there, by this extract or another: see
  // UploadOptions::may_create.
  if (!may_create_) {
    return fail(ErrorKind::fault,
                fmt::format("{}: the database '{}' has vanished: rows were stored there before. "
                            "Bring it back, or create it empty if that is meant",
                            config.name, config.database));
  }
  // A crash behind this leaves an empty database, which the next start finds and fills.
  CARAVEL_TRY(database_.create(stop));
  ++times_made_;
  return {};
}

}  // namespace caravel::uploader
