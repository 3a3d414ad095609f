// Loading files that a person names: what process and upload share.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "watcher/commands/command.h"
#include "watcher/commands/setup.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/extract.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/terminal/progress.h"

namespace caravel::watcher {

/// What became of several files, for the summary and the exit code.
class Totals {
 public:
  void add(const PipelineResult& result);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] int exit_code() const;

 private:
  LineCounts counts_;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t not_loaded_ = 0;  // no fault of the file
  bool usage_ = false;
};

/// The manifest PATH.manifest, if there is a whole one.
[[nodiscard]] std::optional<Manifest> manifest_beside(const std::string& path);

/// How long a person is kept waiting for a store that refuses us: only a person can mend that.
inline constexpr std::chrono::seconds kByHandPatience{60};

/// The option of process and upload that bounds the wait for a store that is down.
[[nodiscard]] inline Option wait_option() {
  return value("wait=TIME",
               "give up after a store was down for so long (10m); else wait until it is back");
}

/// Shows on `progress`, which must outlive it, what becomes of the extract `name`.
[[nodiscard]] PipelineObserver show_on(Progress& progress, const std::string& name);

/// Enters one file in the ledger and takes it through the pipeline. Errors: the ledger cannot be
/// written.
[[nodiscard]] Result<PipelineResult> load_file(const PipelineTools& tools, ExtractJob job,
                                               Time now);

/// "281 lines: 251 stored, …", or why it is not done.
[[nodiscard]] std::string what_became_of_it(const PipelineResult& result);

/// `process --verify`: asks the store for the rows of `files`, or of what the ledger knows as done,
/// and loads again what lacks any (with --dry-run: only says so). Returns the exit code.
[[nodiscard]] Result<int> verify_by_hand(const CommandCall& call, const Settings& settings,
                                         const std::vector<std::string>& files,
                                         const ByHand& by_hand);

/// Takes each file through a pipeline, with progress, a line each and a summary on stderr.
/// `prepare` completes the job of a path. Returns the exit code.
int load_by_hand(const CommandCall& call, const Settings& settings, const FeedConfig& feed,
                 const std::vector<std::string>& files,
                 const std::function<void(const std::string& path, ExtractJob& job)>& prepare);

}  // namespace caravel::watcher
