#include "watcher/format_step.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/file.h"
#include "formatter/csv.h"
#include "watcher/name_rules.h"

namespace caravel::watcher {
namespace {

using formatter::FormatResult;

Result<UniqueFd> open_target(const std::string& path) {
  if (path.empty()) return UniqueFd();
  return open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
}

/// One pass with one time.
Result<FormatReport> pass(int fd, const FormatOrder& order, const FormatTargets& targets,
                          const ExtractTime& time, const formatter::FormatMonitor& monitor) {
  FormatReport report;
  auto stamp = stamp_of_fd(fd);
  if (!stamp) return tl::unexpected(stamp.error());
  report.stamp = *stamp;
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return fail_with_errno("dup", errno);

  formatter::Input::Options options;
  options.name = order.name;
  options.fixed_size = report.stamp.size;
  if (report.stamp.size == 0) own = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto input = formatter::Input::open(std::move(own), options);
  if (!input) return tl::unexpected(input.error());

  auto csv_fd = open_target(targets.csv);
  if (!csv_fd) return tl::unexpected(csv_fd.error());
  auto sidecar_fd = open_target(targets.sidecar);
  if (!sidecar_fd) return tl::unexpected(sidecar_fd.error());
  formatter::Output csv(csv_fd->get());
  formatter::Output sidecar(sidecar_fd->get());
  formatter::Rejects rejects(targets.rejects);

  formatter::FormatRequest request;
  request.format = order.by_hand.format != nullptr ? order.by_hand.format
                   : order.feed.format == "auto"   ? nullptr
                                                   : order.formats.find(order.feed.format);
  request.formats = &order.formats;
  request.years = time.years;
  request.accept_unterminated = order.feed.accept_unterminated;
  request.max_line = order.config.max_line;
  request.max_unpacked = order.config.max_unpacked;
  auto result = format_extract(*input, request, {csv, sidecar, rejects}, monitor);
  if (!result) return tl::unexpected(result.error());
  // What is kept of rejects must be on the disk before the extract is called done.
  CARAVEL_TRY(rejects.flush(true));
  report.result = std::move(*result);
  report.has_lines = rejects.has_lines();
  report.has_cut = rejects.has_cut();
  report.has_reasons = rejects.has_reasons();
  return report;
}

/// The first of the reasons, for the message about a file that is refused whole.
std::string first_reason(const std::string& reasons_path) {
  if (reasons_path.empty()) return "";
  auto fd = open_file(reasons_path, O_RDONLY | O_NOFOLLOW);
  if (!fd) return "";
  char text[1024];
  const ssize_t got = ::pread(fd->get(), text, sizeof text, 0);
  std::string_view rest(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));
  rest = rest.substr(0, rest.find('\n'));
  std::vector<std::string_view> fields;
  std::string scratch;
  if (!formatter::split_csv_record(rest, fields, scratch) || fields.size() != 3) return "";
  return fmt::format("; the first: line {}: {}", fields[0], fields[2]);
}

Result<> check_rejects(const FormatOrder& order, const FormatTargets& targets,
                       const FormatResult& result) {
  const auto& counts = result.counts;
  if (counts.rejected <= order.feed.max_rejects.allowed(counts.lines)) return {};
  return fail(ErrorKind::content,
              fmt::format("{} of its {} lines match no record kind of the format '{}', more than "
                          "max_rejects: is this another format?{}",
                          counts.rejected, counts.lines, result.format->name,
                          first_reason(targets.rejects.reasons)));
}

}  // namespace

Result<FormatReport> format_file(int fd, const FormatOrder& order, const FormatTargets& targets,
                                 Ledger* ledger, const formatter::FormatMonitor& monitor) {
  ExtractTime time;
  if (order.by_hand.year) {
    time = ExtractTime::of_year(*order.by_hand.year);
  } else {
    auto stamp = stamp_of_fd(fd);
    if (!stamp) return tl::unexpected(stamp.error());
    time = ExtractTime::of_file(order.name, stamp->mtime_ns);
  }
  auto report = pass(fd, order, targets, time, monitor);
  if (!report) return report;
  const formatter::Format* format = report->result.format;
  const bool needs_year = format != nullptr && format->needs_year();

  // Only its content says whether we have seen it before, and so which time was used then: rows
  // must get the years that they have in the store.
  if (needs_year && !order.by_hand.year && ledger != nullptr) {
    auto known = ledger->known_time(report->result.sha256);
    if (!known) return tl::unexpected(known.error());
    if (*known && **known != time.known) {
      if (auto earlier = ExtractTime::of_known(**known)) {
        time = std::move(*earlier);
        report = pass(fd, order, targets, time, monitor);
        if (!report) return report;
      }
    } else if (*known) {
      time.only_mtime = false;  // it was believed before
    }
  }

  if (needs_year && time.only_mtime && report->result.last_date &&
      !formatter::mtime_is_credible(*report->result.last_date, time.time)) {
    if (order.feed.year != YearRule::guess) {
      return fail(ErrorKind::content,
                  fmt::format("the year of its dates cannot be known: only its mtime ({}) speaks, "
                              "and the last line ({:02}/{:02}) lies more than 30 days from it. Name "
                              "the year with --year",
                              time.known.time_used,
                              static_cast<unsigned>(report->result.last_date->month()),
                              static_cast<unsigned>(report->result.last_date->day())));
    }
    report->year_guessed = true;
  }
  if (needs_year) report->time = time.known;
  CARAVEL_TRY(check_rejects(order, targets, report->result));
  return report;
}

}  // namespace caravel::watcher
