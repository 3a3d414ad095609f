#include "watcher/pipeline/attempt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/sources.h"
#include "watcher/sources/sequence.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {
namespace {

using std::chrono::system_clock;

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
    CARAVEL_ASSIGN_OR_RETURN(auto look, look_at(*job_.root, job_.claim));
    if (look.state != ClaimState::regular) {
      const bool gone = look.state == ClaimState::gone;
      file_trouble_ = gone ? Ending::vanished : Ending::not_ready;
      return fail(ErrorKind::retry, gone ? std::string("the file is gone") : look.reason);
    }
    fd_ = std::move(look.fd);
    // Power loss is covered from here on: before this, the sender's copy counts.
    CARAVEL_TRY(sync_content(fd_.get()));
  } else {
    CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(job_.path, O_RDONLY | O_NONBLOCK));
    fd_ = std::move(fd);
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
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of_fd(fd_.get()));
  report_.stamp = stamp;
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
  FormatOrder order{tools_.config, tools_.feed, tools_.formats, job_.by_hand, job_.claim.name};
  if (tools_.feed.manifest != ManifestRule::ignore && job_.origin == Origin::process) {
    if (job_.beside) order.manifests.push_back(*job_.beside);
  } else if (tools_.feed.manifest != ManifestRule::ignore) {
    CARAVEL_ASSIGN_OR_RETURN(auto manifests,
                             tools_.ledger.manifests().for_name(tools_.feed.name, job_.claim.name));
    order.manifests = std::move(manifests);
  }
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
  CARAVEL_TRY(check_manifest(order.manifests));
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

/// What is not what its manifest says is a broken transfer: a good one may follow.
Result<> Attempt::check_manifest(const std::vector<Manifest>& manifests) {
  std::string why;
  if (report_.mismatch) {
    why = fmt::format(
        "its content is not what its manifest says ({} bytes, SHA-256 {}; the manifest has {} "
        "bytes, {}): a broken transfer",
        report_.stamp.size, report_.result.sha256, manifests.front().bytes,
        manifests.front().sha256);
  } else if (job_.origin == Origin::drop && !report_.manifest && manifests.empty() &&
             tools_.feed.manifest == ManifestRule::required) {
    why = why_without_manifest(tools_.spool.path(), job_.claim.name) + " (manifest: required)";
  } else {
    return {};
  }
  if (job_.last_chance) return fail(ErrorKind::content, why);
  remove_temporaries();
  file_trouble_ = Ending::mismatched;
  return fail(ErrorKind::retry, why);
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
  CARAVEL_TRY(tools_.ledger.extracts().formatted(job_.claim.id, formatted, system_clock::now()));
  step_ = Step::upload;
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
  CARAVEL_TRY(note_sequence(State::done));
  CARAVEL_TRY(tools_.ledger.extracts().finish_done(
      job_.claim.id, counts_, fmt::format("{}", fmt::join(notes_, "; ")), system_clock::now()));
  step_ = Step::remove_stale;
  return {};
}

/// Before the commit of `end`: done again after a crash in between, it changes nothing.
Result<> Attempt::note_sequence(State end) {
  const auto place = sequence_of(tools_.feed.name, job_.claim.name, report_.manifest);
  if (job_.prepared || !place) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto extract, tools_.ledger.extracts().find_claim(job_.claim.id));
  std::optional<Time> came;
  if (extract && job_.origin != Origin::process) came = extract->claimed_at;
  CARAVEL_ASSIGN_OR_RETURN(auto arrival,
                           tools_.ledger.sources().arrived(
                               place->run, place->sequence, end, came, system_clock::now(),
                               [&] { return numbers_in(tools_.feed.drop, place->run.run); }));
  for (const std::string& text : describe(*place, arrival)) {
    if (tools_.observer.on_note) tools_.observer.on_note(text);
  }
  return {};
}

Result<> Attempt::put_file_away() {
  fd_.reset();
  if (job_.root == nullptr) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto extract, tools_.ledger.extracts().find_claim(job_.claim.id));
  return extract ? put_away(tools_.spool, tools_.ledger, *job_.root, *extract) : Result<>();
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
  CARAVEL_ASSIGN_OR_RETURN(auto extract, tools_.ledger.extracts().find_claim(job_.claim.id));
  if (extract && extract->state != State::failed) {
    // A broken transfer, or one that cannot be unpacked, is not what has that number.
    const std::string& sha256 = report_.result.sha256;
    if (!sha256.empty() && !report_.mismatch) CARAVEL_TRY(note_sequence(State::failed));
    CARAVEL_TRY(tools_.ledger.extracts().finish_failed(job_.claim.id, *refusal_, counts_.failed,
                                                       system_clock::now(), sha256));
  }
  CARAVEL_TRY(put_file_away());
  step_ = Step::end;
  return {};
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
