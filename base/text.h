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

/// A character that shows nothing by itself, or changes how its neighbours are shown: marks of
/// direction (U+202E writes what follows backwards), line and paragraph separators, joiners and
/// blanks without width, tags, fillers. Unicode calls most of them Default_Ignorable_Code_Point.
/// `character` is one whole UTF-8 character.
[[nodiscard]] bool is_unseen(std::string_view character);

/// Foreign text (a name, a path) as messages may show it: control characters, unseen ones and
/// invalid UTF-8 become \xNN, so that it can forge neither a log line nor a terminal sequence, and
/// two names that differ look different. Text that is printable already stays as it is.
[[nodiscard]] std::string printable(std::string_view text);

/// The same, cut to at most `most` bytes: "the beginning… (30000 bytes)" with the length of the
/// whole. `most` is at least 40. Who chose the text chose its length too: a reply of a server, a
/// host's name in a manifest.
[[nodiscard]] std::string shown(std::string_view text, std::size_t most = 1000);

/// Text of several lines that are ours, such as a report: everything that printable() escapes is
/// escaped, but line ends stay. For the one place where such a text leaves the program.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Letters and digits as they are, what is in `plain` too, every other byte as %XX in upper case
/// (RFC 3986, 2.1).
[[nodiscard]] std::string percent_encode(std::string_view bytes, std::string_view plain);
void append_percent_encoded(std::string_view bytes, std::string_view plain, std::string& out);

/// The reverse of percent_encode() with the same `plain`; nothing for a broken escape, a lower-case
/// one, a NUL, or a byte that had to be escaped.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text,
                                                        std::string_view plain);

}  // namespace caravel
