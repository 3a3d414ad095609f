#include "uploader/http/answer.h"

#include <algorithm>
#include <charconv>
#include <string>

#include <curl/curl.h>

namespace caravel::uploader {

/// RFC 9110, section 15, for the numbers; CouchDB documentation, "HTTP Status Codes", for what it
/// means by them. A number that is not in the table: 3xx and 4xx are ours to mend, all else may
/// pass.
Answer answer_of_status(int status) {
  if (status >= 200 && status < 300) return Answer::good;
  switch (status) {
    case 409:
    case 412:
      return Answer::conflict;
    case 404:
    case 410:
      return Answer::missing;
    case 413:
      return Answer::too_large;
    case 400:
    case 422:
      return Answer::bad;
    case 403:
      return Answer::forbidden;
    case 408:
    case 425:
    case 429:
      return Answer::wait;
    default:
      break;
  }
  return status >= 300 && status < 500 ? Answer::fault : Answer::wait;
}

bool took_too_long(const HttpReply& reply) {
  constexpr int kRequestTimeout = 408;
  constexpr int kGatewayTimeout = 504;
  return reply.failure ? reply.timed_out
                       : reply.status == kRequestTimeout || reply.status == kGatewayTimeout;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now) {
  // Whoever answers, the server or a proxy, must not be able to silence the loader for days.
  constexpr std::chrono::seconds kLongest = std::chrono::hours(1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty()) return {};
  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
    // A number that 63 bits cannot hold is still a number: wait as long as a server may ask for.
    if (read.ec != std::errc{}) return kLongest;
    return std::min(std::chrono::seconds(seconds), kLongest);
  }
  // curl_getdate(3) reads all three date forms of RFC 9110 and ignores the locale.
  const std::time_t date = ::curl_getdate(std::string(value).c_str(), nullptr);
  // curl_getdate(3) returns -1 for a text that is no date.
  if (date < 0) return {};
  // In whole seconds, and not as a time_point: that counts nanoseconds and ends in the year 2262.
  const std::int64_t wait = std::int64_t{date} - std::chrono::system_clock::to_time_t(now);
  // A date that has passed, by our clock, means: at once.
  return std::chrono::seconds(std::clamp<std::int64_t>(wait, 0, kLongest.count()));
}

}  // namespace caravel::uploader
