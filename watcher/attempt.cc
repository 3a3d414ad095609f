#include "watcher/attempt.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "watcher/host_name.h"
#include "watcher/name_rules.h"
#include "watcher/refused_rows.h"
#include "watcher/rejects.h"
#include "watcher/stale_rows.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

/// The ledger hears of acknowledged rows no more often than this.
constexpr milliseconds kReportEvery{1'000};

/// Of an extract's name in that of its CSV: with the claim id and the endings, NAME_MAX is 255.
constexpr std::size_t kLongestCsvName = 180;

}  // namespace

Attempt::Attempt(PipelineTools& tools, const ExtractJob& job)
    : tools_(tools),
      job_(job),
      begun_at_(system_clock::now()),
      csv_(job.prepared
               ? job.path
               : fmt::format("{}/csv/{}.{}.csv", tools.spool.path(),
                             printable(job.claim.name).substr(0, kLongestCsvName), job.claim.id)),
      sidecar_(csv_ + ".sidecar"),
      temporary_prefix_(fmt::format("{}{}", kTemporaryPrefix, job.claim.id)) {}

Result<> Attempt::go_on() {
  while (step_ != Step::end) {
    if (tools_.stop.requested()) return fail(ErrorKind::stopped, "stopped");
    Result<> went;
    switch (step_) {
      case Step::open:
        went = open();
        break;
      case Step::take_prepared:
        went = take_prepared();
        break;
      case Step::format:
        went = format();
        break;
      case Step::upload:
        went = upload();
        break;
      case Step::keep_rejects:
        went = keep_rejects();
        break;
      case Step::finish:
        went = finish();
        break;
      case Step::remove_stale:
        went = remove_stale();
        break;
      case Step::archive:
        went = archive();
        break;
      case Step::refuse:
        went = refuse();
        break;
      case Step::end:
        break;
    }
    if (!went && went.error().kind == ErrorKind::content && step_ < Step::finish) {
      refusal_ = went.error().message;
      step_ = Step::refuse;
      went = {};
    }
    if (!went) return went;
    ++progress_;
  }
  return {};
}

PipelineResult Attempt::result(Ending ending, std::string message) const {
  return {ending, counts_, std::move(message), format_name_, report_.year_unknown};
}

PipelineResult Attempt::result() const {
  return refusal_ ? result(Ending::failed, *refusal_) : result(Ending::done, "");
}

Result<> Attempt::open() {
  if (job_.root != nullptr) {
    auto look = look_at(*job_.root, job_.claim);
    if (!look) return tl::unexpected(look.error());
    if (look->state != ClaimState::regular) {
      const bool gone = look->state == ClaimState::gone;
      file_trouble_ = gone ? Ending::vanished : Ending::not_ready;
      return fail(ErrorKind::retry, gone ? std::string("the file is gone") : look->reason);
    }
    fd_ = std::move(look->fd);
    // Power loss is covered from here on: before this, the sender's copy counts.
    CARAVEL_TRY(sync_content(fd_.get()));
  } else {
    auto fd = open_file(job_.path, O_RDONLY | O_NONBLOCK);
    if (!fd) return tl::unexpected(fd.error());
    fd_ = std::move(*fd);
  }
  step_ = job_.prepared ? Step::take_prepared : Step::format;
  return {};
}

/// What a sidecar says takes the place of formatting.
Result<> Attempt::take_prepared() {
  auto rows = open_rows();
  if (!rows) {
    refusal_ = rows.error().message;
    step_ = Step::refuse;
    return {};
  }
  auto stamp = stamp_of_fd(fd_.get());
  if (!stamp) return tl::unexpected(stamp.error());
  report_.stamp = *stamp;
  report_.result.counts = rows->end().counts;
  report_.result.sha256 = rows->end().sha256;
  format_name_ = rows->header().format;
  return note_formatted();
}

