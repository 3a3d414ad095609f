// HTTP by libcurl's multi interface (curl.se/libcurl/c/libcurl-multi.html).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "uploader/http/transport.h"

namespace caravel::uploader {

struct CurlOptions {
  std::string user;  // with `password`: sent with each request (RFC 7617), before it is asked for
  std::string password;
  /// Where the password comes from, for people: a path, "~/.netrc". "" if there is none.
  std::string password_from;
  /// Reads the password anew; empty if it comes from nowhere else. Asked after a reply that refuses
  /// the login (401, 403), so that a file that was mended counts without a restart.
  std::function<std::optional<std::string>()> reread_password;
  bool use_netrc = false;
  std::string ca_file;  // "" = the system's
  /// A whole request. A body that is read piece by piece (an attachment) has a second more for each
  /// MiB, so that its size alone cannot fail it.
  std::chrono::milliseconds timeout{30'000};
};

/// http and https only, TLS verified, no redirects, HTTP/1.1 with kept connections. A kept
/// connection that the server closed in the meantime is replaced without a word: the request is
/// sent once more, which a store's requests allow (rows have ids).
[[nodiscard]] std::unique_ptr<HttpTransport> make_curl_transport(CurlOptions options);

}  // namespace caravel::uploader
