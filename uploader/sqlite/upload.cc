#include "uploader/sqlite/upload.h"

#include <chrono>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "uploader/sqlite/feed_row.h"

namespace caravel::uploader {
namespace {

// A commit waits for the disk (synchronous=FULL), so that one commit holds the rows of several
// batches; batch_bytes bounds it as well.
constexpr std::size_t kBatchesATransaction = 10;

}  // namespace

SqliteUpload::SqliteUpload(RowsFile& file, StoreSettings settings, ExtractInfo extract,
                           formatter::RowReader rows, UploadOptions options)
    : file_(file),
      settings_(std::move(settings)),
      extract_(std::move(extract)),
      options_(options),
      pending_(extract_.feed, std::move(rows), settings_.batch_rows * kBatchesATransaction,
               settings_.batch_bytes) {}

Result<> SqliteUpload::run(const StopSignal& stop) {
  if (done_) return {};
  file_.stop_waiting_at(&stop);
  auto sent = send_rows(stop);
  // What was taken back may have made a table.
  if (!sent) file_.tables().forget();
  file_.stop_waiting_at(nullptr);
  // Statements must not outlive their connection, and the next run may open the file anew.
  writer_.reset();
  return sent;
}

Result<> SqliteUpload::send_rows(const StopSignal& stop) {
  CARAVEL_TRY(open_file());
  CARAVEL_TRY(prepare(stop));
  while (!done_) {
    CARAVEL_TRY(read_pending());
    CARAVEL_TRY(commit_pending(stop));
  }
  return {};
}

/// The rows that were counted lie in a file that nobody will find. Nobody can say which ones the
/// new file lacks, so the whole extract is stored again.
tl::unexpected<Error> SqliteUpload::vanished() {
  demand_restart();
  return fail(ErrorKind::fault,
              fmt::format("{}: {} has vanished or was replaced while rows were stored in it; bring "
                          "it back, and the whole extract is stored again",
                          settings_.name, file_.path()));
}

Result<> SqliteUpload::open_file() {
  const bool any_stored = acknowledged() > 0;
  CARAVEL_ASSIGN_OR_RETURN(auto file, file_.open(options_.may_create && !any_stored));
  if (file == nullptr) {
    if (any_stored) return vanished();
    // The embedded default has no administrator to ask: it goes on, and says what is missing. Said
    // once the file is there: a file that cannot be made is tried again and again.
    CARAVEL_ASSIGN_OR_RETURN(file, file_.open(true));
    note(
        fmt::format("{} had vanished, with the rows that were stored there: it was made anew. Load "
                    "the old extracts again to fill it",
                    file_.path()));
  }
  // Another file of this name is not where the rows went that were counted.
  if (any_stored && file_.times_opened() != opened_as_) return vanished();
  database_ = file;
  opened_as_ = file_.times_opened();
  return {};
}

Result<> SqliteUpload::prepare(const StopSignal& stop) {
  auto writer = RowWriter::make(*database_, file_.tables(), extract_, pending_.reader().header(),
                                pending_.reader().end().sha256, options_, {stop, on_upgrade});
  // As in commit_pending().
  if (!writer && writer.error().kind == ErrorKind::stopped) {
    return tl::unexpected(std::move(writer).error());
  }
  return file_.in_context([&]() -> Result<> {
    if (!writer) return tl::unexpected(std::move(writer).error());
    writer_.emplace(*std::move(writer));
    if (!writer_->note().empty()) note(fmt::format("{}: {}", file_.path(), writer_->note()));
    return {};
  });
}

Result<> SqliteUpload::read_pending() {
  auto filled = pending_.fill();
  if (!filled) give_up_csv();
  return filled;
}

/// One transaction. The file is looked at before and after: a commit into a file that is no longer
/// at its path stored nothing that anybody will find.
Result<> SqliteUpload::commit_pending(const StopSignal& stop) {
  if (!file_.still_there()) return vanished();
  const bool last = pending_.is_last();
  const auto begun = std::chrono::steady_clock::now();
  Tally tally;
  if (auto stored = store_pending(stop, tally); !stored) {
    // To be stopped is no fault of the file: its path is not put in front.
    if (stored.error().kind == ErrorKind::stopped) return stored;
    return file_.in_context([&] { return stored; });
  }
  if (!file_.still_there()) return vanished();
  // Only now are the rows given up and counted. An error above leaves them pending, for the next
  // run.
  const bool any = pending_.batch().size() > 0;
  if (any && on_batch) {
    on_batch(pending_.batch().size(), std::chrono::steady_clock::now() - begun);
  }
  pending_.clear();
  done_ = last;
  if (any) acknowledge(tally.counts, std::move(tally.refused));
  return {};
}

/// All that is pending, and the feed's row if nothing comes after it: whoever sees the feed's row
/// can read all of the rows.
Result<> SqliteUpload::store_pending(const StopSignal& stop, Tally& tally) {
  CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(*database_));
  CARAVEL_TRY(writer_->put(pending_.batch(), stop, tally));
  if (pending_.is_last() && settings_.documents != Documents::rows) {
    CARAVEL_TRY(put_feed_row(*database_, extract_, pending_.reader(),
                             refused_lines() + lines_of(tally.refused), options_.reprocess));
  }
  return transaction.commit();
}

}  // namespace caravel::uploader
