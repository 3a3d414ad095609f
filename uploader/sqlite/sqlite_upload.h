// An extract on its way into SQLite: transactions of many rows, the feed's row in the last of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uploader/feed_document.h"
#include "uploader/sqlite/sqlite.h"
#include "uploader/sqlite/sqlite_store.h"
#include "uploader/store.h"
#include "uploader/utc_time.h"

namespace caravel::uploader {

/// See Upload. Memory: the rows of one transaction (at most `batch_rows` * 10 of them or
/// `batch_bytes`, as CSV), kept until they are committed.
class SqliteUpload : public Upload {
 public:
  /// `store` outlives it.
  SqliteUpload(SqliteStore& store, ExtractInfo extract, formatter::RowReader rows,
               UploadOptions options);

  [[nodiscard]] Result<> run(const StopSignal& stop) override;
  [[nodiscard]] const UploadCounts& counts() const override { return counts_; }
  [[nodiscard]] const std::vector<RefusedRow>& refused() const override { return refused_; }
  [[nodiscard]] const std::vector<std::string>& notes() const override { return notes_; }
  [[nodiscard]] bool must_restart() const override { return must_restart_; }

 private:
  /// A row that is not committed yet; its texts are slices of pending_text_.
  struct Pending {
    std::uint64_t line = 0;
    std::uint64_t offset = 0;
    std::uint32_t kind = 0;
    std::size_t tail_size = 0;
    std::size_t record_size = 0;
  };
  /// What one transaction did; it counts once it is committed.
  struct Tally {
    UploadCounts counts;
    std::vector<RefusedRow> refused;
  };

  [[nodiscard]] Result<> send_rows(const StopSignal& stop);
  [[nodiscard]] Result<> open_file();
  [[nodiscard]] Result<> prepare_table();
  [[nodiscard]] Result<> prepare_statements();
  [[nodiscard]] Result<> read_pending();
  [[nodiscard]] Result<> transaction(const StopSignal& stop);
  [[nodiscard]] Result<> put_pending(const StopSignal& stop, Tally& tally);
  [[nodiscard]] Result<> put_row(const formatter::Row& row, Tally& tally);
  [[nodiscard]] Result<> judge_stored(const formatter::Row& row, std::string_view sum,
                                      Tally& tally);
  [[nodiscard]] Result<> put_feed_row(const Tally& tally);
  [[nodiscard]] tl::unexpected<Error> vanished();

  SqliteStore& store_;
  ExtractInfo extract_;
  UploadOptions options_;
  formatter::RowReader rows_;
  std::string tag_;
  std::optional<UtcConverter> utc_;
  std::vector<std::string> columns_;  // the table's names of the format's columns

  SqliteFile* file_ = nullptr;   // the store's
  std::uint64_t opened_as_ = 0;  // SqliteStore::times_opened() then
  SqliteStatement insert_;
  SqliteStatement select_;
  SqliteStatement delete_;

  std::vector<Pending> pending_;
  std::string pending_text_;
  bool read_all_ = false;
  bool done_ = false;
  bool must_restart_ = false;

  // Reused from row to row.
  std::vector<std::string_view> fields_;
  std::string scratch_;
  std::string id_;
  std::string time_;
  std::string time_utc_;

  UploadCounts counts_;
  std::vector<RefusedRow> refused_;
  std::vector<std::string> notes_;
};

}  // namespace caravel::uploader
