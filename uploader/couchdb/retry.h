// What an answer of a server, or the lack of one, asks of us; and how long to wait. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

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

/// The value of a Retry-After header (RFC 9110, section 10.2.3): seconds, or an HTTP-date, at
/// `now`. Bounded to an hour: no server may silence us for longer. Nothing if it cannot be read.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now);

/// Waits that grow: exponential up to a limit, with full jitter ("Exponential Backoff And Jitter",
/// AWS Architecture Blog, 2015), so that many clients do not come back at one moment.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds limit)
      : first_(first), limit_(limit), ceiling_(first) {}

  /// The next wait: between a tenth of the ceiling and the ceiling, by `random` (any 64 bits).
  /// `asked` (Retry-After) is a lower bound.
  [[nodiscard]] std::chrono::milliseconds next(std::uint64_t random,
                                               std::optional<std::chrono::seconds> asked = {});
  /// After a success: the next wait is short again.
  void reset() { ceiling_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds limit_;
  std::chrono::milliseconds ceiling_;
};

}  // namespace caravel::uploader
