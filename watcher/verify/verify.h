// Does the store still have what it acknowledged? A server that crashed, was restored from a
// backup, or lost a disk may have lost rows that it had said were stored, and nothing else notices.
//
//   a file ──format again──> CSV + sidecar (temporary) ──ids──> Store::missing() ──> Missing
//
// Only asks: what is missing is sent by loading the file again, as always (run_pipeline), because
// rows that are there are not stored a second time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "uploader/missing.h"
#include "watcher/ledger/extract.h"
#include "watcher/pipeline/pipeline.h"

namespace caravel::watcher {

/// The answer for one file.
struct Verified {
  uploader::Missing missing;
  std::uint64_t rows = 0;       // that it yields
  std::uint64_t row_lines = 0;  // that these take

  /// Whether something should be sent again. Rows that the store refused when the extract was
  /// loaded were never there: as many may be missing.
  [[nodiscard]] bool has_loss(const Extract* loaded) const;
};

/// Where the bytes of an extract that is done lie: its file in done/, or the person's own file.
[[nodiscard]] const std::string& path_of_done(const Extract& extract);

/// Formats the file of `job` (its `path`, as it is; or an archived extract) and asks the feed's
/// store for each row. `loaded`: what the ledger says of the load that is verified; null if it
/// knows none.
///
/// Errors: content, in words for people, if this file cannot be asked about (it is gone or has
/// changed, its format yields other rows now, the disk is full); those of the store; stopped.
/// Leaves nothing behind but, after a kill, temporary files that the next clean-up removes.
[[nodiscard]] Result<Verified> verify_file(const PipelineTools& tools, const ExtractJob& job,
                                           const Extract* loaded);

}  // namespace caravel::watcher
