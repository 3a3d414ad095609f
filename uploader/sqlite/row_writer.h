// The rows of one extract on their way into their feed's table: one INSERT for each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sqlite.h"
#include "formatter/rows/sidecar.h"
#include "uploader/store.h"
#include "uploader/utc_time.h"

namespace caravel::uploader {

/// What one transaction did; it counts once it is committed.
struct Tally {
  UploadCounts counts;
  std::vector<RefusedRow> refused;
};

/// Belongs to one open file, which outlives it. Transactions are the caller's.
class RowWriter {
 public:
  /// Makes the feed's table, or adds to it the columns that it lacks, in a transaction of its own.
  /// Errors: SQLite's; content: more columns than SQLite takes; usage: an unknown time zone.
  static Result<RowWriter> make(Sqlite& file, const ExtractInfo& extract,
                                const formatter::SidecarHeader& header, std::string_view sha256,
                                const UploadOptions& options);

  /// Stores `row` unless its id is taken; see verdict_on_taken_id(). What became of it goes into
  /// `tally`. After an error the transaction must be rolled back.
  [[nodiscard]] Result<> put(const formatter::Row& row, Tally& tally);

 private:
  RowWriter(Sqlite& file, const UploadOptions& options, Statement insert, Statement select,
            Statement remove)
      : file_(&file),
        options_(options),
        insert_(std::move(insert)),
        select_(std::move(select)),
        remove_(std::move(remove)) {}
  void bind(const formatter::Row& row);
  void bind_or_null(std::string_view text);
  [[nodiscard]] Result<> judge_stored(const formatter::Row& row, Tally& tally);

  Sqlite* file_;
  UploadOptions options_;
  std::string feed_;
  std::string tag_;
  std::vector<std::string> kinds_;
  std::size_t columns_ = 0;  // of the format
  std::optional<UtcConverter> utc_;
  Statement insert_;
  Statement select_;
  Statement remove_;

  // Of the row that is being stored; reused from row to row. The statements borrow these bytes.
  std::vector<std::string_view> fields_;
  std::string scratch_;
  std::string id_;
  std::string time_;
  std::string time_utc_;
  std::string sum_;
};

}  // namespace caravel::uploader
