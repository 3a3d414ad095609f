#include "watcher/pipeline/keep_rejects.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <map>

#include "formatter/input/input.h"
#include "formatter/input/line_splitter.h"
#include "formatter/output/rejects.h"
#include "watcher/spool/rejects.h"
#include "watcher/spool/room.h"

namespace caravel::watcher {
namespace {

using uploader::RefusedRow;

/// It was within the limits of its format when it was formatted.
formatter::RecordLimits limits_of(const RefusedRow& row) {
  formatter::RecordLimits limits;
  limits.bytes = std::numeric_limits<std::size_t>::max();
  limits.lines = row.lines;
  return limits;
}

/// Appends the lines of the refused rows, in the order of the extract, to the reject files. `made`
/// says then which of these there are.
Result<> add_lines(const PipelineTools& tools, const std::string& name, int fd,
                   const std::vector<RefusedRow>& refused, const formatter::Rejects::Paths& paths,
                   const formatter::RejectLimits& limits, FormatReport& made) {
  // One pass over the extract, which may be packed and has no index: in the order of its lines.
  std::map<std::uint64_t, const RefusedRow*> by_line;
  for (const RefusedRow& row : refused) by_line.emplace(row.line, &row);

  // Input closes the descriptor that it is given, so it gets a duplicate. Both share one offset
  // (dup(2)), which formatting has moved.
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return fail_with_errno("dup", errno);
  formatter::Input::Options options;
  options.digest = false;
  options.fixed_size = made.stamp.size;  // what was appended since was not formatted either
  options.name = name;                   // says how it is packed
  options.max_window = tools.service.config.max_window;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(own), options));
  formatter::LineSplitter lines(input, tools.service.config.max_line);
  formatter::Rejects rejects(paths, formatter::Rejects::Mode::append, limits);
  rejects.set_header(made.result.rejects_header);
  auto next = by_line.begin();
  formatter::Line line;
  while (next != by_line.end()) {
    CARAVEL_ASSIGN_OR_RETURN(auto more, lines.next(line));
    if (!more) break;
    // To find the last of the lines can take as long as formatting did.
    if (tools.service.stop.requested()) return fail(ErrorKind::stopped, "stopped");
    if (line.number != next->first) continue;
    const RefusedRow& row = *next->second;
    while (line.lines < row.lines) {
      CARAVEL_ASSIGN_OR_RETURN(const auto grown, lines.extend(line, limits_of(row)));
      if (!grown) break;
    }
    rejects.add(line.number, line.offset, row.reason, line.text());
    ++next;
  }
  // On the disk before "done" is committed: nobody formats a done extract again.
  CARAVEL_TRY(rejects.flush(true));
  made.has_lines = made.has_lines || rejects.has_lines();
  made.has_reasons = made.has_reasons || rejects.has_reasons();
  made.by_place += rejects.by_place();
  return {};
}

/// Of a prepared CSV the lines are elsewhere: only the reasons can be kept. Nothing else writes to
/// this file, so it begins anew each time.
Result<> write_reasons(const std::vector<RefusedRow>& refused, const std::string& path,
                       const formatter::RejectLimits& limits) {
  formatter::Rejects rejects({"", path, ""}, formatter::Rejects::Mode::fresh, limits);
  for (const RefusedRow& row : refused) rejects.add(row.line, row.offset, row.reason, "");
  return rejects.flush(true);
}

/// Adds what the store refused to what formatting has found, within the same limits.
Result<> add_refused(const PipelineTools& tools, const ExtractJob& job, int fd,
                     const std::vector<RefusedRow>& refused, const formatter::Rejects::Paths& paths,
                     FormatReport& made) {
  const Config& config = tools.service.config;
  formatter::Space space(ask_room(tools.service.spool.room(), config.max_unpacked));
  formatter::RejectLimits limits;
  limits.max_bytes = config.max_reject_bytes;
  limits.space = &space;
  if (!job.prepared) return add_lines(tools, job.claim.name, fd, refused, paths, limits, made);
  made.has_reasons = true;
  return write_reasons(refused, paths.reasons, limits);
}

}  // namespace

Result<std::uint64_t> keep_rejects(const PipelineTools& tools, const ExtractJob& job,
                                   const ExtractFiles& files, int fd, const FormatReport& report,
                                   const std::vector<RefusedRow>& refused) {
  // A prepared CSV: the files in rejects/ that its extract left when it was formatted say more than
  // we could.
  if (job.prepared && refused.empty()) return std::uint64_t{0};
  const formatter::Rejects::Paths paths = files.temporaries().rejects;
  // A copy: if this fails, the caller formats again and gets another report.
  FormatReport made = report;
  if (!refused.empty()) {
    auto added = add_refused(tools, job, fd, refused, paths, made);
    if (!added) return tl::unexpected(refused_if_no_space(std::move(added).error()));
  }
  // A crash in here leaves some of the files under their names. The next start formats and uploads
  // the extract again, and replaces them.
  CARAVEL_TRY(publish_reject_files(tools.service.spool, tools.feed.name, job.claim.name,
                                   report.result.sha256, files.rejects_of(made)));
  return made.by_place;
}

}  // namespace caravel::watcher
