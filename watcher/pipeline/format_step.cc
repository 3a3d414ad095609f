#include "watcher/pipeline/format_step.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

#include "base/file.h"
#include "formatter/rows/csv.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/extracts.h"
#include "watcher/ledger/manifests.h"

namespace caravel::watcher {
namespace {

using formatter::FormatResult;

/// O_NOFOLLOW: a symlink in the place of a temporary would have us write somewhere else.
Result<UniqueFd> open_target(const std::string& path) {
  if (path.empty()) return UniqueFd();
  return open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
}

/// Of what is to be held in memory the file is made once it is too much.
formatter::Output output_to(const std::string& path, bool hold, UniqueFd& file,
                            formatter::Space* space) {
  if (hold) return formatter::Output([&path] { return open_target(path); }, space);
  return formatter::Output(file.get(), space);
}

/// Holds both, or writes both.
Result<> hold_or_write(const FormatTargets& targets, formatter::Output& csv,
                       formatter::Output& sidecar) {
  if (targets.held == nullptr) return {};
  targets.held->reset();
  const auto rows = csv.held();
  const auto beside = sidecar.held();
  if (rows && beside) {
    *targets.held = HeldRows{std::string(*rows), std::string(*beside)};
    return {};
  }
  CARAVEL_TRY(csv.write_all_out());
  return sidecar.write_all_out();
}

/// What can be known only from all of the content, and must be assumed before it was read.
struct Assumption {
  ExtractTime time;
  std::optional<Manifest> manifest;  // for the extract's place in its log
};

formatter::FormatRequest request_for(const FormatOrder& order, const Assumption& assumed) {
  formatter::FormatRequest request;
  // nullptr: the formatter finds out which of `formats` it is.
  request.format = order.by_hand.format != nullptr ? order.by_hand.format
                   : order.feed.format == "auto"   ? nullptr
                                                   : order.formats.find(order.feed.format);
  request.formats = &order.formats;
  request.years = assumed.time.years;
  // Without a manifest the place of the extract in its log is not known, and no row id can hold it.
  if (assumed.manifest) {
    request.first_line = first_line_hash(*assumed.manifest);
    request.log_offset = assumed.manifest->first;
    request.begins_with_piece = assumed.manifest->lines == 0;
  }
  request.accept_unterminated = order.feed.accept_unterminated;
  request.max_line = order.config.max_line;
  request.max_unpacked = order.config.max_unpacked;
  request.max_ratio = order.config.max_ratio;
  return request;
}

/// What the first pass has written must not lie beside what the second one writes.
void remove_targets(const FormatTargets& targets) {
  for (const std::string* path : {&targets.csv, &targets.sidecar, &targets.rejects.lines,
                                  &targets.rejects.reasons, &targets.rejects.cut}) {
    if (!path->empty()) ::unlink(path->c_str());
  }
}

/// Formats all of it under one assumption. The targets are written anew.
Result<FormatReport> pass(int fd, const FormatOrder& order, const FormatTargets& targets,
                          const Assumption& assumed, const formatter::FormatMonitor& monitor) {
  FormatReport report;
  CARAVEL_ASSIGN_OR_RETURN(report.stamp, stamp_of_fd(fd));
  // A duplicate shares its offset with `fd` (dup(2)), and the input closes what it is given.
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) return fail_with_errno("dup", errno);

  formatter::Input::Options options;
  options.name = order.name;
  options.max_window = order.config.max_window;
  // What somebody appends meanwhile is not read: the stamp says then that the file has changed.
  options.fixed_size = report.stamp.size;
  // To Input, a fixed size of 0 means that the size is not fixed.
  if (report.stamp.size == 0) own = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(own), options));

  const bool hold = targets.held != nullptr;
  CARAVEL_ASSIGN_OR_RETURN(auto csv_fd, open_target(hold ? "" : targets.csv));
  CARAVEL_ASSIGN_OR_RETURN(auto sidecar_fd, open_target(hold ? "" : targets.sidecar));
  std::optional<formatter::Space> space;
  if (targets.may_write) space.emplace(targets.may_write);
  formatter::Space* const shared = space ? &*space : nullptr;
  formatter::Output csv = output_to(targets.csv, hold, csv_fd, shared);
  formatter::Output sidecar = output_to(targets.sidecar, hold, sidecar_fd, shared);
  formatter::RejectLimits limits;
  limits.max_bytes = order.config.max_reject_bytes;
  limits.space = shared;
  formatter::Rejects rejects(targets.rejects, formatter::Rejects::Mode::fresh, limits);

  CARAVEL_ASSIGN_OR_RETURN(auto result, format_extract(input, request_for(order, assumed),
                                                       {csv, sidecar, rejects}, monitor));
  CARAVEL_TRY(hold_or_write(targets, csv, sidecar));
  // What is kept of rejects must be on the disk before the extract is called done.
  CARAVEL_TRY(rejects.flush(true));
  report.result = std::move(result);
  if (report.result.format != nullptr) report.format_name = report.result.format->name;
  report.has_lines = rejects.has_lines();
  report.has_cut = rejects.has_cut();
  report.has_reasons = rejects.has_reasons();
  report.by_place = rejects.by_place();
  return report;
}

