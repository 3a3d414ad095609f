#include "watcher/pipeline/ending.h"

#include <fmt/format.h>

#include "watcher/ledger/extracts.h"
#include "watcher/ledger/sources.h"
#include "watcher/ledger/stores.h"
#include "watcher/sources/sequence.h"
#include "watcher/spool/archive.h"

namespace caravel::watcher {
namespace {

using std::chrono::system_clock;

/// The number of the extract counts as arrived; a gap that this opens or closes is told. Its own
/// commit, before the one of `end`: a crash in between repeats it, which changes nothing, while a
/// crash between them the other way round would leave a gap for ever.
Result<> note_arrival(const PipelineTools& tools, const ExtractJob& job, const FormatReport& report,
                      State end) {
  const auto place = sequence_of(tools.feed.name, job.claim.name, report.manifest);
  if (job.prepared || !place) return {};
  CARAVEL_ASSIGN_OR_RETURN(auto extract, tools.ledger.extracts().find_claim(job.claim.id));
  std::optional<Time> came;
  // What a person loads says nothing of when the host was alive.
  if (extract && job.origin != Origin::process) came = extract->claimed_at;
  CARAVEL_ASSIGN_OR_RETURN(
      auto arrival,
      tools.ledger.sources().arrived(place->run, place->sequence, end, came, system_clock::now(),
                                     [&] { return numbers_in(tools.feed.drop, place->run.run); }));
  for (const std::string& text : describe(*place, arrival)) {
    if (tools.observer.on_note) tools.observer.on_note(text);
  }
  return {};
}

}  // namespace

LineCounts counts_of(const FormatReport& report, const StoreAnswer& answer) {
  const formatter::Counts& formatted = report.result.counts;
  const uploader::UploadCounts& sent = answer.counts;
  LineCounts counts;
  counts.lines = formatted.lines;
  counts.rows = formatted.rows;
  counts.dropped = formatted.dropped;
  // By the format, and by the store for a row's content: both have their lines in rejects/.
  counts.rejected = formatted.rejected + uploader::lines_of(answer.refused);
  // Lines, not rows: so that the sum tells of each line what became of it.
  counts.stored = sent.stored + sent.more_lines_stored;
  counts.already_there = sent.already_there + sent.more_lines_already_there;
  counts.differs = sent.differs;
  counts.replaced = sent.replaced;
  return counts;
}

LineCounts counts_of_refused(const FormatReport& report) {
  LineCounts counts;
  counts.lines = counts.failed = report.result.counts.lines;
  return counts;
}

Result<> commit_done(const PipelineTools& tools, const ExtractJob& job, const FormatReport& report,
                     const DoneExtract& done) {
  CARAVEL_TRY(note_arrival(tools, job, report, State::done));
  // One commit, and one wait for the disk, for both.
  return tools.ledger.in_group(true, [&]() -> Result<> {
    CARAVEL_TRY(tools.ledger.extracts().finish_done(
        job.claim.id, done.counts, fmt::format("{}", fmt::join(done.notes, "; ")), done.at));
    return tools.ledger.stores().add_batches(tools.feed.name, tools.feed.store, done.batches);
  });
}

Result<> commit_failed(const PipelineTools& tools, const ExtractJob& job,
                       const FormatReport& report, const std::string& why) {
  CARAVEL_ASSIGN_OR_RETURN(auto extract, tools.ledger.extracts().find_claim(job.claim.id));
  if (!extract || extract->state == State::failed) return {};
  // Content that is broken, or that could not be read to its end, is not the extract with that
  // number: the number is still missing.
  const std::string& sha256 = report.result.sha256;
  if (!sha256.empty() && !report.mismatch) {
    CARAVEL_TRY(note_arrival(tools, job, report, State::failed));
  }
  return tools.ledger.extracts().finish_failed(job.claim.id, why, counts_of_refused(report).failed,
                                               system_clock::now(), sha256);
}

Result<> put_file_away(const PipelineTools& tools, const ExtractJob& job) {
  if (job.root == nullptr) return {};
  // Read back what was committed: a restart has nothing else to go by either, and takes the same
  // way.
  CARAVEL_ASSIGN_OR_RETURN(auto extract, tools.ledger.extracts().find_claim(job.claim.id));
  return extract ? put_away(tools.service.spool, tools.ledger, *job.root, *extract) : Result<>();
}

}  // namespace caravel::watcher
