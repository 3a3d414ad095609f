// What the status of an HTTP reply asks of us, and how long the server asks us to wait. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "uploader/http/transport.h"

namespace caravel::uploader {

/// What an HTTP status asks for, whatever the request was.
enum class Answer {
  good,       // 2xx
  conflict,   // 409: the document is there already; 412: the database is
  missing,    // 404, 410
  too_large,  // 413: send less at once
  bad,        // 400, 422: something in the body
  forbidden,  // 403, for a single document: its validation function
  fault,      // 401 and all that only a person can change, redirects too
  wait,       // 408, 425, 429, 5xx: passing
};

[[nodiscard]] Answer answer_of_status(int status);

/// The server, or a proxy in front of it, had no time for so much at once. The same request again
/// would end the same way.
[[nodiscard]] bool took_too_long(const HttpReply& reply);

/// The value of a Retry-After header (RFC 9110, section 10.2.3): seconds, or an HTTP-date, at
/// `now`. Bounded to an hour: no server may silence us for longer. Nothing if it cannot be read.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now);

}  // namespace caravel::uploader
