// One row as the document that CouchDB stores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formatter/rows/sidecar.h"
#include "uploader/row.h"
#include "uploader/store.h"
#include "uploader/utc_time.h"

namespace caravel::uploader {

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