/// The first of the reject reasons, for the message about a file that is refused whole; "" if it
/// cannot be read.
std::string first_reason(const std::string& reasons_path) {
  if (reasons_path.empty()) return "";
  auto fd = open_file(reasons_path, O_RDONLY | O_NOFOLLOW);
  if (!fd) return "";
  // 1 KiB nearly always holds the header and the first record; a longer reason is cut short or left
  // out.
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

/// Too many rejects: this is most likely another format.
std::optional<std::string> refuse_for_rejects(const FormatOrder& order,
                                              const FormatTargets& targets,
                                              const FormatResult& result) {
  const auto& counts = result.counts;
  if (counts.rejected <= order.feed.max_rejects.allowed(counts.lines)) return std::nullopt;
  return fmt::format(
      "{} of its {} lines match no record kind of the format '{}', more than max_rejects: is this "
      "another format?{}",
      counts.rejected, counts.lines, result.format != nullptr ? result.format->name : "none",
      first_reason(targets.rejects.reasons));
}

ExtractTime time_of(const FormatOrder& order, const std::optional<Manifest>& manifest,
                    const FileStamp& stamp) {
  if (order.by_hand.year) return ExtractTime::of_year(*order.by_hand.year);
  if (manifest && is_meant_as_time(manifest->cut, stamp)) {
    return ExtractTime::of_manifest(manifest->cut);
  }
  return ExtractTime::of_file(order.name, stamp);
}

/// Whether a manifest speaks of this content. caravel-tail packs nothing: of what came packed, the
/// manifest is that of the plain file, or was made by somebody else.
bool speaks_of(const Manifest& manifest, const FormatResult& result) {
  return manifest.sha256 == result.unpacked_sha256 || manifest.sha256 == result.sha256;
}

/// The manifest that counts for the content: by whatever name it came, for a replay may have any.
Result<std::optional<Manifest>> manifest_for(const FormatOrder& order, Ledger* ledger,
                                             const FormatResult& result) {
  if (order.feed.manifest == ManifestRule::ignore) return std::nullopt;
  std::vector<Manifest> known;
  if (ledger != nullptr) {
    std::vector<std::string> digests{result.unpacked_sha256};
    if (result.sha256 != digests.front()) digests.push_back(result.sha256);  // it came packed
    for (const std::string& digest : digests) {
      auto manifest = ledger->manifests().of_content(order.feed.name, digest, order.name);
      if (!manifest || *manifest) return manifest;
    }
    CARAVEL_ASSIGN_OR_RETURN(auto all, ledger->manifests().for_name(order.feed.name, order.name));
    known = std::move(all);
  }
  // A manifest that the ledger knows and did not name above came too late: rows of the extract were
  // stored without it. One that it does not know lies beside a person's file, and counts.
  const auto found =
      std::find_if(order.manifests.begin(), order.manifests.end(), [&](const Manifest& manifest) {
        return speaks_of(manifest, result) &&
               std::find(known.begin(), known.end(), manifest) == known.end();
      });
  return found != order.manifests.end() ? std::optional(*found) : std::nullopt;
}

/// Whether both put the extract at the same place of the same log, so that its rows have the same
/// ids.
bool same_place(const std::optional<Manifest>& a, const std::optional<Manifest>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->first_line == b->first_line && a->first == b->first &&
         (a->lines == 0) == (b->lines == 0);
}

/// What the content turned out to be, once its digest is known: the manifest that counts for it,
/// and the time that was used for it before.
Result<Assumption> settle(const FormatOrder& order, Ledger* ledger, const FormatResult& result,
                          const FileStamp& stamp) {
  Assumption settled;
  CARAVEL_ASSIGN_OR_RETURN(auto manifest, manifest_for(order, ledger, result));
  settled.manifest = std::move(manifest);
  settled.time = time_of(order, settled.manifest, stamp);
  if (ledger == nullptr || order.by_hand.year) return settled;
  // Rows must get the years that they have in the store.
  CARAVEL_ASSIGN_OR_RETURN(auto known, ledger->extracts().known_time(result.sha256));
  if (known && *known == settled.time.known) {
    settled.time.only_mtime = false;  // an mtime that was believed then is believed now
  } else if (known) {
    if (auto earlier = ExtractTime::of_known(*known)) settled.time = std::move(*earlier);
  }
  return settled;
}

/// The best guess before anything was read: the newest manifest of the same size. A wrong guess
/// costs a second pass and nothing else.
Assumption assume(const FormatOrder& order, const FileStamp& stamp) {
  Assumption assumed;
  const auto likely =
      std::find_if(order.manifests.begin(), order.manifests.end(),
                   [&](const Manifest& manifest) { return manifest.bytes == stamp.size; });
  if (likely != order.manifests.end()) assumed.manifest = *likely;
  assumed.time = time_of(order, assumed.manifest, stamp);
  return assumed;
}

/// Manifests came for this name, and none speaks of this content. One that came under another name
/// counts as well: an enemy may have sent more manifests of this name than are looked at.
bool is_mismatch(const FormatOrder& order, const Assumption& settled, const FormatResult& result) {
  return !order.manifests.empty() && !settled.manifest &&
         std::none_of(order.manifests.begin(), order.manifests.end(),
                      [&](const Manifest& manifest) { return speaks_of(manifest, result); });
}

/// An mtime says when the file was written here, which may be years after its lines: only if the
/// last line is about as old as that is it believed.
void judge_year(YearRule rule, const ExtractTime& time, FormatReport& report) {
  const auto& last_date = report.result.last_date;
  if (!time.only_mtime || !last_date || formatter::mtime_is_credible(*last_date, time.time)) {
    return;
  }
  if (rule == YearRule::guess) {
    report.year_guessed = true;
    return;
  }
  report.year_unknown = true;
  report.refusal = fmt::format(
      "the year of its dates cannot be known: only its {} ({}) speaks, and the last line "
      "({:02}/{:02}) lies more than 30 days from it. Name the year with --year",
      time.known.time_source, time.known.time_used, static_cast<unsigned>(last_date->month()),
      static_cast<unsigned>(last_date->day()));
}

/// Half a line, by itself, in an extract of its own: a reject that says nothing of the format.
bool is_piece(const FormatReport& report) {
  return report.manifest && report.manifest->lines == 0 && report.result.counts.lines <= 1;
}

/// A piece of a CSV log from behind its first line: what would be taken for its header is a row.
std::optional<std::string> refuse_without_header(const FormatReport& report) {
  const formatter::Format* const format = report.result.format;
  if (format == nullptr || format->reader != formatter::Reader::csv || !format->columns.empty() ||
      !report.manifest || report.manifest->first == 0) {
    return std::nullopt;
  }
  return fmt::format(
      "begins at byte {} of its log, so it has no header, and the format '{}' takes the columns "
      "from the header. Make a format of your own that names them (columns: [...])",
      report.manifest->first, format->name);
}

}  // namespace

