// An extract on its way into CouchDB: batches, several in flight, then the feed document.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uploader/couchdb/batch.h"
#include "uploader/couchdb/couch_batch.h"
#include "uploader/couchdb/couch_database.h"
#include "uploader/feed_document.h"
#include "uploader/store.h"

namespace caravel::uploader {

/// See Upload. Memory: `connections` + 1 batches, and what their requests hold.
class CouchUpload : public Upload {
 public:
  /// `database` outlives it.
  CouchUpload(const CouchDatabase& database, ExtractInfo extract, formatter::RowReader rows,
              UploadOptions options);

  [[nodiscard]] Result<> run(const StopSignal& stop) override;
  [[nodiscard]] const UploadCounts& counts() const override { return counts_; }
  [[nodiscard]] const std::vector<RefusedRow>& refused() const override { return refused_; }
  [[nodiscard]] const std::vector<std::string>& notes() const override { return notes_; }
  [[nodiscard]] bool must_restart() const override { return must_restart_; }

 private:
  /// A connection's worth of work.
  struct Slot {
    std::unique_ptr<CouchBatch> batch;
    std::uint64_t ticket = 0;
    bool in_flight = false;
  };

  [[nodiscard]] Result<> send_rows(const StopSignal& stop);
  [[nodiscard]] Result<> fill(Slot& slot);
  [[nodiscard]] Result<std::unique_ptr<CouchBatch>> next_batch();
  [[nodiscard]] Result<> handle(const HttpReply& reply, const StopSignal& stop);
  [[nodiscard]] Result<> acknowledge(CouchBatch& batch);
  [[nodiscard]] Result<> make_database(const std::string& url, const HttpReply& reply,
                                       const StopSignal& stop);
  void cancel();
  void report_progress();

  [[nodiscard]] Result<> send_feed_document(const StopSignal& stop);
  [[nodiscard]] Result<std::optional<std::string>> update_of_stored(
      const std::string& id, const std::vector<FeedField>& fields, bool attaching,
      const StopSignal& stop);
  void count_whole_extract(bool created);

  const CouchDatabase& database_;
  ExtractInfo extract_;
  UploadOptions options_;
  std::string sha256_;
  std::optional<BatchReader> reader_;
  std::optional<Error> broken_;  // the rows can never be sent (an unknown time zone)
  std::vector<Slot> slots_;
  std::unique_ptr<CouchBatch> ready_;  // built while the others were in flight
  std::size_t most_rows_;              // of one request: less once that many took too long
  UploadCounts counts_;
  std::vector<RefusedRow> refused_;
  std::vector<std::string> notes_;
  std::uint64_t refused_by_store_ = 0;
  int times_made_ = 0;         // the database, by us
  bool accepted_any_ = false;  // the database had a good answer to rows of ours
  bool attach_ = false;        // until the server refused it
  bool done_ = false;
  bool must_restart_ = false;
};

}  // namespace caravel::uploader
