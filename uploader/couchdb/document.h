// One row as the document that CouchDB stores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/store.h"
#include "uploader/utc_time.h"

namespace caravel::uploader {

/// The sum of a CSV record: XXH3-64. Rows with equal sums are the same row.
[[nodiscard]] std::uint64_t row_sum(std::string_view record);
/// As stored: 16 lower-case hex digits, big end first (the canonical form of XXH3).
[[nodiscard]] std::string sum_text(std::uint64_t sum);

/// The name that an extract has in its rows: the first 16 hex digits of its SHA-256.
[[nodiscard]] inline std::string_view extract_tag(std::string_view sha256) {
  return sha256.substr(0, 16);
}

/// May this be the tail of an id? Only `[A-Za-z0-9._%:-]`, as the formatter writes it, and no more
/// than 512 bytes; anything else would cost the whole request.
[[nodiscard]] bool is_id_tail(std::string_view text);

/// Splits the record of `row` into one field a column. A reason if it cannot be a row of a store:
/// an id that the formatter would not write, broken quoting, another number of fields, invalid
/// UTF-8. Nothing if all is well. Formatted rows always are; a CSV that came by hand may not be.
[[nodiscard]] std::optional<std::string> split_row(const formatter::Row& row, std::size_t columns,
                                                   std::vector<std::string_view>& fields,
                                                   std::string& scratch);

/// Builds documents like
///   {"_id":"hrt:20120309T094800:V.1.2683:…","doc_type":"Row","time":"2012-03-09T09:48:00",
///    "Date":"2012-03-09",…,"caravel":{"feed":"hrt","kind":"location","extract":"…","line":17,
///    "sum":"…"}}
/// in one line. Empty columns are left out. The `_id` always comes first (see BatchRow).
class DocumentBuilder {
 public:
  /// Errors: kind usage for an unknown time zone.
  static Result<DocumentBuilder> make(const ExtractInfo& extract,
                                      const formatter::SidecarHeader& header,
                                      std::string_view sha256);

  /// Appends the document of `row` to `out`. If the row cannot be one: the reason, and `out` is as
  /// it was.
  [[nodiscard]] std::optional<std::string> append(const formatter::Row& row, std::uint64_t sum,
                                                  std::string& out);

  /// What stands before the tail in every id, "hrt:".
  [[nodiscard]] const std::string& id_prefix() const { return id_prefix_; }

 private:
  DocumentBuilder() = default;
  void append_time(std::string_view id_tail, std::string& out);

  std::string id_prefix_;
  std::vector<std::string> keys_;  // `,"Date":`
  std::vector<formatter::ColumnType> types_;
  std::vector<std::string> origins_;  // one a kind: `,"caravel":{"feed":…,"line":`
  std::optional<UtcConverter> utc_;
  std::vector<std::string_view> fields_;
  std::string scratch_;
};

}  // namespace caravel::uploader
