#include "watcher/pipeline/uploading.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "watcher/files/host_name.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/stores.h"

namespace caravel::watcher {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

/// The ledger hears of acknowledged rows no more often than this.
constexpr std::chrono::milliseconds kTellLedgerEvery{1'000};
/// Fewer rows are through before anybody could ask where they are.
constexpr std::uint64_t kManyRows = 10'000;

}  // namespace

Uploading::Uploading(const PipelineTools& tools, const ExtractJob& job)
    : tools_(tools),
      job_(job),
      place_(store_place(tools.store_config())),
      begun_at_(system_clock::now()) {}

Result<> Uploading::start(formatter::RowReader rows, const FormatReport& report) {
  uploader::ExtractInfo info;
  info.feed = tools_.feed.name;
  info.name = printable(job_.claim.name);
  info.host = host_name();
  info.timestamp = time_text(begun_at_);
  info.timezone = tools_.feed.timezone;
  info.attach_csv = tools_.feed.attach_csv;
  info.year_guessed = report.year_guessed;
  uploader::UploadOptions options;
  options.reprocess = job_.reprocess;
  // Only before the first row ever: a database that vanished later is a fault to report, and an
  // empty one in its place would hide it.
  CARAVEL_ASSIGN_OR_RETURN(options.may_create, tools_.ledger.stores().may_create(place_));
  had_rows_ = !options.may_create;
  // Whether all of this content went into this feed's store before. If not, rows of it that are
  // found there were stored by this very load, before a crash, and count as stored.
  CARAVEL_ASSIGN_OR_RETURN(
      options.loaded_before,
      tools_.ledger.extracts().was_done(report.result.sha256, tools_.feed.name, tools_.feed.store));
  options.max_refused = tools_.feed.max_rejects.allowed(report.result.counts.lines);
  rows_ = report.result.counts.rows;
  upload_ = tools_.store.start(std::move(info), std::move(rows), options);
  upload_->on_progress = [this](std::uint64_t acknowledged) { acknowledge(acknowledged); };
  upload_->on_batch = [this](std::uint64_t taken, steady_clock::duration took) {
    batches_.add(taken, std::chrono::duration<double>(took).count());
  };
  upload_->on_upgrade = tools_.observer.on_upgrade;
  return {};
}

StepResult<> Uploading::run() {
  told_ledger_ = steady_clock::now();
  if (rows_ > kManyRows) {
    CARAVEL_TRY(
        tools_.ledger.extracts().acknowledge(job_.claim.id, acknowledged_, system_clock::now()));
  }
  auto sent = upload_->run(tools_.service.stop);
  notes_ = upload_->notes();
  if (!sent) {
    const bool of_store = !upload_->csv_failed();
    // The database was deleted and made again, say: what was acknowledged is gone, and the next try
    // begins with the first row.
    if (upload_->must_restart()) start_over();
    if (of_store) return tl::unexpected(Obstacle::of_store(std::move(sent).error()));
    return tl::unexpected(std::move(sent).error());
  }
  mark_store(StoreState::ok, "", std::nullopt);
  // The CSV is closed and the batches are freed: an extract may have to wait with its answer.
  answer_ = StoreAnswer{upload_->counts(), upload_->refused()};
  upload_.reset();
  return {};
}

void Uploading::start_over() {
  upload_.reset();
  answer_.reset();
  acknowledged_ = 0;
}

void Uploading::acknowledge(std::uint64_t rows) {
  furthest_ = std::max(furthest_, rows);
  if (acknowledged_ == 0 && rows > 0 && !had_rows_) {
    // From now on a database that is missing is a fault, and is not created:
    // StoreRecords::may_create().
    (void)tools_.ledger.stores().first_row_stored(tools_.store_config().name, place_,
                                                  system_clock::now());
  }
  // Whatever was wrong before: it takes rows.
  mark_store(StoreState::ok, "", std::nullopt);
  acknowledged_ = rows;
  if (tools_.observer.on_upload) tools_.observer.on_upload(rows, rows_);
  const auto now = steady_clock::now();
  if (now - told_ledger_ < kTellLedgerEvery) return;
  told_ledger_ = now;
  // Only for `status`. After a crash all rows are sent again, whatever was acknowledged.
  (void)tools_.ledger.extracts().acknowledge(job_.claim.id, rows, system_clock::now());
}

void Uploading::store_is_down(const Error& error, Time next_try) {
  const bool passing = error.kind == ErrorKind::retry;
  mark_store(passing ? StoreState::waiting : StoreState::fault, error.message, next_try);
}

void Uploading::mark_store(StoreState state, const std::string& why, std::optional<Time> next_try) {
  // A store that was well and is well is no news to the ledger. A wait always is: its next try has
  // another time.
  if (state == StoreState::ok && marked_ == StoreState::ok) return;
  marked_ = state;
  (void)tools_.ledger.stores().set_state(tools_.store_config().name, place_, state, why, next_try,
                                         system_clock::now());
}

}  // namespace caravel::watcher