formatter::Hash128 first_line_hash(const Manifest& manifest) {
  formatter::Hash128 hash;
  const char* const digits = manifest.first_line.data();
  std::from_chars(digits, digits + 16, hash.high, 16);
  std::from_chars(digits + 16, digits + manifest.first_line.size(), hash.low, 16);
  return hash;
}

Result<FormatReport> format_file(int fd, const FormatOrder& order, const FormatTargets& targets,
                                 Ledger* ledger, const formatter::FormatMonitor& monitor) {
  CARAVEL_ASSIGN_OR_RETURN(auto stamp, stamp_of_fd(fd));
  const Assumption assumed = assume(order, stamp);
  CARAVEL_ASSIGN_OR_RETURN(auto report, pass(fd, order, targets, assumed, monitor));
  CARAVEL_ASSIGN_OR_RETURN(auto settled, settle(order, ledger, report.result, stamp));
  if (is_mismatch(order, settled, report.result)) {
    report.mismatch = true;
    return report;
  }
  const formatter::Format* format = report.result.format;
  const bool needs_year = format != nullptr && format->needs_year();
  // Dates that have a year of their own do not depend on the time of the extract.
  const bool same_year = !needs_year || settled.time.known == assumed.time.known;
  if (!same_year || !same_place(settled.manifest, assumed.manifest)) {
    remove_targets(targets);
    CARAVEL_ASSIGN_OR_RETURN(report, pass(fd, order, targets, settled, monitor));
  }
  report.manifest = settled.manifest;
  if (needs_year) {
    judge_year(order.feed.year, settled.time, report);
    report.time = settled.time.known;
  }
  // One refusal is enough: the first reason that is found is the one that is told.
  if (is_piece(report)) return report;
  if (!report.refusal) report.refusal = refuse_without_header(report);
  if (!report.refusal) report.refusal = refuse_for_rejects(order, targets, report.result);
  return report;
}

}  // namespace caravel::watcher
