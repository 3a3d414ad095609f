// Lines of key=value: the shape of manifests and of the tail agent's state. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace caravel::watcher {

/// One line. The views point into the text that was parsed.
struct KeyValue {
  std::size_t number = 0;  // of the line, from 1
  std::string_view key;    // [a-z][a-z0-9_]*
  std::string_view value;  // no control characters; may be empty
};

/// Every line must be key=value and end with \n; a key that comes twice is an error, unless an
/// empty line (a new section, see the state file) lies between and `sections` allows that; the
/// empty line is then an entry without a key. Errors are of kind content: "line 3: key: what".
[[nodiscard]] Result<std::vector<KeyValue>> parse_key_values(std::string_view text,
                                                             bool sections = false);

void append_key_value(std::string_view key, std::string_view value, std::string& out);

/// Any bytes as a value: all but [A-Za-z0-9._/:@+,-] as %XX, upper case.
[[nodiscard]] std::string encode_value(std::string_view bytes);
/// The reverse; nothing for what encode_value() does not write, or for a NUL.
[[nodiscard]] std::optional<std::string> decode_value(std::string_view text);

/// Digits only, no leading zero, below 2^64.
[[nodiscard]] std::optional<std::uint64_t> parse_whole_number(std::string_view text);

/// "2012-03-09T09:48:00.250Z"; a time outside of 1970 to 2200 becomes the nearest within.
[[nodiscard]] std::string format_utc(std::chrono::system_clock::time_point time);
/// The same with 0 or 3 digits behind the second; years 1970 to 2200, real dates only.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_utc(std::string_view text);

}  // namespace caravel::watcher
