// An extract on its way into SQLite: transactions of many rows, the feed's row in the last of them.
//
// One round of run(): read the rows of a transaction from the CSV, BEGIN, store all of them with
// one statement, COMMIT, count them. Rows stay in memory until their commit; after an error the
// same rows are stored again. A crash before a commit leaves nothing of it. After a crash behind
// one, the rows are sent again and found as our own.
#pragma once

#include <cstdint>
#include <optional>

#include "formatter/rows/sidecar.h"
#include "uploader/sqlite/row_writer.h"
#include "uploader/sqlite/rows_file.h"
#include "uploader/store_config.h"
#include "uploader/tables/pending_rows.h"
#include "uploader/tallied_upload.h"

namespace caravel::uploader {

/// See Upload. Memory: the rows of one transaction (at most `batch_rows` * 10 of them or
/// `batch_bytes`, as CSV), kept until they are committed.
class SqliteUpload : public TalliedUpload {
 public:
  /// `file` outlives it.
  SqliteUpload(RowsFile& file, StoreSettings settings, ExtractInfo extract,
               formatter::RowReader rows, UploadOptions options);

  [[nodiscard]] Result<> run(const StopSignal& stop) override;

 private:
  [[nodiscard]] Result<> send_rows(const StopSignal& stop);
  [[nodiscard]] Result<> open_file();
  [[nodiscard]] Result<> prepare(const StopSignal& stop);
  [[nodiscard]] Result<> read_pending();
  [[nodiscard]] Result<> commit_pending(const StopSignal& stop);
  [[nodiscard]] Result<> store_pending(const StopSignal& stop, Tally& tally);
  [[nodiscard]] tl::unexpected<Error> vanished();

  RowsFile& file_;
  StoreSettings settings_;
  ExtractInfo extract_;
  UploadOptions options_;

  Sqlite* database_ = nullptr;   // of file_, while run() lasts
  std::uint64_t opened_as_ = 0;  // RowsFile::times_opened() then
  std::optional<RowWriter> writer_;

  PendingRows pending_;  // not committed yet
  bool done_ = false;
};

}  // namespace caravel::uploader
