// A value of the CSV as SQLite holds it: a number where its digits survive, else a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/sqlite/sqlite.h"
#include "formatter/rows/counts.h"

namespace caravel::uploader {

/// SQLite's storage classes (sqlite.org/datatype3.html) without NULL and BLOB.
using SqlValue = std::variant<std::string_view, std::int64_t, double>;

/// What `field`, which is not empty, is in a column of `type`:
/// - text: `field` itself, whatever it holds;
/// - number, automatic: INTEGER if it is a JSON number without point and exponent that fits into 64
///   bits; REAL if it is another number that survives a double (number_survives()); else the text;
/// - json: numbers by the same rule; true and false are 1 and 0, as for SQLite's own JSON functions
///   (sqlite.org/json1.html), because the text 'false' would count as neither in a WHERE; a string
///   without its quotes and escapes; objects and arrays as JSON text.
/// A text may point into `scratch`, which this overwrites.
[[nodiscard]] SqlValue typed_value(formatter::ColumnType type, std::string_view field,
                                   std::string& scratch);

}  // namespace caravel::uploader
