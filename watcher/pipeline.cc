#include "watcher/pipeline.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "base/file.h"
#include "uploader/retry.h"
#include "watcher/archive.h"
#include "watcher/host_name.h"
#include "watcher/name_rules.h"
#include "watcher/refused_rows.h"
#include "watcher/rejects.h"
#include "watcher/stale_rows.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

/// A store that is down is asked again soon at first; one that refuses us, seldom.
constexpr milliseconds kFirstRetry{250};
constexpr milliseconds kRetryLimit{15'000};
constexpr milliseconds kFirstFaultRetry{5'000};
constexpr milliseconds kFaultRetryLimit{60'000};

/// The ledger hears of acknowledged rows no more often than this.
constexpr milliseconds kReportEvery{1'000};

std::chrono::year_month_day utc_day(Time time) {
  return {std::chrono::floor<std::chrono::days>(time)};
}

}  // namespace

/// One extract's way through the pipeline. Each step is done once; an outage in the middle of one
/// repeats that step only.
class Pipeline::Attempt {
 public:
  Attempt(PipelineTools& tools, const ExtractJob& job)
      : tools_(tools),
        job_(job),
        claimed_at_(system_clock::now()),
        csv_(job.prepared ? job.path
                          : fmt::format("{}/csv/{}.{}.csv", tools.spool.path(),
                                        printable(job.claim.name), job.claim.id)),
        sidecar_(csv_ + ".sidecar"),
        reject_prefix_(fmt::format("{}{}", kTemporaryPrefix, job.claim.id)) {}

  PipelineResult run() {
    uploader::Backoff soon(kFirstRetry, kRetryLimit);
    uploader::Backoff seldom(kFirstFaultRetry, kFaultRetryLimit);
    std::optional<system_clock::time_point> down_since;
    for (;;) {
      const std::uint64_t progress = progress_;
      auto went = steps();
      if (went) return finished(Ending::done, "");
      const Error& error = went.error();
      switch (error.kind) {
        case ErrorKind::stopped: return finished(Ending::stopped, error.message);
        case ErrorKind::content:
        case ErrorKind::usage: return failed(error);
        case ErrorKind::retry:
        case ErrorKind::fault: break;
      }
      if (gone_) return finished(Ending::vanished, error.message);
      const auto now = system_clock::now();
      if (!down_since || progress_ != progress) {
        down_since = now;
        soon.reset();
        seldom.reset();
      }
      const bool fault = error.kind == ErrorKind::fault;
      const milliseconds wait = (fault ? seldom : soon).next(random_(), error.retry_after);
      if (tools_.patience && now + wait - *down_since > *tools_.patience) {
        (void)tools_.ledger.set_waiting(job_.claim.id, error.message, now, now);
        return finished(Ending::gave_up, error.message);
      }
      report_wait(error, fault, wait, now);
      if (stopped_within(wait)) return finished(Ending::stopped, error.message);
    }
  }

 private:
  enum class Step { open, take_prepared, format, upload, finish, stale, put_away, done };

  Result<> steps() {
    while (step_ != Step::done) {
      if (tools_.stop.requested()) return fail(ErrorKind::stopped, "stopped");
      switch (step_) {
        case Step::open: CARAVEL_TRY(open()); break;
        case Step::take_prepared: CARAVEL_TRY(take_prepared()); break;
        case Step::format: CARAVEL_TRY(format()); break;
        case Step::upload: CARAVEL_TRY(upload()); break;
        case Step::finish: CARAVEL_TRY(finish()); break;
        case Step::stale: CARAVEL_TRY(remove_stale()); break;
        case Step::put_away: CARAVEL_TRY(archive_file()); break;
        case Step::done: break;
      }
      ++progress_;
    }
    return {};
  }

  Result<> open() {
    if (job_.root != nullptr) {
      auto look = look_at(*job_.root, job_.claim);
      if (!look) return tl::unexpected(look.error());
      if (look->state != ClaimState::regular) {
        gone_ = look->state == ClaimState::gone;
        return fail(ErrorKind::retry, gone_ ? std::string("the file is gone") : look->reason);
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
  Result<> take_prepared() {
    auto rows = open_rows();
    if (!rows) return fail(ErrorKind::content, rows.error().message);
    auto stamp = stamp_of_fd(fd_.get());
    if (!stamp) return tl::unexpected(stamp.error());
    report_.stamp = *stamp;
    report_.result.counts = rows->end().counts;
    report_.result.sha256 = rows->end().sha256;
    format_name_ = rows->header().format;
    return note_formatted();
  }

  Result<> format() {
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
    const FormatTargets targets{
        temporary("csv", ".csv"),
        temporary("csv", ".sidecar"),
        {temporary("rejects", ".rejects"), temporary("rejects", ".reasons"),
         temporary("rejects", ".cut")}};
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
    acknowledged_ = 0;
    if (::rename(targets.csv.c_str(), csv_.c_str()) != 0 ||
        ::rename(targets.sidecar.c_str(), sidecar_.c_str()) != 0) {
      return fail_with_errno(fmt::format("rename to {}", csv_), errno);
    }
    if (report_.year_guessed) {
      note(fmt::format("the year was guessed from the mtime ({}): year: guess",
                       report_.time.time_used));
    }
    format_name_ = report_.result.format != nullptr ? report_.result.format->name : "";
    return note_formatted();
  }

  Result<> note_formatted() {
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

  Result<formatter::RowReader> open_rows() const {
    auto csv = open_file(csv_, O_RDONLY);
    if (!csv) return tl::unexpected(csv.error());
    auto sidecar = open_file(sidecar_, O_RDONLY);
    if (!sidecar) return tl::unexpected(sidecar.error());
    return formatter::RowReader::open(std::move(*csv), std::move(*sidecar));
  }

  Result<> start_upload() {
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
    info.timestamp = time_text(claimed_at_);
    info.timezone = tools_.feed.timezone;
    info.attach_csv = tools_.feed.attach_csv;
    info.year_guessed = report_.year_guessed;
    uploader::UploadOptions options;
    options.reprocess = job_.reprocess;
    options.may_create = *may_create;
    options.max_refused = tools_.feed.max_rejects.allowed(report_.result.counts.lines);
    upload_ = tools_.store.start(std::move(info), std::move(*rows), options);
    upload_->on_progress = [this](std::uint64_t acknowledged) { acknowledge(acknowledged); };
    return {};
  }

  Result<> upload() {
    if (!upload_) CARAVEL_TRY(start_upload());
    CARAVEL_TRY(tools_.ledger.acknowledge(job_.claim.id, acknowledged_, system_clock::now()));
    CARAVEL_TRY(upload_->run(tools_.stop));
    mark_store(StoreState::ok, "", std::nullopt);
    for (const std::string& text : upload_->notes()) note(text);
    step_ = Step::finish;
    return {};
  }

  void acknowledge(std::uint64_t rows) {
    ++progress_;
    if (acknowledged_ == 0 && rows > 0) {
      // From now on a missing database is a fault: see may_create().
      (void)tools_.ledger.first_row_stored(tools_.store_config.name,
                                           store_place(tools_.store_config), system_clock::now());
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

  Result<> finish() {
    const std::vector<uploader::RefusedRow>& refused = upload_->refused();
    if (!refused.empty() && !refused_added_) {
      // Of a prepared CSV the lines are elsewhere: only the reasons can be kept.
      auto added = job_.prepared
                       ? add_refused_reasons(refused, reject_paths())
                       : add_refused_rows(fd_.get(), job_.claim.name, report_.stamp.size,
                                          tools_.config.max_line, refused, reject_paths());
      if (!added) {
        // The files may hold a part of them: make all anew. The ids make that harmless.
        upload_.reset();
        step_ = job_.prepared ? Step::take_prepared : Step::format;
        return added;
      }
      refused_added_ = true;
      report_.has_lines = report_.has_lines || !job_.prepared;
      report_.has_reasons = true;
    }
    // A prepared CSV leaves what the extract's own files in rejects/ say alone.
    if (!job_.prepared || !refused.empty()) CARAVEL_TRY(publish_rejects());

    if (auto now = stamp_of_fd(fd_.get()); now && changed_since(report_.stamp, *now)) {
      note(job_.root != nullptr ? "changed while it was loaded: it is taken again as a new extract"
                                : "changed while it was loaded: load it again");
    }
    const uploader::UploadCounts& sent = upload_->counts();
    counts_.lines = report_.result.counts.lines;
    counts_.rows = report_.result.counts.rows;
    counts_.dropped = report_.result.counts.dropped;
    counts_.rejected = report_.result.counts.rejected + refused.size();
    counts_.stored = sent.stored;
    counts_.already_there = sent.already_there;
    counts_.differs = sent.differs;
    counts_.replaced = sent.replaced;
    CARAVEL_TRY(tools_.ledger.finish_done(job_.claim.id, counts_, fmt::format("{}", fmt::join(notes_, "; ")),
                                          system_clock::now()));
    step_ = Step::stale;
    return {};
  }

  Result<> publish_rejects() {
    const RejectFiles files{
        report_.has_lines ? reject_prefix_ + ".rejects" : std::string(),
        report_.has_cut ? reject_prefix_ + ".cut" : std::string(),
        report_.has_reasons ? reject_prefix_ + ".reasons" : std::string()};
    auto published =
        publish_reject_files(tools_.spool, job_.claim.name, report_.result.sha256, files);
    if (!published) return tl::unexpected(published.error());
    return {};
  }

  Result<> remove_stale() {
    if (job_.delete_stale) {
      auto removed = remove_stale_rows(tools_.store, tools_.ledger, tools_.feed.name,
                                       report_.result.sha256, sidecar_, csv_);
      if (!removed) return tl::unexpected(removed.error());
      note(fmt::format("stale rows: {} removed, {} kept because other extracts cover their time",
                       removed->removed, removed->kept.size()));
      for (const std::string& id : removed->kept) note(fmt::format("stale, kept: {}", id));
    }
    step_ = Step::put_away;
    return {};
  }

  Result<> archive_file() {
    if (tools_.feed.keep_csv.count() == 0) remove_csv();
    fd_.reset();
    if (job_.root != nullptr) {
      auto extract = tools_.ledger.find_claim(job_.claim.id);
      if (!extract) return tl::unexpected(extract.error());
      if (*extract) CARAVEL_TRY(put_away(tools_.spool, tools_.ledger, *job_.root, **extract));
    }
    step_ = Step::done;
    return {};
  }

  /// The file's own content is at fault: nothing of it is stored, and it is set aside whole.
  PipelineResult failed(const Error& error) {
    upload_.reset();
    fd_.reset();
    remove_temporaries();
    remove_csv();
    std::string why = error.message;
    if (job_.root != nullptr && why.ends_with("--year")) {
      why += fmt::format(": caravel process --feed {} --year YYYY {}", tools_.feed.name,
                         tools_.spool.absolute("failed/" + printable(job_.claim.name)));
    }
    counts_ = {};
    counts_.lines = counts_.failed = report_.result.counts.lines;
    const auto now = system_clock::now();
    auto put = [&]() -> Result<> {
      CARAVEL_TRY(tools_.ledger.finish_failed(job_.claim.id, why, counts_.failed, now));
      if (job_.root == nullptr) return {};
      auto extract = tools_.ledger.find_claim(job_.claim.id);
      if (!extract) return tl::unexpected(extract.error());
      return *extract ? put_away(tools_.spool, tools_.ledger, *job_.root, **extract) : Result<>();
    }();
    // If this cannot be written now, the next start finds the claim in work/ and tries again.
    if (!put) note(put.error().message);
    PipelineResult result = finished(Ending::failed, why);
    result.usage = error.kind == ErrorKind::usage || error.message.ends_with("--year");
    return result;
  }

  void report_wait(const Error& error, bool fault, milliseconds wait, Time now) {
    (void)tools_.ledger.set_waiting(job_.claim.id, error.message, now + wait, now);
    if (step_ == Step::upload) {
      mark_store(fault ? StoreState::fault : StoreState::waiting, error.message, now + wait);
    }
    if (tools_.observer.on_wait) tools_.observer.on_wait(error.message, wait);
  }

  void mark_store(StoreState state, const std::string& why, std::optional<Time> next_try) {
    if (state == StoreState::ok && marked_ == StoreState::ok) return;
    marked_ = state;
    (void)tools_.ledger.set_store_state(tools_.store_config.name,
                                        store_place(tools_.store_config), state, why, next_try,
                                        system_clock::now());
  }

  void note(const std::string& text) {
    notes_.push_back(text);
    if (tools_.observer.on_note) tools_.observer.on_note(text);
  }

  bool stopped_within(milliseconds wait) {
    pollfd stop{tools_.stop.fd(), POLLIN, 0};
    (void)::poll(&stop, 1, static_cast<int>(wait.count()));
    return tools_.stop.requested();
  }

  PipelineResult finished(Ending ending, std::string message) {
    return {ending, counts_, std::move(message), format_name_, false};
  }

  [[nodiscard]] std::string temporary(std::string_view folder, std::string_view ending) const {
    return fmt::format("{}/{}/{}{}", tools_.spool.path(), folder, reject_prefix_, ending);
  }
  [[nodiscard]] formatter::Rejects::Paths reject_paths() const {
    return {temporary("rejects", ".rejects"), temporary("rejects", ".reasons"),
            temporary("rejects", ".cut")};
  }
  void remove_csv() const {
    if (job_.prepared) return;  // a person's
    ::unlink(csv_.c_str());
    ::unlink(sidecar_.c_str());
  }
  void remove_temporaries() const {
    for (const char* ending : {".csv", ".sidecar"}) ::unlink(temporary("csv", ending).c_str());
    for (const char* ending : {".rejects", ".reasons", ".cut"}) {
      ::unlink(temporary("rejects", ending).c_str());
    }
  }

  PipelineTools& tools_;
  const ExtractJob& job_;
  const Time claimed_at_;
  const std::string csv_;
  const std::string sidecar_;
  const std::string reject_prefix_;
  Step step_ = Step::open;
  std::uint64_t progress_ = 0;
  std::string format_name_;
  UniqueFd fd_;
  bool gone_ = false;
  FormatReport report_;
  std::unique_ptr<uploader::Upload> upload_;
  bool refused_added_ = false;
  std::uint64_t acknowledged_ = 0;
  std::chrono::steady_clock::time_point reported_{};
  std::optional<StoreState> marked_;
  LineCounts counts_;
  std::vector<std::string> notes_;
  std::mt19937_64 random_{std::random_device{}()};
};

PipelineResult Pipeline::run(const ExtractJob& job) { return Attempt(tools_, job).run(); }

Result<> put_away(const Spool& spool, Ledger& ledger, const ClaimRoot& root,
                  const Extract& extract) {
  const Claim claim{extract.claim, extract.name};
  Result<std::optional<std::string>> path;
  if (extract.state == State::done) {
    const auto day = utc_day(extract.done_at.value_or(extract.since));
    path = archive(spool, root, claim, extract.sha256, day);
    if (path && !*path) {
      FileStamp stamp;
      stamp.size = extract.size;
      stamp.mtime_ns = extract.mtime_ns;
      path = find_archived(spool, extract.name, extract.sha256, day, stamp);
    }
  } else {
    path = set_aside(spool, root, claim, extract.sha256, extract.why);
  }
  if (!path) return tl::unexpected(path.error());
  if (!*path) return {};
  return ledger.set_done_path(extract.claim, spool.absolute(**path));
}

}  // namespace caravel::watcher
