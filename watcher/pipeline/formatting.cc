#include "watcher/pipeline/formatting.h"

#include <fcntl.h>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/manifests.h"
#include "watcher/pipeline/anonymising.h"
#include "watcher/spool/give_way.h"
#include "watcher/spool/refused_manifests.h"
#include "watcher/spool/room.h"

namespace caravel::watcher {
namespace {

using std::chrono::steady_clock;

/// What gives way leaves so many bytes more than were asked for: not each 256 KiB is asked for
/// anew.
constexpr std::uint64_t kRoomAhead = std::uint64_t{16} << 20;

/// Whether there is room for `bytes` more, if need be after what can be made again has given way.
Result<> make_room(const PipelineTools& tools, const ExtractJob& job, std::uint64_t bytes) {
  const Spool& spool = tools.service.spool;
  const auto there = [&](std::uint64_t wanted) {
    return spool.room().expect(spool.csv_fd(), wanted);
  };
  if (there(bytes)) return {};
  const GivenWay gone = give_way(spool, tools.ledger, job.claim.id,
                                 [&] { return there(bytes + kRoomAhead).has_value(); });
  if (gone.files > 0 && tools.observer.on_note) {
    tools.observer.on_note(
        fmt::format("disk: {} files of csv/ ({} bytes) were removed before their time, to keep "
                    "min_free",
                    gone.files, gone.bytes));
  }
  return there(bytes);
}

/// Nothing new is begun on a disk that is nearly full. An extract that found too little room before
/// is not begun either until there is more: alone, for others may want less.
Result<> expect_room(const PipelineTools& tools, const ExtractJob& job) {
  CARAVEL_TRY(make_room(tools, job, 0));
  if (tools.needs == nullptr) return {};
  // All that could give way for it has done so when it was tried.
  const std::uint64_t needs = tools.needs->of(job.claim.id, steady_clock::now());
  const Spool& spool = tools.service.spool;
  if (spool.room().expect(spool.csv_fd(), needs)) return {};
  return fail(
      ErrorKind::refused,
      fmt::format("disk: it waits for {} free bytes besides min_free ({}), since fewer were "
                  "too few: make room",
                  needs, tools.service.config.min_free));
}

/// Why the content is not what was announced: a broken transfer, after which a good one may follow.
/// Nothing if all is well.
std::optional<std::string> disagreement(const PipelineTools& tools, const ExtractJob& job,
                                        const FormatReport& report,
                                        const std::vector<Manifest>& manifests) {
  if (report.mismatch) {
    return describe_mismatch(report.stamp.size, report.result.sha256, manifests.front());
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

Result<std::vector<Manifest>> manifests_of(const PipelineTools& tools, const ExtractJob& job) {
  std::vector<Manifest> manifests;
  if (tools.feed.manifest == ManifestRule::ignore) return manifests;
  if (job.origin != Origin::process) {
    return tools.ledger.manifests().for_name(tools.feed.name, job.claim.name);
  }
  if (job.beside) manifests.push_back(*job.beside);
  return manifests;
}

std::string describe_mismatch(std::uint64_t bytes, const std::string& sha256,
                              const Manifest& manifest) {
  return fmt::format(
      "its content is not what its manifest says ({} bytes, SHA-256 {}; the manifest has {} bytes, "
      "{}): a broken transfer",
      bytes, sha256, manifest.bytes, manifest.sha256);
}

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
  return std::move(look.fd);
}

StepResult<FormatReport> format_extract(const PipelineTools& tools, const ExtractJob& job,
                                        const ExtractFiles& files, int fd, bool clean) {
  const Service& service = tools.service;
  // What an earlier run of this claim has left is made anew, and must not take room meanwhile.
  if (clean) {
    files.remove_temporaries();
    files.remove_csv();
  }
  CARAVEL_TRY(expect_room(tools, job));
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
  FormatTargets targets = files.temporaries();
  std::uint64_t wanted = 0;  // bytes on the disk, after the last write that was asked for
  const auto ask = ask_room(service.spool.room(), service.config.max_unpacked);
  targets.may_write = [&](int file, std::uint64_t used, std::uint64_t more) {
    wanted = used + more;
    auto answer = ask(file, used, more);
    const bool full = !answer && answer.error().kind == ErrorKind::refused;
    return full && make_room(tools, job, more) ? ask(file, used, more) : answer;
  };
  auto report = format_file(fd, order, targets, &tools.ledger, monitor);
  if (!report) {
    // At once: an extract that found no room must leave it to the others.
    files.remove_temporaries();
    Error error = refused_if_no_space(std::move(report).error());
    if (error.kind == ErrorKind::refused && tools.needs != nullptr) {
      tools.needs->note(job.claim.id, wanted, steady_clock::now());
    }
    return tl::unexpected<Obstacle>(std::move(error));
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

Result<> Durability::make(const ExtractJob& job, int fd) {
  if (made_ || job.root == nullptr) return {};
  // The content first: a name must not lead to a file that is empty still.
  CARAVEL_TRY(sync_content(fd));
  CARAVEL_TRY(sync_claim(*job.root, job.claim));
  made_ = true;
  return {};
}

bool comes_durable_first(const PipelineTools& tools, const ExtractJob& job, int fd) {
  constexpr std::uint64_t kSmall = 1 << 20;
  const auto stamp = stamp_of_fd(fd);
  if (!stamp || stamp->size > kSmall) return true;
  const auto hides = private_format(tools.feed, tools.service.formats, job.by_hand);
  return !hides || *hides != nullptr;
}

bool can_be_found_again(const PipelineTools& tools, const ExtractJob& job,
                        const FormatReport& report) {
  if (job.root == nullptr) return false;
  const std::string& source = report.time.time_source;
  if (!source.empty() && source != "name" && source != "manifest") return false;
  const bool by_position = report.result.format != nullptr &&
                           report.result.format->identity == formatter::Identity::position;
  return !by_position || report.manifest || tools.feed.manifest == ManifestRule::ignore;
}

Result<> check_manifest(const PipelineTools& tools, const FormatReport& report) {
  if (report.manifest || tools.feed.manifest == ManifestRule::ignore) return {};
  CARAVEL_ASSIGN_OR_RETURN(
      const auto come,
      tools.ledger.manifests().of_content(tools.feed.name, report.result.unpacked_sha256, ""));
  return come ? fail(ErrorKind::retry, "its manifest has come meanwhile") : Result<>();
}

Result<> commit_formatted(const PipelineTools& tools, const ExtractJob& job,
                          const FormatReport& report, Commit commit) {
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
                                           std::chrono::system_clock::now(), commit);
}

}  // namespace caravel::watcher
