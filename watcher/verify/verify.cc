#include "watcher/verify/verify.h"

#include <fcntl.h>

#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "watcher/pipeline/anonymising.h"
#include "watcher/pipeline/extract_files.h"
#include "watcher/pipeline/format_step.h"
#include "watcher/spool/room.h"

namespace caravel::watcher {
namespace {

/// The temporary CSV and sidecar of one question; gone with it.
class Temporaries {
 public:
  Temporaries(const Spool& spool, const ExtractJob& job) : files_(spool, job) {}
  ~Temporaries() { files_.remove_temporaries(); }
  Temporaries(const Temporaries&) = delete;
  Temporaries& operator=(const Temporaries&) = delete;
  Temporaries(Temporaries&&) = delete;
  Temporaries& operator=(Temporaries&&) = delete;

  /// Rejects were kept when the extract was loaded: nobody needs them here.
  [[nodiscard]] FormatTargets targets() const {
    FormatTargets targets = files_.temporaries();
    targets.rejects = {};
    return targets;
  }
  [[nodiscard]] Result<formatter::RowReader> rows() const {
    const FormatTargets made = targets();
    CARAVEL_ASSIGN_OR_RETURN(auto csv, open_file(made.csv, O_RDONLY));
    CARAVEL_ASSIGN_OR_RETURN(auto sidecar, open_file(made.sidecar, O_RDONLY));
    return formatter::RowReader::open(std::move(csv), std::move(sidecar));
  }

 private:
  ExtractFiles files_;
};

FormatOrder order_of(const PipelineTools& tools, const ExtractJob& job) {
  FormatOrder order{tools.service.config, tools.feed,     tools.service.formats,
                    job.by_hand,          job.claim.name, {}};
  if (job.beside && tools.feed.manifest != ManifestRule::ignore) {
    order.manifests.push_back(*job.beside);
  }
  return order;
}

/// Why the rows that come out now are not those that were loaded; nothing if they may be.
Result<> expect_same_rows(const FormatReport& report, const Extract* loaded) {
  if (report.mismatch) {
    return fail(ErrorKind::content, "its content is not what its manifest says: a broken transfer");
  }
  if (report.refusal) return fail(ErrorKind::content, *report.refusal);
  if (loaded == nullptr) return {};
  if (report.result.sha256 != loaded->sha256) {
    return fail(ErrorKind::content,
                "the file has changed since it was loaded, so it is another extract by now");
  }
  if (report.result.counts.rows == loaded->counts.rows) return {};
  return fail(ErrorKind::content,
              fmt::format("its format yields {} rows now, and {} when it was loaded: load it with "
                          "`caravel process --reprocess`",
                          report.result.counts.rows, loaded->counts.rows));
}

/// The rows that the file yields now.
Result<formatter::RowReader> rows_of(const PipelineTools& tools, const ExtractJob& job,
                                     const Extract* loaded, const Temporaries& temporaries) {
  // O_NONBLOCK: a FIFO that lies there by now must not hang the command (open(2)).
  CARAVEL_ASSIGN_OR_RETURN(auto file, open_file(job.path, O_RDONLY | O_NONBLOCK));
  // What lies in done/ is anonymous already, and a person's file may not be.
  auto anonymous = anonymised(tools, job, std::move(file));
  if (!anonymous) return tl::unexpected(std::move(anonymous).error().error);
  const UniqueFd fd = *std::move(anonymous);
  CARAVEL_ASSIGN_OR_RETURN(const auto stamp, stamp_of_fd(fd.get()));
  formatter::FormatMonitor monitor;
  monitor.stop = &tools.service.stop;
  if (tools.observer.on_format) {
    monitor.on_progress = [&](std::uint64_t bytes) { tools.observer.on_format(bytes, stamp.size); };
  }
  FormatTargets targets = temporaries.targets();
  targets.may_write = ask_room(tools.service.spool.room(), tools.service.config.max_unpacked);
  CARAVEL_ASSIGN_OR_RETURN(const auto report, format_file(fd.get(), order_of(tools, job), targets,
                                                          &tools.ledger, monitor));
  CARAVEL_TRY(expect_same_rows(report, loaded));
  return temporaries.rows();
}

}  // namespace

bool Verified::has_loss(const Extract* loaded) const {
  if (loaded == nullptr) return missing.any();
  const LineCounts& counts = loaded->counts;
  // Of the rows' lines those that were neither stored nor there already: refused for their content.
  const std::uint64_t refused = row_lines - counts.stored - counts.already_there;
  return missing.feed_document || missing.lines > refused;
}

const std::string& path_of_done(const Extract& extract) {
  return extract.done_path.empty() ? extract.path : extract.done_path;
}

Result<Verified> verify_file(const PipelineTools& tools, const ExtractJob& job,
                             const Extract* loaded) {
  const Temporaries temporaries(tools.service.spool, job);
  auto rows = rows_of(tools, job, loaded, temporaries);
  if (!rows) {
    // Whatever it is, it is about this file: the next may be asked about.
    Error error = std::move(rows).error();
    if (error.kind != ErrorKind::stopped) error.kind = ErrorKind::content;
    return tl::unexpected(std::move(error));
  }
  Verified verified;
  verified.rows = rows->end().counts.rows;
  verified.row_lines = rows->end().counts.row_lines();
  CARAVEL_ASSIGN_OR_RETURN(
      verified.missing, tools.store.missing(tools.feed.name, std::move(*rows), tools.service.stop));
  return verified;
}

}  // namespace caravel::watcher
