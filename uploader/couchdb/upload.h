// An extract on its way into CouchDB: batches, several in flight, then the feed document.
//
//   look at the database ─> rows … ─> look, witnesses ─> feed document ─> look
//
// Each look asks whether it is still the same database. If it is not, what was acknowledged is gone
// with the old one, and the upload must be started over. The last look is what makes the counts
// true: all that was acknowledged lies between two looks at one and the same database.
//
// Each connection is a slot with one batch and at most one request. run() fills the empty slots,
// builds one batch more while they wait, waits for any reply, hands it to its batch, and takes a
// finished batch into the counts. Batches finish in any order; what was acknowledged is never sent
// again, and after an error every other batch stays in its slot for the next run().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uploader/couchdb/batch.h"
#include "uploader/couchdb/database.h"
#include "uploader/couchdb/documents/batch_reader.h"
#include "uploader/couchdb/feed_upload.h"
#include "uploader/couchdb/identity.h"
#include "uploader/couchdb/learned.h"
#include "uploader/couchdb/witnesses.h"
#include "uploader/tallied_upload.h"

namespace caravel::uploader {

/// See Upload. Memory: `connections` + 1 batches, and what their requests hold.
class CouchUpload : public TalliedUpload {
 public:
  /// `database` and `learned` outlive it.
  CouchUpload(const CouchDatabase& database, Learned& learned, ExtractInfo extract,
              formatter::RowReader rows, UploadOptions options);

  [[nodiscard]] Result<> run(const StopSignal& stop) override;

 private:
  /// A connection's worth of work.
  struct Slot {
    std::unique_ptr<CouchBatch> batch;
    std::uint64_t ticket = 0;
    bool in_flight = false;
    /// When the first request for the batch left, in this run.
    std::optional<std::chrono::steady_clock::time_point> begun{};
  };

  [[nodiscard]] Result<> send_all(const StopSignal& stop);
  [[nodiscard]] Result<> look_at_database(const StopSignal& stop);
  [[nodiscard]] Result<> look_at_witnesses(const StopSignal& stop);
  [[nodiscard]] tl::unexpected<Error> start_over(const std::string& why);
  [[nodiscard]] Result<> send_rows(const StopSignal& stop);
  [[nodiscard]] Result<> fill(Slot& slot);
  [[nodiscard]] Result<std::unique_ptr<CouchBatch>> next_batch();
  [[nodiscard]] Result<> handle(const HttpReply& reply, const StopSignal& stop);
  [[nodiscard]] Result<> take_finished(CouchBatch& batch);
  [[nodiscard]] std::string fault_of_store(const CouchBatch& batch) const;
  [[nodiscard]] Result<> send_feed_document(const StopSignal& stop);
  void cancel();

  const CouchDatabase& database_;
  Learned& learned_;
  ExtractInfo extract_;
  UploadOptions options_;
  std::string sha256_;
  std::optional<BatchReader> reader_;
  std::optional<Error> broken_;  // the rows can never be sent (an unknown time zone)
  std::vector<Slot> slots_;
  std::unique_ptr<CouchBatch> ready_;  // built while the others were in flight
  std::size_t most_rows_;              // of one request: less once that many took too long
  std::uint64_t refused_by_store_ = 0;
  MissingDatabase missing_;
  DatabaseIdentity identity_;
  Witnesses witnesses_;
  unsigned runs_ = 0;
  bool ask_first_;  // the rows of the next batch are probably there
  FeedUpload feed_;
  bool feed_sent_ = false;
  bool done_ = false;
};

}  // namespace caravel::uploader
