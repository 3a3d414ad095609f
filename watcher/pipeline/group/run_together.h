// Many small extracts that wait anyway, taken through the pipeline together: what waits for the
// disk is done once for all of them, and not once for each.
//
//   each:  open → format                        (attempt.h has the steps)
//   once:  syncfs                               files and claims are durable
//   once:  a transaction of the ledger          each: record
//   once:  a transaction of the store           each: upload
//   each:  keep_rejects
//   once:  a transaction of the ledger          each: finish
//   once:  renames to done/, a sync             each: archive
//
// The order for each extract is that of an extract alone, and so is what a crash leaves of it. A
// transaction that is not committed never was: then all extracts of the group stand where they
// stood before it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "watcher/pipeline/extract_job.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// No group is larger: so many extracts, or bytes of them. Others wait for its turn to end.
inline constexpr std::size_t kMostTogether = 200;
inline constexpr std::uint64_t kMostBytesTogether = std::uint64_t{2} << 20;
/// An extract with more bytes is taken alone.
inline constexpr std::uint64_t kMostBytesOfOne = std::uint64_t{64} << 10;

/// Takes all of `jobs`, which are new ones of one feed and root, as far as that goes together.
/// `results` gets the result of each that is through, done or not; whoever has none has met an
/// obstacle, or is refused, or the store takes no groups: run_pipeline() takes it from its file on.
/// `results` is right whatever is thrown.
void run_together(const PipelineTools& tools, const std::vector<ExtractJob>& jobs,
                  std::vector<std::optional<PipelineResult>>& results);

}  // namespace caravel::watcher
