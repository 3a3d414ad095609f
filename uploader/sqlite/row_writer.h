// The rows of one extract on their way into their feed's table: one INSERT for all of a batch.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/sqlite/sqlite.h"
#include "formatter/rows/sidecar.h"
#include "uploader/sqlite/feed_table.h"
#include "uploader/sqlite/rows/row_values.h"
#include "uploader/store.h"
#include "uploader/tables/row_batch.h"
#include "uploader/verdict.h"

namespace caravel::uploader {

/// Belongs to one open file, which outlives it. Transactions are the caller's.
class RowWriter {
 public:
  /// Makes the feed's table, or brings it up to date: make_feed_table(), in transactions of its
  /// own; and the table of feed rows. Errors: those of make_feed_table(); usage: an unknown time
  /// zone.
  static Result<RowWriter> make(Sqlite& file, KnownTables& tables, const ExtractInfo& extract,
                                const formatter::SidecarHeader& header, std::string_view sha256,
                                const UploadOptions& options, const UpgradeWatch& watch);

  /// What a person should know of the table; empty if nothing.
  [[nodiscard]] const std::string& note() const { return note_; }

  /// Stores each row unless its id is taken; see verdict_on_taken_id(). What became of them goes
  /// into `tally`, in the order of the batch. After an error, which may be of kind stopped, the
  /// transaction must be rolled back.
  [[nodiscard]] Result<> put(const RowBatch& batch, const StopSignal& stop, Tally& tally);

 private:
  RowWriter(Sqlite& file, std::unique_ptr<RowValues> values, KeptStatement insert,
            KeptStatement remove)
      : file_(&file),
        values_(std::move(values)),
        insert_(std::move(insert)),
        remove_(std::move(remove)) {}
  [[nodiscard]] Result<> insert();
  [[nodiscard]] Result<Verdict> replace(std::string_view id, std::uint32_t index);

  Sqlite* file_;
  std::unique_ptr<RowValues> values_;  // the statement has its address
  std::string note_;
  KeptStatement insert_;
  KeptStatement remove_;
};

}  // namespace caravel::uploader
