// What `caravel explain` says of a file, a log or a document. Each function asks the ledger and
// puts the answer into words; nothing here changes anything. Errors of the ledger's lesser
// questions only leave their lines out: what is known is told all the same.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "uploader/store.h"
#include "watcher/config/config.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/time_text.h"
#include "watcher/ledger/extract.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// The history of one extract, a fact a line; the first line is "NAME: STATE".
[[nodiscard]] std::string explain_text(const Extract& extract, Time now);

/// What its manifest says of where it came from, to follow explain_text().
[[nodiscard]] std::string explain_manifest_text(const Manifest& manifest);

/// The history of each of the extracts, with its manifest, what is missing of its run, what its
/// store waits for, and where its rejects are (below `spool`).
[[nodiscard]] std::string explain_extracts(Ledger& ledger, const std::string& spool,
                                           const std::vector<Extract>& extracts, Time now);

/// Where a document of the store came from: the line as it came, and the extracts that have it.
/// `document.id` must be the id that was asked for.
[[nodiscard]] Result<std::string> explain_document(Ledger& ledger, const Config& config,
                                                   const uploader::StoredDocument& document,
                                                   Time now);

// The rest is for what the ledger has no extract of. Each returns "" if it has nothing to tell.

/// Why `name` is left alone in a drop directory.
[[nodiscard]] Result<std::string> explain_left_alone(Ledger& ledger, const std::string& name);

/// What became of the manifest that came, or lies in failed/ or done/, as `file`.
[[nodiscard]] std::string explain_manifest(Ledger& ledger, const Config& config,
                                           const std::string& file);

/// An extract that never came, though its manifest, or a gap in the sequence of others, tells of
/// it.
[[nodiscard]] std::string explain_missing(Ledger& ledger, const Config& config,
                                          const std::string& name, Time now);

/// A log that is captured, here or on another host: what of it has come. A log is known by its path
/// or, if `is_file` is false, by its name too.
[[nodiscard]] std::string explain_log(Ledger& ledger, const std::string& what, bool is_file,
                                      Time now);

}  // namespace caravel::watcher
