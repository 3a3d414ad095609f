// caravel process
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/commands/by_hand.h"
#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/files/name_rules.h"

namespace caravel::watcher {
namespace {

namespace fs = std::filesystem;

/// The files that the arguments mean: a file as it is, a directory with all below it that the
/// feed's pattern takes.
Result<std::vector<std::string>> find_files(const std::vector<std::string>& arguments,
                                            const FeedConfig& feed) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    std::error_code error;
    const fs::file_status status = fs::status(argument, error);
    if (error || !fs::exists(status)) {
      return fail(ErrorKind::usage,
                  fmt::format("{}: {}", argument,
                              error ? error.message() : std::string("No such file or directory")));
    }
    if (fs::is_regular_file(status)) {
      files.push_back(argument);
      continue;
    }
    if (!fs::is_directory(status)) {
      return fail(ErrorKind::usage, fmt::format("{}: is neither a file nor a directory", argument));
    }
    const std::size_t before = files.size();
    for (auto entry = fs::recursive_directory_iterator(
             argument, fs::directory_options::skip_permission_denied, error);
         entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (error) break;
      const std::string name = entry->path().filename().string();
      // An archive's second file of a name is NAME~<8 hex>.
      const std::string own = name.substr(0, name.rfind('~'));
      if (!entry->is_regular_file(error) || entry->is_symlink(error)) continue;
      if (judge_name(name, feed.match).kind == NameKind::candidate ||
          (!own.empty() && judge_name(own, feed.match).kind == NameKind::candidate)) {
        files.push_back(entry->path().string());
      }
    }
    if (error) return fail(ErrorKind::usage, fmt::format("{}: {}", argument, error.message()));
    if (files.size() == before) {
      fmt::print(stderr, "caravel: warning: {}: holds no file that matches '{}'\n", argument,
                 feed.match);
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

/// Formats without storing: what would come of it.
PipelineResult dry_run(const std::string& path, const FormatOrder& order, Ledger* ledger,
                       const StopSignal& stop, Progress& progress) {
  PipelineResult result;
  const auto failed = [&](const Error& error) {
    result.ending = error.kind == ErrorKind::stopped ? Ending::stopped : Ending::failed;
    result.message = error.message;
    return result;
  };
  auto fd = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return failed(fd.error());
  auto stamp = stamp_of_fd(fd->get());
  if (!stamp) return failed(stamp.error());
  formatter::FormatMonitor monitor;
  monitor.stop = &stop;
  monitor.on_progress = [&](std::uint64_t bytes) {
    progress.show("formatting", bytes, stamp->size, "bytes");
  };
  auto report = format_file(fd->get(), order, {}, ledger, monitor);
  if (!report) return failed(report.error());
  if (report->mismatch) {
    result.ending = Ending::failed;
    result.message = "its content is not what its manifest says: a broken transfer";
    return result;
  }
  if (report->refusal) {
    result.ending = Ending::failed;
    result.message = *report->refusal;
    result.wants_year = report->year_unknown;
    return result;
  }
  const formatter::Counts& counts = report->result.counts;
  result.counts.lines = counts.lines;
  result.counts.rows = counts.rows;
  result.counts.dropped = counts.dropped;
  result.counts.rejected = counts.rejected;
  result.format = report->result.format != nullptr ? report->result.format->name : "";
  return result;
}

}  // namespace

int run_process(const CommandCall& call) {
  CommandLine line(
      "caravel process [options] FILE|DIR…",
      "Loads old extracts from any place, in any of the formats, .gz and .zst too. The\n"
      "files stay as they are. Rows that are stored already are not stored again.");
  line.positional(true)
      .value("feed", "the feed that they belong to; not needed if there is only one")
      .value("format", "their format, instead of the feed's")
      .value("year", "the year of dates that have none")
      .flag("dry-run", "only say what would come of them")
      .flag("reprocess", "replace stored rows that come out different now")
      .flag("delete-stale",
            "with --reprocess: then remove rows that no longer come out (not those that another "
            "extract may have brought: they are listed)");
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  const bool dry = line.has("dry-run");
  if (line.arguments().empty()) {
    return report_error({ErrorKind::usage, "process: names no file; see --help", {}});
  }
  if (line.has("delete-stale") && !line.has("reprocess")) {
    return report_error({ErrorKind::usage, "--delete-stale goes with --reprocess", {}});
  }
  auto settings = load_settings(call, !dry);
  if (!settings) return report_error(settings.error());
  auto feed = choose_feed(settings->config, line.get("feed"));
  if (!feed) return report_error(feed.error());
  ByHand by_hand;
  auto year = line.year();
  if (!year) return report_error(year.error());
  by_hand.year = *year;
  if (const auto format = line.get("format"); format && *format != "auto") {
    by_hand.format = settings->formats.find(*format);
    if (by_hand.format == nullptr) {
      return report_error({ErrorKind::usage, settings->formats.unknown_name_message(*format), {}});
    }
  }
  auto files = find_files(line.arguments(), **feed);
  if (!files) return report_error(files.error());

  if (dry) {
    auto ledger = Ledger::open(settings->config.ledger_path(), Ledger::Mode::read_only);
    Totals totals;
    for (const std::string& file : *files) {
      if (call.stop.requested()) return kExitFailed;
      const std::string name = fs::path(file).filename().string();
      Progress progress(printable(name));
      FormatOrder order{settings->config, **feed, settings->formats, by_hand, name};
      if (auto manifest = manifest_beside(file);
          manifest && (*feed)->manifest != ManifestRule::ignore) {
        order.manifests.push_back(std::move(*manifest));
      }
      const PipelineResult result =
          dry_run(file, order, ledger ? &*ledger : nullptr, call.stop, progress);
      if (result.ending == Ending::done) {
        progress.say(fmt::format("{}: would load {} rows of {} lines; {} dropped, {} rejected ({})",
                                 printable(name), result.counts.rows, result.counts.lines,
                                 result.counts.dropped, result.counts.rejected, result.format));
      } else {
        progress.say(fmt::format("{}: {}", printable(name), result.message));
      }
      totals.add(result);
    }
    return totals.exit_code();
  }
  return load_by_hand(call, *settings, **feed, *files, [&](const std::string&, ExtractJob& job) {
    job.origin = Origin::process;
    job.by_hand = by_hand;
    job.reprocess = line.has("reprocess");
    job.delete_stale = line.has("delete-stale");
  });
}

}  // namespace caravel::watcher