Result<> Attempt::format() {
  auto free = tools_.spool.free_bytes();
  if (!free) return tl::unexpected(free.error());
  if (*free < tools_.config.min_free) {
    return fail(ErrorKind::retry,
                fmt::format("disk: {} bytes are free in {}, less than min_free ({})", *free,
                            tools_.spool.path(), tools_.config.min_free));
  }
  const FormatOrder order{tools_.config, tools_.feed, tools_.formats, job_.by_hand,
                          job_.claim.name};
  // In csv/ under their own names only once they are whole.
  const FormatTargets targets{temporary("csv", ".csv"), temporary("csv", ".sidecar"),
                              reject_paths()};
  formatter::FormatMonitor monitor;
  monitor.stop = &tools_.stop;
  auto size = stamp_of_fd(fd_.get());
  if (tools_.observer.on_format && size) {
    monitor.on_progress = [&](std::uint64_t bytes) {
      tools_.observer.on_format(bytes, size->size);
    };
  }
  auto report = format_file(fd_.get(), order, targets, &tools_.ledger, monitor);
  if (!report) {
    remove_temporaries();
    return tl::unexpected(report.error());
  }
  report_ = std::move(*report);
  format_name_ = report_.result.format != nullptr ? report_.result.format->name : "";
  if (report_.refusal) {
    refusal_ = report_.refusal;
    step_ = Step::refuse;
    return {};
  }
  if (::rename(targets.csv.c_str(), csv_.c_str()) != 0 ||
      ::rename(targets.sidecar.c_str(), sidecar_.c_str()) != 0) {
    return fail_with_errno(fmt::format("rename to {}", csv_), errno);
  }
  if (report_.year_guessed) {
    note(fmt::format("the year was guessed from the mtime ({}): year: guess",
                     report_.time.time_used));
  }
  return note_formatted();
}

Result<> Attempt::note_formatted() {
  FormattedExtract formatted;
  formatted.size = report_.stamp.size;
  formatted.mtime_ns = report_.stamp.mtime_ns;
  formatted.sha256 = report_.result.sha256;
  formatted.format = format_name_;
  formatted.time_used = report_.time.time_used;
  formatted.time_source = report_.time.time_source;
  formatted.year_guessed = report_.year_guessed;
  formatted.counts = report_.result.counts;
  formatted.first_time = report_.result.first_time;
  formatted.last_time = report_.result.last_time;
  CARAVEL_TRY(tools_.ledger.formatted(job_.claim.id, formatted, system_clock::now()));
  step_ = Step::upload;
  return {};
}

Result<formatter::RowReader> Attempt::open_rows() const {
  auto csv = open_file(csv_, O_RDONLY);
  if (!csv) return tl::unexpected(csv.error());
  auto sidecar = open_file(sidecar_, O_RDONLY);
  if (!sidecar) return tl::unexpected(sidecar.error());
  return formatter::RowReader::open(std::move(*csv), std::move(*sidecar));
}

Result<> Attempt::start_upload() {
  auto rows = open_rows();
  if (!rows) {
    if (!job_.prepared) step_ = Step::format;  // someone tidied csv/: make them again
    return tl::unexpected(rows.error());
  }
  const std::string place = store_place(tools_.store_config);
  auto may_create = tools_.ledger.may_create(place);
  if (!may_create) return tl::unexpected(may_create.error());

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
  options.may_create = *may_create;
  auto loaded_before = was_loaded_before();
  if (!loaded_before) return tl::unexpected(loaded_before.error());
  options.loaded_before = *loaded_before;
  options.max_refused = tools_.feed.max_rejects.allowed(report_.result.counts.lines);
  upload_ = tools_.store.start(std::move(info), std::move(*rows), options);
  upload_->on_progress = [this](std::uint64_t acknowledged) { acknowledge(acknowledged); };
  return {};
}

/// The same content went into this feed's store before, all of it.
Result<bool> Attempt::was_loaded_before() {
  auto same = tools_.ledger.find_sha256(report_.result.sha256);
  if (!same) return tl::unexpected(same.error());
  return std::any_of(same->begin(), same->end(), [&](const Extract& extract) {
    return extract.state == State::done && extract.feed == tools_.feed.name &&
           extract.store == tools_.feed.store;
  });
}

Result<> Attempt::upload() {
  if (!upload_) CARAVEL_TRY(start_upload());
  CARAVEL_TRY(tools_.ledger.acknowledge(job_.claim.id, acknowledged_, system_clock::now()));
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
    (void)tools_.ledger.first_row_stored(tools_.store_config.name, store_place(tools_.store_config),
                                         system_clock::now());
    mark_store(StoreState::ok, "", std::nullopt);
  }
  acknowledged_ = rows;
  if (tools_.observer.on_upload) {
    tools_.observer.on_upload(rows, report_.result.counts.rows);
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - reported_ < kReportEvery) return;
  reported_ = now;
  (void)tools_.ledger.acknowledge(job_.claim.id, rows, system_clock::now());
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

/// Makes everything anew, from the file on. The row ids make that harmless.
void Attempt::start_over() {
  upload_.reset();
  refused_rows_kept_ = false;
  acknowledged_ = 0;
  step_ = job_.prepared ? Step::take_prepared : Step::format;
}

