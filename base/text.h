// Bytes as text: which characters they are, how they are shown to people, how they are escaped.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace caravel {

/// ASCII only, whatever the locale.
[[nodiscard]] constexpr bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
[[nodiscard]] constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// 0-9 and a-f: the digits of every digest that Caravel writes.
[[nodiscard]] constexpr bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

/// Exactly `digits` of 0-9 and a-f.
[[nodiscard]] bool is_hex(std::string_view text, std::size_t digits);

/// The length of the UTF-8 character at the start of `text`; 0 if there is none (RFC 3629: no
/// overlong forms, no surrogates, nothing above U+10FFFF).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// C0, DEL and C1 (U+0080 to U+009F, which are two bytes in UTF-8). `character` is not empty.
[[nodiscard]] bool is_control(std::string_view character);

/// Foreign text (a name, a path) as messages may show it: control characters and invalid UTF-8
/// become \xNN, so that it can forge neither a log line nor a terminal sequence.
[[nodiscard]] std::string printable(std::string_view text);

/// Letters and digits as they are, what is in `plain` too, every other byte as %XX in upper case
/// (RFC 3986, 2.1).
[[nodiscard]] std::string percent_encode(std::string_view bytes, std::string_view plain);
void append_percent_encoded(std::string_view bytes, std::string_view plain, std::string& out);

/// The reverse of percent_encode() with the same `plain`; nothing for a broken escape, a lower-case
/// one, a NUL, or a byte that had to be escaped.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text,
                                                        std::string_view plain);

}  // namespace caravel
