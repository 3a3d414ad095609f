// The first half of an extract's way: from its file to a whole CSV in csv/ and the ledger's
// "formatted". Internal to the pipeline.
//
//   open_extract()      the file in work/, or a person's ──> an open descriptor
//   format_extract()    room on the disk? → format_file() → as its manifest says? → CSV in csv/
//   read_prepared()     or, for `caravel upload`: what the sidecar says
//   commit_formatted()  the ledger knows the digest, the counts and the time that was used
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "watcher/ledger/extracts.h"
#include "watcher/pipeline/extract_files.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/pipeline/obstacle.h"

namespace caravel::watcher {

/// Opens the file. Ends as vanished or not_ready if it cannot be had.
[[nodiscard]] StepResult<UniqueFd> open_extract(const ExtractJob& job);

/// The manifests that the content is held against, newest first. A person's old file may have the
/// name of a newer extract, whose manifest says nothing of it: only the one beside it counts.
[[nodiscard]] Result<std::vector<Manifest>> manifests_of(const PipelineTools& tools,
                                                         const ExtractJob& job);
/// Why content of so many bytes and this SHA-256 is not what `manifest` announces.
[[nodiscard]] std::string describe_mismatch(std::uint64_t bytes, const std::string& sha256,
                                            const Manifest& manifest);

/// Formats what `fd` has open, after what `clean` says that an earlier try may have left was
/// removed. On success the CSV and its sidecar have their names, and the reject
/// files are temporaries still; or `refusal` of the report says why the whole file is refused.
/// Ends as mismatched if another transfer may bring what its manifest announces.
[[nodiscard]] StepResult<FormatReport> format_extract(const PipelineTools& tools,
                                                      const ExtractJob& job,
                                                      const ExtractFiles& files, int fd,
                                                      bool clean);

/// What the sidecar of a prepared CSV says takes the place of formatting. `refusal` if it cannot be
/// read: it is a person's file, and waiting makes it no better.
[[nodiscard]] Result<FormatReport> read_prepared(const ExtractFiles& files, int fd);

/// Whether a loss of power can take back the file of a claim, its content or its place.
class Durability {
 public:
  /// It cannot from here on. A person's file is its own safe copy: it stays where it is.
  [[nodiscard]] Result<> make(const ExtractJob& job, int fd);
  void is_made() { made_ = true; }
  explicit operator bool() const { return made_; }

 private:
  bool made_ = false;
};

/// Whether Durability::make() comes first of all: what it costs does not count beside the rest, or
/// the file is to be replaced by its anonymous copy.
[[nodiscard]] bool comes_durable_first(const PipelineTools& tools, const ExtractJob& job, int fd);

/// Whether rows may leave before the disk knows of the extract: a crash finds all of it again. Not
/// so where the file's own times decided the years, or where a manifest that comes later could give
/// the rows another place in their log: then the ids of rows that are sent hang on what the ledger
/// remembers.
[[nodiscard]] bool can_be_found_again(const PipelineTools& tools, const ExtractJob& job,
                                      const FormatReport& report);

/// An error (retry) if a manifest has come since the extract was formatted without one: its rows
/// would get other ids.
[[nodiscard]] Result<> check_manifest(const PipelineTools& tools, const FormatReport& report);

/// Commits "formatted" with what `report` found.
[[nodiscard]] Result<> commit_formatted(const PipelineTools& tools, const ExtractJob& job,
                                        const FormatReport& report, Commit commit);

}  // namespace caravel::watcher
