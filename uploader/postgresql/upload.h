// An extract on its way into PostgreSQL: transactions of many rows, the feed's row in the last of
// them.
//
// One round of run(): read the rows of a transaction from the CSV, BEGIN, RowWriter::put, COMMIT,
// count them. Rows stay in memory until their commit; after an error the connection is closed,
// which takes back what was not committed, and the same rows are stored again by the next run. A
// crash before a commit leaves nothing of it. After a crash behind one, or a reply to a COMMIT that
// was lost, the rows are sent again and found as our own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "formatter/rows/sidecar.h"
#include "uploader/postgresql/feed_table.h"
#include "uploader/postgresql/rows/row_writer.h"
#include "uploader/postgresql/session.h"
#include "uploader/tables/pending_rows.h"
#include "uploader/tallied_upload.h"

namespace caravel::uploader {

/// The table that the last upload of a store wrote into: another one into the same need not look at
/// it again.
struct KnownTable {
  WantedTable wanted;
  FeedTable table;
  std::uint64_t times_connected = 0;  // Session's, when the staging table was made
};

/// See Upload. Memory: the rows of one transaction (at most `batch_rows` * 20 of them or
/// `batch_bytes`, as CSV), kept until they are committed, and those of the next one.
class PostgresqlUpload : public TalliedUpload {
 public:
  /// `session` and `known` outlive it.
  PostgresqlUpload(Session& session, std::optional<KnownTable>& known, ExtractInfo extract,
                   formatter::RowReader rows, UploadOptions options);

  [[nodiscard]] Result<> run(const StopSignal& stop) override;

 private:
  [[nodiscard]] Result<> send_rows(const StopSignal& stop);
  [[nodiscard]] Result<> read_pending();
  [[nodiscard]] Result<> prepare(const StopSignal& stop);
  [[nodiscard]] Result<WantedTable> wanted_table();
  [[nodiscard]] Result<> look_for_tables(const StopSignal& stop);
  [[nodiscard]] Result<> make_writer(const StopSignal& stop);
  [[nodiscard]] Result<> look_at_witness(const StopSignal& stop);
  [[nodiscard]] Result<> commit_pending(const StopSignal& stop);
  [[nodiscard]] Result<> store_pending(const StopSignal& stop, Tally& tally);
  [[nodiscard]] Result<> judge_refusals() const;
  void begin_again();
  void give_up();

  Session& session_;
  std::optional<KnownTable>& known_;
  ExtractInfo extract_;
  UploadOptions options_;
  PendingRows pending_;
  std::optional<UtcConverter> utc_;

  Connection* connection_ = nullptr;  // while run() lasts
  std::unique_ptr<RowWriter> writer_;
  // Where the counted rows are, and one of the last that were committed.
  std::string stored_in_;
  std::string witness_;
  std::uint64_t refused_by_store_ = 0;
  bool took_for_known_ = false;  // the table, without a look at it
  bool done_ = false;
};

}  // namespace caravel::uploader
