// One database of one CouchDB server: its URLs, its errors in words, single requests.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "uploader/couchdb/config.h"
#include "uploader/couchdb/remedies.h"
#include "uploader/http/transport.h"

namespace caravel::uploader {

/// As much of a reply about one thing (the server, the database, one document's PUT) as is read: a
/// few hundred bytes from CouchDB, at most a page of HTML from a proxy.
inline constexpr std::size_t kReplyBytes = 64 * 1024;

/// `transport` outlives it.
class CouchDatabase {
 public:
  CouchDatabase(const CouchdbConfig& config, HttpTransport& transport);

  [[nodiscard]] HttpTransport& transport() const { return transport_; }
  [[nodiscard]] const std::string& server_url() const { return config_.server.url; }
  /// The URL of the database, or of something in it: a path that begins with "/".
  [[nodiscard]] std::string url(std::string_view path = {}) const {
    return url_ + std::string(path);
  }
  [[nodiscard]] std::string document_url(std::string_view id) const;

  /// A request with a JSON body, which must stay until its reply is there.
  [[nodiscard]] HttpRequest request(std::string method, std::string url, std::string_view body,
                                    std::size_t max_reply_bytes) const;

  /// Sends one request and waits for its reply, whatever its status. Nothing else may be in flight.
  /// Errors: no reply (retry, fault), stopped.
  [[nodiscard]] Result<HttpReply> call(const HttpRequest& request, const StopSignal& stop) const;

  /// What `reply`, which is not what `request` hoped for, means: "STORE: METHOD URL: what
  /// happened". Never the password, never more of the reply than its error and reason.
  [[nodiscard]] Error error_of(const std::string& method, const std::string& url,
                               const HttpReply& reply) const;

  /// See remedy().
  [[nodiscard]] std::string remedy_for(int status, const ErrorWords& words, Asked asked) const;

  /// Makes the database; one that exists already is fine too.
  [[nodiscard]] Result<> create(const StopSignal& stop) const;

  [[nodiscard]] const CouchdbConfig& config() const { return config_; }

 private:
  [[nodiscard]] Asked asked_by(const std::string& method, const std::string& url) const;

  CouchdbConfig config_;
  HttpTransport& transport_;
  std::string url_;
};

/// What follows when CouchDB says that the database is missing. The rule of one upload: a database
/// where nothing of the feed was ever stored may be made; one that had rows has vanished, and to
/// make it anew would hide that they are lost.
class MissingDatabase {
 public:
  /// `may_create` as in UploadOptions. `database` outlives it.
  MissingDatabase(const CouchDatabase& database, bool may_create)
      : database_(database), may_create_(may_create) {}

  /// The database had a good answer to rows of this upload.
  void database_was_there() { was_there_ = true; }
  [[nodiscard]] bool had_rows() const { return was_there_; }

  /// Makes the database after `reply`, a 404 to `method` `url`, or says why not. Nothing may be in
  /// flight.
  [[nodiscard]] Result<> make(const std::string& method, const std::string& url,
                              const HttpReply& reply, const StopSignal& stop);

  /// After make(): the database vanished with rows of this upload. All of them must be sent again.
  [[nodiscard]] bool rows_are_lost() const { return rows_are_lost_; }

 private:
  const CouchDatabase& database_;
  bool may_create_;
  bool was_there_ = false;
  bool rows_are_lost_ = false;
  int times_made_ = 0;
};

}  // namespace caravel::uploader
