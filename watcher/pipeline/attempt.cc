#include "watcher/pipeline/attempt.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "watcher/ledger/extracts.h"
#include "watcher/pipeline/anonymising.h"
#include "watcher/pipeline/ending.h"
#include "watcher/pipeline/formatting.h"
#include "watcher/pipeline/keep_rejects.h"
#include "watcher/pipeline/stale_rows.h"

namespace caravel::watcher {
namespace {

/// What a person should know if rejects are in the original alone.
std::string kept_by_place(std::uint64_t rejects, bool claimed) {
  return fmt::format(
      "{} rejects are kept by their place only, since they take more than max_reject_bytes: {}",
      rejects,
      claimed ? "the original stays in done/ as long as its files in rejects/"
              : "keep the file as long as its files in rejects/");
}

}  // namespace

Attempt::Attempt(const PipelineTools& tools, const ExtractJob& job)
    : tools_(tools), job_(job), files_(tools.service.spool, job), uploading_(tools, job) {}

StepResult<> Attempt::go_on(Step until) {
  CARAVEL_TRY_STEP(reopen());
  while (step_ < until) {
    if (tools_.service.stop.requested()) return fail(ErrorKind::stopped, "stopped");
    StepResult<Step> next = take(step_);
    // Once "done" is committed the extract cannot fail any more, whatever is wrong with it.
    const bool may_be_refused = step_ < Step::finish;
    if (!next && next.error().error.kind == ErrorKind::content && may_be_refused) {
      refusal_ = next.error().error.message;
      next = Step::refuse;
    }
    if (!next) {
      // The wait may be a long one, and the sender may delete its copy meanwhile. Should this fail,
      // it is tried again before the extract is done.
      if (fd_) (void)make_durable();
      return tl::unexpected(std::move(next).error());
    }
    step_ = *next;
    furthest_ = std::max(furthest_, step_);
  }
  return {};
}

/// The order of the steps. What a crash between two of them leaves behind, and who takes it up, is
/// the table at the head of attempt.h. An error of kind content leads to `refuse` from anywhere
/// before `finish`.
StepResult<Step> Attempt::take(Step step) {
  switch (step) {
    case Step::open:
      return open();  // -> format or read_prepared
    case Step::format:
      return format();  // -> record or refuse
    case Step::read_prepared:
      return read_prepared();  // -> record or refuse
    case Step::record:
      return record();  // -> upload, or keep_rejects
    case Step::upload:
      return upload();  // -> keep_rejects
    case Step::keep_rejects:
      return keep_rejects();  // -> finish
    case Step::finish:
      return finish();  // -> remove_stale
    case Step::remove_stale:
      return remove_stale();  // -> archive
    case Step::archive:
      return archive();  // -> end
    case Step::refuse:
      return refuse();  // -> end
    case Step::end:
      break;
  }
  return Step::end;
}

/// Done once: the descriptor stays open through all outages, so that every step reads the same file
/// whatever happens to its name.
StepResult<Step> Attempt::open() {
  if (tools_.feed.keep_csv.count() == 0 && !tools_.feed.attach_csv && !job_.prepared) {
    files_.hold_rows();
  }
  auto fd = open_extract(job_);
  if (!fd) return tl::unexpected(std::move(fd).error());
  fd_ = *std::move(fd);
  if (comes_durable_first(tools_, job_, fd_.get())) CARAVEL_TRY(make_durable());
  fd = std::move(fd_);
  // From here on there is no original any more, whatever becomes of the extract.
  fd = anonymised(tools_, job_, *std::move(fd));
  if (!fd) return tl::unexpected(std::move(fd).error());
  fd_ = *std::move(fd);
  return first_of_rows();
}

void Attempt::rest() {
  // An upload that is not through holds its CSV and batches of up to `batch_bytes`. Its rows are
  // sent again; those of one that is through are not.
  if (uploading_.started()) uploading_.start_over();
  fd_.reset();
  if (!files_.holds_rows()) return;
  files_.forget_rows();
  if (step_ > Step::format && step_ < Step::finish) step_ = Step::format;
}

StepResult<> Attempt::reopen() {
  const bool needs_file = step_ > Step::open && step_ <= Step::finish;
  if (fd_ || !needs_file) return {};
  auto fd = open_extract(job_);
  if (!fd) return tl::unexpected(std::move(fd).error());
  // A claim is its own copy by now; that of a person's file has gone with its descriptor.
  if (job_.root == nullptr) fd = anonymised(tools_, job_, *std::move(fd));
  if (!fd) return tl::unexpected(std::move(fd).error());
  fd_ = *std::move(fd);
  return {};
}

/// A crash in here leaves temporaries, or files in csv/ that no ledger row speaks of yet. The next
/// start writes all of them anew, under the same names.
StepResult<Step> Attempt::format() {
  const bool clean = !job_.is_new || std::exchange(formatted_before_, true);
  auto report = format_extract(tools_, job_, files_, fd_.get(), clean);
  if (!report) return tl::unexpected(std::move(report).error());
  return take_report(*std::move(report));
}

StepResult<Step> Attempt::read_prepared() {
  CARAVEL_ASSIGN_OR_RETURN(auto report, watcher::read_prepared(files_, fd_.get()));
  return take_report(std::move(report));
}

Step Attempt::take_report(FormatReport report) {
  const FormatReport before = std::exchange(report_, std::move(report));
  if (report_.refusal) {
    refusal_ = report_.refusal;
    return Step::refuse;
  }
  // Formatted once more, because files of it had vanished. The same content gives the same rows,
  // and the store has answered for these.
  same_as_before_ = report_.result.sha256 == before.result.sha256 &&
                    report_.result.counts.rows == before.result.counts.rows;
  if (report_.year_guessed) {
    note(fmt::format("the year was guessed from the mtime ({}): year: guess",
                     report_.time.time_used));
  }
  const bool any_rejects = report_.has_lines || report_.has_cut || report_.has_reasons;
  reject_sizes_ = any_rejects ? files_.reject_sizes() : RejectSizes{};
  return Step::record;
}

/// "Formatted" is committed before the first row is sent: with it the ledger remembers which time
/// the years were taken from, and after a crash the same rows get the same years, and so the same
/// ids. The disk has it before that too, unless a crash finds out the same again.
StepResult<Step> Attempt::record() {
  // In a group, some time has gone by since its manifest was asked for.
  if (tools_.ledger.is_in_group()) CARAVEL_TRY(check_manifest(tools_, report_));
  const bool later = !durability_ && can_be_found_again(tools_, job_, report_);
  if (!later) CARAVEL_TRY(make_durable());
  CARAVEL_TRY(commit_formatted(tools_, job_, report_, later ? Commit::unsynced : Commit::synced));
  if (uploading_.answer() != nullptr && same_as_before_) return Step::keep_rejects;
  uploading_.start_over();
  return Step::upload;
}

/// A crash in here leaves any number of rows in the store, and perhaps the feed document behind
/// them. The next start sends all of them again, and the store finds by the ids what it has.
StepResult<Step> Attempt::upload() {
  if (!uploading_.started()) {
    auto rows = files_.open_rows();
    if (!rows) {
      // The CSV or its sidecar is gone or damaged (somebody has tidied csv/, say): the next try
      // makes both again.
      if (!job_.prepared) step_ = Step::format;
      return tl::unexpected(std::move(rows).error());
    }
    CARAVEL_TRY(uploading_.start(*std::move(rows), report_));
  }
  StepResult<> ran = uploading_.run();
  // After an error too: what the store did to a table of its own, say, it does not do again.
  for (const std::string& text : uploading_.notes()) note(text);
  CARAVEL_TRY_STEP(std::move(ran));
  return Step::keep_rejects;
}

/// Behind the upload, which says what the store refused; before "done", so that a done extract has
/// its rejected lines in rejects/ whenever the power fails.
StepResult<Step> Attempt::keep_rejects() {
  // An earlier try may have added some lines, and given some of the files their names.
  const bool may_be_more = reject_sizes_ != RejectSizes{} || !uploading_.answer()->refused.empty();
  if (!job_.prepared && may_be_more && !files_.restore_rejects(reject_sizes_)) {
    step_ = first_of_rows();
    return tl::unexpected(system_error("rejects: a temporary file is gone", ENOENT));
  }
  auto kept =
      watcher::keep_rejects(tools_, job_, files_, fd_.get(), report_, uploading_.answer()->refused);
  if (!kept) {
    if (!job_.prepared && !files_.restore_rejects(reject_sizes_)) step_ = first_of_rows();
    return tl::unexpected(std::move(kept).error());
  }
  if (*kept > 0) note(kept_by_place(*kept, job_.root != nullptr));
  return Step::finish;
}

/// The commit that everything hangs on: a crash before it repeats the extract, one after it never
/// sends a row of it again.
StepResult<Step> Attempt::finish() {
  if (auto now = stamp_of_fd(fd_.get()); now && changed_since(report_.stamp, *now)) {
    note(job_.root != nullptr ? "changed while it was loaded: it is taken again as a new extract"
                              : "changed while it was loaded: load it again");
  }
  CARAVEL_TRY(make_durable());
  counts_ = counts_of(report_, *uploading_.answer());
  done_at_ = std::chrono::system_clock::now();
  auto done = commit_done(tools_, job_, report_, {counts_, notes_, uploading_.batches(), done_at_});
  if (!done) {
    // A store whose answers do not add up is asked once more, for all rows.
    if (!check_line_counts(counts_of(report_, {}), counts_)) {
      uploading_.start_over();
      step_ = Step::upload;
    }
    return tl::unexpected(std::move(done).error());
  }
  return Step::remove_stale;
}

/// Last of what touches the store: what replaces the removed rows is stored and committed by then.
StepResult<Step> Attempt::remove_stale() {
  if (!job_.delete_stale) return Step::archive;
  const formatter::FormatResult& formatted = report_.result;
  StaleSearch search{tools_.feed.name, formatted.sha256, formatted.unpacked_sha256};
  search.by_position =
      formatted.format == nullptr || formatted.format->identity == formatter::Identity::position;
  search.manifests_ignored = tools_.feed.manifest == ManifestRule::ignore;
  CARAVEL_ASSIGN_OR_RETURN(auto rows, files_.open_rows());
  auto stale = remove_stale_rows(tools_.store, tools_.ledger, search, std::move(rows));
  if (!stale) return tl::unexpected(Obstacle::of_store(std::move(stale).error()));
  note(fmt::format("stale rows: {} removed, {} kept", stale->removed, stale->kept.size()) +
       (stale->kept.empty() ? "" : " because " + stale->why_kept));
  for (const std::string& id : stale->kept) note(fmt::format("stale, kept: {}", id));
  return Step::archive;
}

/// A crash in here leaves the file in work/, or in done/ under one of the names it can have there:
/// the next start looks for both.
StepResult<Step> Attempt::archive() {
  if (tools_.feed.keep_csv.count() == 0) files_.remove_csv();
  return put_away();
}

Attempt::ToArchive Attempt::hand_to_archive() {
  if (tools_.feed.keep_csv.count() == 0) files_.remove_csv();
  fd_.reset();
  step_ = Step::end;
  return {report_.result.sha256, done_at_};
}

Step Attempt::put_away() {
  fd_.reset();
  if (auto put = put_file_away(tools_, job_); !put) left_in_work_ = std::move(put).error().message;
  return Step::end;
}

/// A crash before the commit repeats the extract, which fails again for the same reason; one after
/// it leaves a failed extract in work/, which the next start sets aside.
StepResult<Step> Attempt::refuse() {
  uploading_.start_over();  // closes the CSV
  files_.remove_temporaries();
  files_.remove_csv();
  counts_ = counts_of_refused(report_);
  // failed/ is the only place that will have its lines.
  if (fd_) CARAVEL_TRY(make_durable());
  CARAVEL_TRY(commit_failed(tools_, job_, report_, *refusal_));
  return put_away();
}

PipelineResult Attempt::result(Ending ending, std::string message) const {
  PipelineResult result;
  result.ending = ending;
  result.counts = counts_;
  result.message = std::move(message);
  result.format = report_.format_name;
  result.wants_year = report_.year_unknown;
  result.left_in_work = left_in_work_;
  return result;
}

PipelineResult Attempt::result() const {
  return refusal_ ? result(Ending::failed, *refusal_) : result(Ending::done, "");
}

void Attempt::report_wait(const Obstacle& obstacle, std::chrono::milliseconds wait, Time now) {
  const Error& error = obstacle.error;
  // The commit of the ending may be what fails, so this may fail as well: the observer still hears.
  (void)tools_.ledger.extracts().set_waiting(job_.claim.id, error.message, now + wait, now);
  if (obstacle.store) uploading_.store_is_down(error, now + wait);
  if (tools_.observer.on_wait) tools_.observer.on_wait(error.message, wait);
}

void Attempt::note(const std::string& text) {
  // A step that is repeated finds the same again.
  if (std::ranges::find(notes_, text) != notes_.end()) return;
  notes_.push_back(text);
  if (tools_.observer.on_note) tools_.observer.on_note(text);
}

}  // namespace caravel::watcher
