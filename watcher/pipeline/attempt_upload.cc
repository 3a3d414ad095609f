// The steps of an extract that have to do with its store: rows, feed document, what was refused.
#include <fcntl.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/host_name.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/history.h"
#include "watcher/pipeline/attempt.h"
#include "watcher/pipeline/refused_rows.h"
#include "watcher/pipeline/stale_rows.h"
#include "watcher/spool/rejects.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

/// The ledger hears of acknowledged rows no more often than this.
constexpr milliseconds kReportEvery{1'000};

}  // namespace

Result<formatter::RowReader> Attempt::open_rows() const {
  CARAVEL_ASSIGN_OR_RETURN(auto csv, open_file(csv_, O_RDONLY));
  CARAVEL_ASSIGN_OR_RETURN(auto sidecar, open_file(sidecar_, O_RDONLY));
  return formatter::RowReader::open(std::move(csv), std::move(sidecar));
}

Result<> Attempt::start_upload() {
  auto rows = open_rows();
  if (!rows) {
    if (!job_.prepared) step_ = Step::format;  // someone tidied csv/: make them again
    return tl::unexpected(rows.error());
  }
  const std::string place = store_place(tools_.store_config);
  CARAVEL_ASSIGN_OR_RETURN(auto may_create, tools_.ledger.stores().may_create(place));

  uploader::ExtractInfo info;
  info.feed = tools_.feed.name;
  info.name = printable(job_.claim.name);
  info.host = host_name();
  info.timestamp = time_text(begun_at_);
  info.timezone = tools_.feed.timezone;
  info.attach_csv = tools_.feed.attach_csv;
  info.year_guessed = report_.year_guessed;
  uploader::UploadOptions options;
  options.reprocess = job_.reprocess;
  options.may_create = may_create;
  CARAVEL_ASSIGN_OR_RETURN(auto loaded_before, was_loaded_before());
  options.loaded_before = loaded_before;
  options.max_refused = tools_.feed.max_rejects.allowed(report_.result.counts.lines);
  upload_ = tools_.store.start(std::move(info), std::move(*rows), options);
  upload_->on_progress = [this](std::uint64_t acknowledged) { acknowledge(acknowledged); };
  return {};
}

/// The same content went into this feed's store before, all of it.
Result<bool> Attempt::was_loaded_before() {
  CARAVEL_ASSIGN_OR_RETURN(auto same, tools_.ledger.history().find_sha256(report_.result.sha256));
  return std::any_of(same.begin(), same.end(), [&](const Extract& extract) {
    return extract.state == State::done && extract.feed == tools_.feed.name &&
           extract.store == tools_.feed.store;
  });
}

Result<> Attempt::upload() {
  if (!upload_) CARAVEL_TRY(start_upload());
  CARAVEL_TRY(
      tools_.ledger.extracts().acknowledge(job_.claim.id, acknowledged_, system_clock::now()));
  if (auto sent = upload_->run(tools_.stop); !sent) {
    if (upload_->must_restart()) upload_.reset();
    return sent;
  }
  mark_store(StoreState::ok, "", std::nullopt);
  for (const std::string& text : upload_->notes()) note(text);
  step_ = Step::keep_rejects;
  return {};
}

void Attempt::acknowledge(std::uint64_t rows) {
  ++progress_;
  if (acknowledged_ == 0 && rows > 0) {
    // From now on a missing database is a fault: see may_create().
    (void)tools_.ledger.stores().first_row_stored(
        tools_.store_config.name, store_place(tools_.store_config), system_clock::now());
    mark_store(StoreState::ok, "", std::nullopt);
  }
  acknowledged_ = rows;
  if (tools_.observer.on_upload) {
    tools_.observer.on_upload(rows, report_.result.counts.rows);
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - reported_ < kReportEvery) return;
  reported_ = now;
  (void)tools_.ledger.extracts().acknowledge(job_.claim.id, rows, system_clock::now());
}

Result<> Attempt::keep_rejects() {
  const std::vector<uploader::RefusedRow>& refused = upload_->refused();
  if (!refused.empty() && !refused_rows_kept_) {
    // Of a prepared CSV the lines are elsewhere: only the reasons can be kept.
    auto kept = job_.prepared ? add_refused_reasons(refused, reject_paths())
                              : add_refused_rows(fd_.get(), job_.claim.name, report_.stamp.size,
                                                 tools_.config.max_line, refused, reject_paths());
    if (!kept) {
      start_over();  // the files may hold a part of them
      return kept;
    }
    refused_rows_kept_ = true;
    report_.has_lines = report_.has_lines || !job_.prepared;
    report_.has_reasons = true;
  }
  // A prepared CSV leaves alone what its extract's own files in rejects/ say.
  if (!job_.prepared || !refused.empty()) {
    const RejectFiles files{report_.has_lines ? temporary_prefix_ + ".rejects" : std::string(),
                            report_.has_cut ? temporary_prefix_ + ".cut" : std::string(),
                            report_.has_reasons ? temporary_prefix_ + ".reasons" : std::string()};
    auto published = publish_reject_files(tools_.spool, tools_.feed.name, job_.claim.name,
                                          report_.result.sha256, files);
    if (!published) {
      start_over();  // some may have their names already
      return tl::unexpected(published.error());
    }
  }
  step_ = Step::finish;
  return {};
}

Result<> Attempt::remove_stale() {
  if (job_.delete_stale) {
    const formatter::Format* format = report_.result.format;
    const IdentityRules rules{
        format == nullptr || format->identity == formatter::Identity::position,
        tools_.feed.manifest == ManifestRule::ignore};
    auto removed =
        remove_stale_rows(tools_.store, tools_.ledger, tools_.feed.name, report_.result.sha256,
                          report_.result.unpacked_sha256, sidecar_, csv_, rules);
    if (!removed) return tl::unexpected(removed.error());
    note(fmt::format("stale rows: {} removed, {} kept", removed->removed, removed->kept.size()) +
         (removed->kept.empty() ? "" : " because " + removed->why_kept));
    for (const std::string& id : removed->kept) note(fmt::format("stale, kept: {}", id));
  }
  step_ = Step::archive;
  return {};
}

void Attempt::report_wait(const Error& error, milliseconds wait, Time now) {
  // The commit of the ending may be what fails, so this may fail as well: the observer still hears.
  (void)tools_.ledger.extracts().set_waiting(job_.claim.id, error.message, now + wait, now);
  if (step_ == Step::upload) {
    mark_store(error.kind == ErrorKind::retry ? StoreState::waiting : StoreState::fault,
               error.message, now + wait);
  }
  if (tools_.observer.on_wait) tools_.observer.on_wait(error.message, wait);
}

void Attempt::mark_store(StoreState state, const std::string& why, std::optional<Time> next_try) {
  if (state == StoreState::ok && marked_ == StoreState::ok) return;
  marked_ = state;
  (void)tools_.ledger.stores().set_state(tools_.store_config.name, store_place(tools_.store_config),
                                         state, why, next_try, system_clock::now());
}

}  // namespace caravel::watcher
