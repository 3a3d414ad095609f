// A piece of one line of foreign text, as people may see it, with the place that a message speaks
// of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace caravel {

/// How many columns of a terminal `text` takes: two for a wide character (UAX #11), none for a
/// combining one. `text` is what printable() made; anything else would not take a number of columns
/// that can be known. The C library's table is asked, for UTF-8 whatever the locale.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// `text` as printable() has it. Wider than `most` columns, its middle is left out for a "…": what
/// a value begins with and what it ends with both tell which value it is. `most` is at least 8.
[[nodiscard]] std::string abbreviated(std::string_view text, std::size_t most);

/// A piece of a line around one place.
struct Excerpt {
  std::string text;         // as printable() has it; "…" where more of the line was left out
  std::size_t column = 0;   // of the place, from 0, in columns of `text`
  std::size_t columns = 1;  // that what stands at the place takes, as far as it is shown; from 1
};

/// At most `most` columns of `line` (one line, without its end), of which the `length` bytes from
/// `at` on are the place. `at` may be the end of the line. `most` is at least 40. Only what is
/// shown is looked at, however long the line is.
[[nodiscard]] Excerpt excerpt_of(std::string_view line, std::size_t at, std::size_t length,
                                 std::size_t most);

}  // namespace caravel