Result<> Attempt::finish() {
  if (auto now = stamp_of_fd(fd_.get()); now && changed_since(report_.stamp, *now)) {
    note(job_.root != nullptr ? "changed while it was loaded: it is taken again as a new extract"
                              : "changed while it was loaded: load it again");
  }
  const uploader::UploadCounts& sent = upload_->counts();
  counts_.lines = report_.result.counts.lines;
  counts_.rows = report_.result.counts.rows;
  counts_.dropped = report_.result.counts.dropped;
  counts_.rejected = report_.result.counts.rejected + upload_->refused().size();
  counts_.stored = sent.stored;
  counts_.already_there = sent.already_there;
  counts_.differs = sent.differs;
  counts_.replaced = sent.replaced;
  CARAVEL_TRY(tools_.ledger.finish_done(
      job_.claim.id, counts_, fmt::format("{}", fmt::join(notes_, "; ")), system_clock::now()));
  step_ = Step::remove_stale;
  return {};
}

Result<> Attempt::put_file_away() {
  fd_.reset();
  if (job_.root == nullptr) return {};
  auto extract = tools_.ledger.find_claim(job_.claim.id);
  if (!extract) return tl::unexpected(extract.error());
  return *extract ? put_away(tools_.spool, tools_.ledger, *job_.root, **extract) : Result<>();
}

Result<> Attempt::archive() {
  if (tools_.feed.keep_csv.count() == 0) remove_csv();
  CARAVEL_TRY(put_file_away());
  step_ = Step::end;
  return {};
}

Result<> Attempt::refuse() {
  upload_.reset();
  remove_temporaries();
  remove_csv();
  if (report_.year_unknown && job_.root != nullptr &&
      !refusal_->ends_with(printable(job_.claim.name))) {
    *refusal_ += fmt::format(": caravel process --feed {} --year YYYY '{}'", tools_.feed.name,
                             tools_.spool.absolute("failed/" + printable(job_.claim.name)));
  }
  counts_ = {};
  counts_.lines = counts_.failed = report_.result.counts.lines;
  auto extract = tools_.ledger.find_claim(job_.claim.id);
  if (!extract) return tl::unexpected(extract.error());
  if (*extract && (*extract)->state != State::failed) {
    CARAVEL_TRY(
        tools_.ledger.finish_failed(job_.claim.id, *refusal_, counts_.failed, system_clock::now()));
  }
  CARAVEL_TRY(put_file_away());
  step_ = Step::end;
  return {};
}

void Attempt::report_wait(const Error& error, milliseconds wait, Time now) {
  // The commit of the ending may be what fails, so this may fail as well: the observer still hears.
  (void)tools_.ledger.set_waiting(job_.claim.id, error.message, now + wait, now);
  if (step_ == Step::upload) {
    mark_store(error.kind == ErrorKind::retry ? StoreState::waiting : StoreState::fault,
               error.message, now + wait);
  }
  if (tools_.observer.on_wait) tools_.observer.on_wait(error.message, wait);
}

Result<> Attempt::remove_stale() {
  if (job_.delete_stale) {
    auto removed = remove_stale_rows(tools_.store, tools_.ledger, tools_.feed.name,
                                     report_.result.sha256, sidecar_, csv_);
    if (!removed) return tl::unexpected(removed.error());
    note(fmt::format("stale rows: {} removed, {} kept because other extracts cover their time",
                     removed->removed, removed->kept.size()));
    for (const std::string& id : removed->kept) note(fmt::format("stale, kept: {}", id));
  }
  step_ = Step::archive;
  return {};
}

void Attempt::mark_store(StoreState state, const std::string& why, std::optional<Time> next_try) {
  if (state == StoreState::ok && marked_ == StoreState::ok) return;
  marked_ = state;
  (void)tools_.ledger.set_store_state(tools_.store_config.name, store_place(tools_.store_config),
                                      state, why, next_try, system_clock::now());
}

void Attempt::note(const std::string& text) {
  notes_.push_back(text);
  if (tools_.observer.on_note) tools_.observer.on_note(text);
}

std::string Attempt::temporary(std::string_view folder, std::string_view ending) const {
  return fmt::format("{}/{}/{}{}", tools_.spool.path(), folder, temporary_prefix_, ending);
}
formatter::Rejects::Paths Attempt::reject_paths() const {
  return {temporary("rejects", ".rejects"), temporary("rejects", ".reasons"),
          temporary("rejects", ".cut")};
}
void Attempt::remove_csv() const {
  if (job_.prepared) return;  // a person's
  ::unlink(csv_.c_str());
  ::unlink(sidecar_.c_str());
}
void Attempt::remove_temporaries() const {
  for (const char* ending : {".csv", ".sidecar"}) ::unlink(temporary("csv", ending).c_str());
  for (const char* ending : {".rejects", ".reasons", ".cut"}) {
    ::unlink(temporary("rejects", ending).c_str());
  }
}

}  // namespace caravel::watcher
