// What comes before everything else for a feed whose format has `privacy`: from here on nobody
// reads the original. Internal to the pipeline.
//
//   work/<claim id>/NAME          the original; whole, and no writer has it open
//     │  anonymised()
//     ▼  .tmp-<claim id>          the anonymous copy, beside the claim's directory; synced
//        the ledger               what the original's manifest says, said of the copy
//        rename                   over work/<claim id>/NAME; both directories synced
//
// A crash before the rename leaves the original and perhaps a temporary; one behind it the copy.
// The next start cannot tell which of the two lies there, and need not: the copy of the copy is the
// copy (formatter/privacy/line_anonymiser.h). Never are there both under names that anybody
// archives.
//
// A person's file is not touched: its copy has no name.
#pragma once

#include "base/unique_fd.h"
#include "formatter/formats/format.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/obstacle.h"

namespace caravel::watcher {

/// The format that the lines of a feed must be made anonymous by; null if there is none. Errors
/// (kind usage) if a person names a format that would show what the feed's hides.
[[nodiscard]] Result<const formatter::Format*> private_format(const FeedConfig& feed,
                                                              const formatter::FormatSet& formats,
                                                              const ByHand& by_hand);

/// The anonymous copy in the place of what `fd` has open; `fd` itself if the format has no privacy.
/// Ends as mismatched if another transfer may bring what its manifest announces. Errors of kind
/// content: the file is refused, and the copy has taken its place already.
[[nodiscard]] StepResult<UniqueFd> anonymised(const PipelineTools& tools, const ExtractJob& job,
                                              UniqueFd fd);

}  // namespace caravel::watcher
