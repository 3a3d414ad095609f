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
///
///   row ──> append_plain(): its bytes stand for themselves ── copied, between what is the same for
///                │                                            every row
///                └─ anything else ──> append_any()
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
  /// The same, slowly, byte by byte: what append() appends, this appends.
  [[nodiscard]] std::optional<std::string> append_any(const formatter::Row& row, std::uint64_t sum,
                                                      std::string& out);

  /// What stands before the tail in every id, "hrt:".
  [[nodiscard]] const std::string& id_prefix() const { return id_prefix_; }

 private:
  DocumentBuilder() = default;
  [[nodiscard]] bool append_plain(const formatter::Row& row, std::uint64_t sum, std::string& out);
  void append_time(std::string_view id_tail, std::string& out);
  [[nodiscard]] std::string_view time_members(std::string_view id_tail);

  std::string id_prefix_;
  std::vector<std::string> keys_;  // `,"Date":`
  std::vector<formatter::ColumnType> types_;
  std::vector<std::string> origins_;  // one a kind: `,"caravel":{"feed":…,"line":`
  std::optional<UtcConverter> utc_;
  std::size_t most_bytes_ = 0;  // of a document, beside its record, its id's tail and its time
  bool has_json_ = false;       // a column of type json
  std::string last_time_;       // as the id of the row before has it
  std::string last_members_;    // what append_time() made of it
  std::vector<std::string_view> fields_;
  std::string scratch_;
};

}  // namespace caravel::uploader
