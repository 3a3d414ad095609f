// JSON as text (RFC 8259): what a document is written with, straight into one buffer.
#pragma once

#include <string>
#include <string_view>

namespace caravel::uploader {

/// Is this well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)?
[[nodiscard]] bool is_utf8(std::string_view text);

/// Appends `text`, which is UTF-8, as a JSON string with its quotes.
void append_json_string(std::string_view text, std::string& out);

/// Is `text` a JSON number as written, and would a reader that keeps numbers as IEEE doubles (every
/// JavaScript, and so most readers of CouchDB) give its digits back? Trailing zeros after the
/// point do not count: "36.7500" survives as 36.75. "007", "05.12", "-0" and
/// "12345678901234567" do not.
[[nodiscard]] bool number_survives(std::string_view text);

/// Is `text` one whole JSON value that any reader takes: no lone surrogates, no number beyond a
/// double, at most 64 levels deep?
[[nodiscard]] bool is_json(std::string_view text);

/// Appends one value of a column as JSON. `as_number`: digits that survive become a number.
void append_json_value(std::string_view text, bool as_number, std::string& out);

/// Appends the value of a `json` column: as it is written, or as a string if it is no JSON or a
/// number whose digits would be lost.
void append_verbatim_json(std::string_view text, std::string& out);

}  // namespace caravel::uploader
