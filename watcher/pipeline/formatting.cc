#include "watcher/pipeline/formatting.h"

#include <fcntl.h>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/manifests.h"
#include "watcher/spool/refused_manifests.h"

namespace caravel::watcher {
namespace {

/// A CSV is about as large as its extract: nothing new is begun on a disk that is nearly full.
Result<> expect_free_space(const Service& service) {
  CARAVEL_ASSIGN_OR_RETURN(auto free, service.spool.free_bytes());
  if (free >= service.config.min_free) return {};
  return fail(ErrorKind::retry,
              fmt::format("disk: {} bytes are free in {}, less than min_free ({})", free,
                          service.spool.path(), service.config.min_free));
}

/// The manifests that the content is held against, newest first. A person's old file may have the
/// name of a newer extract, whose manifest says nothing of it: only the one beside it counts.
Result<std::vector<Manifest>> manifests_of(const PipelineTools& tools, const ExtractJob& job) {
  std::vector<Manifest> manifests;
  if (tools.feed.manifest == ManifestRule::ignore) return manifests;
  if (job.origin != Origin::process) {
    return tools.ledger.manifests().for_name(tools.feed.name, job.claim.name);
  }
  if (job.beside) manifests.push_back(*job.beside);
  return manifests;
}

/// Why the content is not what was announced: a broken transfer, after which a good one may follow.
/// Nothing if all is well.
std::optional<std::string> disagreement(const PipelineTools& tools, const ExtractJob& job,
                                        const FormatReport& report,
                                        const std::vector<Manifest>& manifests) {
  if (report.mismatch) {
    return fmt::format(
        "its content is not what its manifest says ({} bytes, SHA-256 {}; the manifest has {} "
        "bytes, {}): a broken transfer",
        report.stamp.size, report.result.sha256, manifests.front().bytes, manifests.front().sha256);
  }
  const bool required = tools.feed.manifest == ManifestRule::required;
  if (required && job.origin == Origin::drop && !report.manifest && manifests.empty()) {
    return why_without_manifest(tools.service.spool.path(), job.claim.name) +
           " (manifest: required)";
  }
  return std::nullopt;
}

/// The command that loads a file of failed/ whose year is not known.
std::string how_to_name_the_year(const PipelineTools& tools, const ExtractJob& job) {
  const std::string shown = printable(job.claim.name);
  return fmt::format(": caravel process --feed {} --year YYYY '{}'", tools.feed.name,
                     tools.service.spool.absolute("failed/" + shown));
}

}  // namespace

StepResult<UniqueFd> open_extract(const ExtractJob& job) {
  if (job.root == nullptr) {
    // A person's file is its own safe copy: it stays where it is, and needs no fsync from us.
    // O_NONBLOCK: a FIFO that was named by mistake must not hang the command (open(2)).
    CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(job.path, O_RDONLY | O_NONBLOCK));
    return fd;
  }
  // Whatever lies there was sent by somebody else: look_at() neither follows a link nor blocks.
  CARAVEL_ASSIGN_OR_RETURN(auto look, look_at(*job.root, job.claim));
  if (look.state == ClaimState::gone) return leave(Ending::vanished, "the file is gone");
  if (look.state != ClaimState::regular) return leave(Ending::not_ready, look.reason);
  // Power loss is covered from here on: before this, the sender's copy counts.
  CARAVEL_TRY(sync_content(look.fd.get()));
  return std::move(look.fd);
}

StepResult<FormatReport> format_extract(const PipelineTools& tools, const ExtractJob& job,
                                        const ExtractFiles& files, int fd) {
  const Service& service = tools.service;
  CARAVEL_TRY(expect_free_space(service));
  CARAVEL_ASSIGN_OR_RETURN(auto manifests, manifests_of(tools, job));
  const FormatOrder order{service.config, tools.feed,     service.formats,
                          job.by_hand,    job.claim.name, std::move(manifests)};
  formatter::FormatMonitor monitor;
  monitor.stop = &service.stop;
  const auto stamp = stamp_of_fd(fd);
  if (tools.observer.on_format && stamp) {
    monitor.on_progress = [&](std::uint64_t bytes) {
      tools.observer.on_format(bytes, stamp->size);
    };
  }
  // Under names that nobody takes for whole files. A crash leaves them; the next run of this claim
  // writes them anew.
  auto report = format_file(fd, order, files.temporaries(), &tools.ledger, monitor);
  if (!report) {
    files.remove_temporaries();
    return tl::unexpected(std::move(report).error());
  }
  if (auto why = disagreement(tools, job, *report, order.manifests)) {
    // The intake waits for another transfer. On the last chance the file is refused instead.
    if (!job.last_chance) {
      files.remove_temporaries();
      return leave(Ending::mismatched, *std::move(why));
    }
    report->refusal = std::move(why);
  }
  if (!report->refusal) {
    // The reject files stay temporaries: the store may refuse rows too, and their lines join them
    // (keep_rejects.h).
    CARAVEL_TRY(files.publish_csv());
  } else if (report->year_unknown && job.root != nullptr) {
    *report->refusal += how_to_name_the_year(tools, job);
  }
  return std::move(*report);
}

Result<FormatReport> read_prepared(const ExtractFiles& files, int fd) {
  FormatReport report;
  const auto rows = files.open_rows();
  if (!rows) {
    report.refusal = rows.error().message;
    return report;
  }
  CARAVEL_ASSIGN_OR_RETURN(report.stamp, stamp_of_fd(fd));
  report.result.counts = rows->end().counts;
  report.result.sha256 = rows->end().sha256;
  report.format_name = rows->header().format;
  return report;
}

Result<> commit_formatted(const PipelineTools& tools, const ExtractJob& job,
                          const FormatReport& report) {
  FormattedExtract formatted;
  formatted.size = report.stamp.size;
  formatted.mtime_ns = report.stamp.mtime_ns;
  formatted.sha256 = report.result.sha256;
  formatted.format = report.format_name;
  formatted.time_used = report.time.time_used;
  formatted.time_source = report.time.time_source;
  formatted.year_guessed = report.year_guessed;
  formatted.counts = report.result.counts;
  formatted.first_time = report.result.first_time;
  formatted.last_time = report.result.last_time;
  return tools.ledger.extracts().formatted(job.claim.id, formatted,
                                           std::chrono::system_clock::now());
}

}  // namespace caravel::watcher
