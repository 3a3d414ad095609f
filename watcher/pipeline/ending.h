// The last part of an extract's way: the commit that it is done or failed, and its file put where
// it stays. Internal to the pipeline.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/ledger/extract.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/pipeline.h"
#include "watcher/pipeline/uploading.h"

namespace caravel::watcher {

/// Where the lines of an extract went that formatting and the store are through with.
[[nodiscard]] LineCounts counts_of(const FormatReport& report, const StoreAnswer& answer);
/// Of one that is refused whole: all lines that were counted have failed.
[[nodiscard]] LineCounts counts_of_refused(const FormatReport& report);

/// How an extract became done.
struct DoneExtract {
  const LineCounts& counts;
  const std::vector<std::string>& notes;  // what a person should know of it
  const BatchSums& batches;               // that its store took
  Time at;
};

/// Commits "done". The ledger refuses it (kind fault) unless every line is accounted for.
[[nodiscard]] Result<> commit_done(const PipelineTools& tools, const ExtractJob& job,
                                   const FormatReport& report, const DoneExtract& done);

/// Commits "failed" because of `why`, unless it is committed already.
[[nodiscard]] Result<> commit_failed(const PipelineTools& tools, const ExtractJob& job,
                                     const FormatReport& report, const std::string& why);

/// A claim's file goes to done/ or failed/, as the ledger says of it; a person's file stays. Close
/// it first.
[[nodiscard]] Result<> put_file_away(const PipelineTools& tools, const ExtractJob& job);

}  // namespace caravel::watcher
