// One database of one CouchDB server: its URLs, its errors in words, single requests.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "uploader/couchdb/http.h"
#include "uploader/store_config.h"

namespace caravel::uploader {

/// All bytes but `[A-Za-z0-9._~-]` as %XX (RFC 3986, section 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// `transport` outlives it.
class CouchDatabase {
 public:
  CouchDatabase(const StoreConfig& config, HttpTransport& transport);

  [[nodiscard]] HttpTransport& transport() const { return transport_; }
  [[nodiscard]] const std::string& server_url() const { return server_url_; }
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

  /// Makes the database; one that exists already is fine too.
  [[nodiscard]] Result<> create(const StopSignal& stop) const;

  [[nodiscard]] const StoreConfig& config() const { return config_; }

 private:
  StoreConfig config_;
  HttpTransport& transport_;
  std::string server_url_;
  std::string url_;
};

}  // namespace caravel::uploader
