// The first half of an extract's way: from its file to a whole CSV in csv/ and the ledger's
// "formatted". Internal to the pipeline.
//
//   open_extract()      the file in work/ (synced), or a person's ──> an open descriptor
//   format_extract()    room on the disk? → format_file() → as its manifest says? → CSV in csv/
//   read_prepared()     or, for `caravel upload`: what the sidecar says
//   commit_formatted()  the ledger knows the digest, the counts and the time that was used
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "watcher/pipeline/extract_files.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/obstacle.h"

namespace caravel::watcher {

/// Opens the file and, if it is a claim, syncs its content: from then on a loss of power takes
/// nothing that the sender may have deleted. Ends as vanished or not_ready if it cannot be had.
[[nodiscard]] StepResult<UniqueFd> open_extract(const ExtractJob& job);

/// The manifests that the content is held against, newest first. A person's old file may have the
/// name of a newer extract, whose manifest says nothing of it: only the one beside it counts.
[[nodiscard]] Result<std::vector<Manifest>> manifests_of(const PipelineTools& tools,
                                                         const ExtractJob& job);
/// Why content of so many bytes and this SHA-256 is not what `manifest` announces.
[[nodiscard]] std::string describe_mismatch(std::uint64_t bytes, const std::string& sha256,
                                            const Manifest& manifest);

/// Formats what `fd` has open. On success the CSV and its sidecar have their names, and the reject
/// files are temporaries still; or `refusal` of the report says why the whole file is refused.
/// Ends as mismatched if another transfer may bring what its manifest announces.
[[nodiscard]] StepResult<FormatReport> format_extract(const PipelineTools& tools,
                                                      const ExtractJob& job,
                                                      const ExtractFiles& files, int fd);

/// What the sidecar of a prepared CSV says takes the place of formatting. `refusal` if it cannot be
/// read: it is a person's file, and waiting makes it no better.
[[nodiscard]] Result<FormatReport> read_prepared(const ExtractFiles& files, int fd);

/// Commits "formatted" with what `report` found.
[[nodiscard]] Result<> commit_formatted(const PipelineTools& tools, const ExtractJob& job,
                                        const FormatReport& report);

}  // namespace caravel::watcher
