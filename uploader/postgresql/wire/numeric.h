// A number as PostgreSQL's binary form has it: every digit of the text, zeros at its end too.
#pragma once

#include <string>
#include <string_view>

namespace caravel::uploader {

/// Appends `text` (digits with a sign, a point and an exponent, each where it is written) as the
/// value of a `numeric` without its length. False, and nothing appended, if it is no such number,
/// or if PostgreSQL has no room for its digits (its manual, "Numeric Types": 131072 before the
/// point, 16383 behind it).
[[nodiscard]] bool append_numeric(std::string_view text, std::string& out);

/// Is `text` a number as JSON writes it, so that a `jsonb` gives its value back with every digit?
/// Not "-0", which it would make a 0, and none beyond a double, which no reader of JSON takes.
[[nodiscard]] bool is_exact_json_number(std::string_view text);

}  // namespace caravel::uploader
