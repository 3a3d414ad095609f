// The seam between us and HTTP: what a store asks for, what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/stop_signal.h"

namespace caravel::uploader {

struct HttpRequest {
  std::string method;                // GET, PUT, POST
  std::string url;                   // without user and password
  std::vector<std::string> headers;  // "Name: value"
  /// Sent as it is. The bytes must stay until the request has ended.
  std::string_view body;
  /// A body that is not in memory: `read_body` copies up to `size` bytes from `offset` on to
  /// `buffer` and returns how many, or -1. It may be asked for an offset again. `body` is not
  /// looked at then.
  std::function<std::int64_t(std::uint64_t offset, char* buffer, std::size_t size)> read_body;
  std::uint64_t body_bytes = 0;  // of `read_body`
  std::size_t max_reply_bytes = 64 * 1024;
};

/// How a request ended: with a status, or, if `failure` is set, without one.
struct HttpReply {
  std::uint64_t ticket = 0;  // what start() returned
  int status = 0;
  std::string body;
  std::string retry_after;  // the header's value
  std::string location;     // of a redirect; none is followed
  /// No (whole) reply came: "timeout after 30 s", "connection refused". The kind is retry or fault.
  std::optional<Error> failure;
  bool timed_out = false;  // with `failure`: the request was sent, but no whole reply came in time
  bool too_long = false;   // with `failure`: there was a reply, of more than max_reply_bytes
};

/// Sends requests, several at a time. Not for more than one thread.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Begins a request and returns its ticket. Whatever goes wrong comes with its reply.
  virtual std::uint64_t start(HttpRequest request) = 0;
  /// Waits until any of the requests has ended. Error: kind stopped, and nothing else; what is in
  /// flight stays so.
  [[nodiscard]] virtual Result<HttpReply> wait(const StopSignal& stop) = 0;
  /// Forgets all that is in flight. Whether the server did what it was asked stays unknown.
  virtual void cancel_all() = 0;
};

}  // namespace caravel::uploader
