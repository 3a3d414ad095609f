// The steps of one extract, in the order that survives a crash. Internal to the pipeline.
//
// Before them the intake commits the claim to the ledger and renames the file into work/; neither
// waits for the disk. Then, with what a crash right behind each step leaves behind:
//
//   step           what it does                        after a crash there are
//   -------------  ----------------------------------  --------------------------------------------
//   open           opens the content; with `privacy`,  the claim and its whole file in work/,
//                  its anonymous copy takes its        or (with `privacy`) the copy instead, and
//                  place                               perhaps a temporary beside the claim
//   format         CSV and sidecar in csv/ (or, where  these too, perhaps in part, and temporaries
//                  they are few and nobody keeps       ".tmp-<claim id>" in csv/ and rejects/
//                  them, in memory), reject files
//                  as temporaries
//   record         commits "formatted"                 the same
//   read_prepared  (a CSV with its sidecar instead)    nothing of ours: the files are a person's
//   upload         rows, then the feed document        some or all rows in the store
//   keep_rejects   reject files get their names        all of that, and NAME.rejects in rejects/
//   finish         commits "done" with its counts      a done extract whose file is in work/ still
//   remove_stale   (--delete-stale) in the store       stale rows, until --delete-stale runs again
//   archive        file to done/, path to the ledger   nothing to do; or, in the middle of it, a
//                                                      file in done/ whose path the ledger lacks
//   refuse         commits "failed", file to failed/   as after finish, or after archive
//
// A loss of power takes back, beside that, what no sync came after: make_durable() says when there
// is one. Rows of a small extract may leave before it, because a crash finds all of it again, in
// drop/ or in work/, and makes the same rows of it. docs/ledger.md has each case.
//
// Who takes it up: the intake, when `watch` or `sweep` starts again.
//
//   Up to the commit of "done" or "failed" the extract counts as unfinished (Extracts::unfinished),
//   and everything is done once more, from the file in work/ on. That does no harm: files of the
//   same claim have the same names and are written anew; the ids of rows come from their content,
//   so that the store keeps one of each; and reject files say whose they are.
//
//   From that commit on the file only has to be put away (Extracts::not_archived, put_away()).
//
// So the commit comes behind the last row and the feed document, or a crash would lose rows; and it
// comes before the file leaves work/, or a crash would leave an unfinished extract without a file.
// A person's file stays where it is: whoever was interrupted runs the command again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "watcher/ledger/extract.h"
#include "watcher/pipeline/extract_files.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/formatting.h"
#include "watcher/pipeline/obstacle.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/pipeline/uploading.h"

namespace caravel::watcher {

/// In the order in which they are taken: all before `finish` may still lead to `refuse`.
enum class Step {
  open,
  format,
  read_prepared,
  record,
  upload,
  keep_rejects,
  finish,
  remove_stale,
  archive,
  refuse,
  end,
};

/// Keeps the order of the steps and what is known between them; what a step does is in
/// formatting.h, uploading.h, keep_rejects.h, stale_rows.h and ending.h. Each step is done once: an
/// outage in the middle of one repeats that step only. Only files that have vanished meanwhile are
/// made once more, and what the store has answered for is not sent again for it.
class Attempt {
 public:
  /// Both must outlive it.
  Attempt(const PipelineTools& tools, const ExtractJob& job);

  /// Goes on until the extract is done or failed, or `until` (or a later step) is the next one.
  /// After an obstacle: call again, and it goes on.
  [[nodiscard]] StepResult<> go_on(Step until = Step::end);
  [[nodiscard]] Step next_step() const { return step_; }
  [[nodiscard]] const ExtractJob& job() const { return job_; }
  /// Somebody else has synced the file and its claim.
  void is_durable() { durability_.is_made(); }
  /// Whether the ledger's "formatted" must be on the disk before rows leave.
  [[nodiscard]] bool must_be_recorded() const { return !can_be_found_again(tools_, job_, report_); }
  /// What the step `archive` is to do, for somebody who does it for several. Closes the file.
  struct ToArchive {
    std::string sha256;
    Time done_at;
  };
  [[nodiscard]] ToArchive hand_to_archive();

  /// Grows with every new step and whenever the store acknowledges rows. What is done again is no
  /// progress: a step that fails behind it must not look like the beginning of another outage.
  [[nodiscard]] std::uint64_t progress() const {
    return static_cast<std::uint64_t>(furthest_) + uploading_.furthest();
  }
  /// Whether a later try need not begin with the file.
  [[nodiscard]] bool is_worth_keeping() const {
    const bool formatted = step_ > Step::record && step_ < Step::refuse;
    return (formatted && !files_.holds_rows()) || uploading_.answer() != nullptr;
  }
  /// Gives back what must not be held while others pass: descriptors, batches. go_on() gets them
  /// again.
  void rest();
  /// How many rows the store has refused of what it has answered for.
  [[nodiscard]] std::size_t refused_rows() const {
    return uploading_.answer() != nullptr ? uploading_.answer()->refused.size() : 0;
  }
  [[nodiscard]] PipelineResult result(Ending ending, std::string message) const;
  /// The ending once go_on() has succeeded.
  [[nodiscard]] PipelineResult result() const;

  /// Notes in the ledger, and tells the observer, that it waits.
  void report_wait(const Obstacle& obstacle, std::chrono::milliseconds wait, Time now);

 private:
  /// Each does its step and says which comes next.
  StepResult<Step> take(Step step);
  StepResult<Step> open();
  StepResult<Step> format();
  StepResult<Step> read_prepared();
  StepResult<Step> record();
  StepResult<Step> upload();
  StepResult<Step> keep_rejects();
  StepResult<Step> finish();
  StepResult<Step> remove_stale();
  StepResult<Step> archive();
  StepResult<Step> refuse();

  [[nodiscard]] Step first_of_rows() const {
    return job_.prepared ? Step::read_prepared : Step::format;
  }
  /// Gets the file again that rest() has closed.
  StepResult<> reopen();
  [[nodiscard]] Result<> make_durable() { return durability_.make(job_, fd_.get()); }
  /// Puts the file where it stays. A failure is no obstacle: what counts is committed.
  Step put_away();
  /// From a report on to the ledger, or to the refusal that it asks for.
  Step take_report(FormatReport report);
  void note(const std::string& text);

  const PipelineTools& tools_;
  const ExtractJob& job_;
  ExtractFiles files_;
  Step step_ = Step::open;
  Step furthest_ = Step::open;
  UniqueFd fd_;
  Durability durability_;
  bool formatted_before_ = false;
  FormatReport report_;
  bool same_as_before_ = false;  // formatted again, and the store has answered for these rows
  RejectSizes reject_sizes_;     // of what formatting left
  Uploading uploading_;
  std::optional<std::string> refusal_;  // why the file is set aside
  LineCounts counts_;
  Time done_at_;
  std::string left_in_work_;
  std::vector<std::string> notes_;
};

}  // namespace caravel::watcher
