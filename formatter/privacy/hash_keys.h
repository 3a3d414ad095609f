// The keys of `hash`, as whoever has them hands them to the formatter, which reads no file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::formatter {

struct HashKeys {
  /// The key of the day of a row, YYYYMMDD in UTC where the line tells a zone; nothing if it was
  /// forgotten. Valid until the next call. Errors: the key cannot be read or made.
  std::function<Result<std::optional<std::string_view>>(std::string_view day)> key_of_day;
  /// Marks what was hashed, so that it is not hashed again. It outlasts all days, and tells nothing
  /// of a value.
  std::string mark;
};

/// 24 hex digits: 16 of HMAC-SHA-256 (RFC 2104) of the format, the capture and the value under
/// `key`, and 8 that say, under `mark`, that these are a hash.
[[nodiscard]] std::string hashed_value(std::string_view key, std::string_view mark,
                                       std::string_view format, std::string_view capture,
                                       std::string_view value);

/// Whether hashed_value() wrote this with that mark.
[[nodiscard]] bool is_hashed_value(std::string_view mark, std::string_view value);

}  // namespace caravel::formatter
