// What every store does with a formatted row before it stores it: its sum, its extract's name, its
// fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formatter/rows/sidecar.h"

namespace caravel::uploader {

/// The sum of a CSV record: XXH3-64. Rows with equal sums are the same row.
[[nodiscard]] std::uint64_t row_sum(std::string_view record);
/// As stored: 16 lower-case hex digits, big end first (the canonical form of XXH3).
[[nodiscard]] std::string sum_text(std::uint64_t sum);
void append_sum(std::uint64_t sum, std::string& out);

/// The name that an extract has in its rows: the first 16 hex digits of its SHA-256.
[[nodiscard]] inline std::string_view extract_tag(std::string_view sha256) {
  return sha256.substr(0, 16);
}

/// May this be the tail of an id? Only `[A-Za-z0-9._%:-]`, as the formatter writes it, and no more
/// than 512 bytes; with anything else CouchDB would refuse the whole request.
[[nodiscard]] bool is_id_tail(std::string_view text);

/// Splits the record of `row` into one field a column. A reason if it cannot be a row of a store:
/// an id that the formatter would not write, broken quoting, another number of fields, invalid
/// UTF-8. Nothing if all is well. Formatted rows always are; a CSV that came by hand may not be.
[[nodiscard]] std::optional<std::string> split_row(const formatter::Row& row, std::size_t columns,
                                                   std::vector<std::string_view>& fields,
                                                   std::string& scratch);

}  // namespace caravel::uploader
