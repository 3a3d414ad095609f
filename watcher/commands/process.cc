// caravel process
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/commands/by_hand.h"
#include "watcher/commands/format_files.h"
#include "watcher/commands/setup.h"
#include "watcher/files/name_rules.h"
#include "watcher/pipeline/anonymising.h"
#include "watcher/privacy/private_copy.h"
#include "watcher/service/console.h"
#include "watcher/spool/archive.h"
#include "watcher/terminal/progress.h"

namespace caravel::watcher {
namespace {

namespace fs = std::filesystem;

/// Whether a name in a directory is one of the feed's extracts.
bool is_extract_name(const std::string& name, const FeedConfig& feed) {
  // The archive gives the second file of a name another one.
  const std::string_view own = original_name(name);
  return judge_name(name, feed.match).kind == NameKind::candidate ||
         judge_name(own, feed.match).kind == NameKind::candidate;
}

/// The extracts of the feed in a directory and below it, by path. No symbolic link is followed: it
/// could lead out of the directory, or round in a circle.
Result<std::vector<std::string>> find_in_directory(const std::string& directory,
                                                   const FeedConfig& feed) {
  std::vector<std::string> files;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(
           directory, fs::directory_options::skip_permission_denied, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error) break;
    if (!entry->is_regular_file(error) || entry->is_symlink(error)) continue;
    if (is_extract_name(entry->path().filename().string(), feed)) {
      files.push_back(entry->path().string());
    }
  }
  if (error) return fail(ErrorKind::usage, fmt::format("{}: {}", directory, error.message()));
  // A warning and no error: of several directories one may well be empty.
  if (files.empty()) {
    say("warning: {}: holds no file that matches '{}'", directory, feed.match);
  }
  // In the order of the paths, so that each run loads in the same order.
  std::sort(files.begin(), files.end());
  return files;
}

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
    // A file that is named is meant, whether or not the feed's pattern takes its name.
    if (fs::is_regular_file(status)) {
      files.push_back(argument);
    } else if (fs::is_directory(status)) {
      CARAVEL_ASSIGN_OR_RETURN(const auto found, find_in_directory(argument, feed));
      files.insert(files.end(), found.begin(), found.end());
    } else {
      return fail(ErrorKind::usage, fmt::format("{}: is neither a file nor a directory", argument));
    }
  }
  return files;
}

/// What would be loaded of a feed whose format has `privacy`: the copy. Its manifest speaks of the
/// original, so a dry run says nothing of broken transfers.
Result<> make_anonymous(FormatOrder& order, const FileStamp& stamp, UniqueFd& fd,
                        const formatter::FormatMonitor& monitor) {
  CARAVEL_ASSIGN_OR_RETURN(const auto* const format,
                           private_format(order.feed, order.formats, order.by_hand));
  if (format == nullptr) return {};
  order.manifests.clear();
  CopyOrder copy{order.config, *format, order.name,
                 order.by_hand.year ? ExtractTime::of_year(*order.by_hand.year).years
                                    : ExtractTime::of_file(order.name, stamp).years};
  copy.accept_unterminated = order.feed.accept_unterminated;
  CARAVEL_ASSIGN_OR_RETURN(fd, unnamed_private_copy(fd.get(), temporary_folder(), copy, monitor));
  return {};
}

/// Formats the file and stores nothing; returns what a load would return.
PipelineResult dry_run(const std::string& path, FormatOrder order, Ledger* ledger,
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
  if (auto anonymous = make_anonymous(order, *stamp, *fd, monitor); !anonymous) {
    return failed(anonymous.error());
  }
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

/// What a person says over what the feed says.
Result<ByHand> by_hand_of(const Arguments& arguments, const formatter::FormatSet& formats) {
  ByHand by_hand;
  CARAVEL_ASSIGN_OR_RETURN(by_hand.year, arguments.year());
  if (const auto format = arguments.get("format"); format && *format != "auto") {
    by_hand.format = formats.find(*format);
    if (by_hand.format == nullptr) {
      return fail(ErrorKind::usage, formats.unknown_name_message(*format));
    }
  }
  return by_hand;
}

/// Prints what would come of each file; returns the exit code.
int dry_run_all(const CommandCall& call, const Settings& settings, const FeedConfig& feed,
                const std::vector<std::string>& files, const ByHand& by_hand) {
  // The ledger may know which year an extract of the same content had; without one, mtimes decide.
  auto ledger = Ledger::open(settings.config.ledger_path(), Ledger::Mode::read_only);
  Totals totals;
  for (const std::string& file : files) {
    if (call.stop.requested()) return kExitFailed;
    const std::string name = fs::path(file).filename().string();
    Progress progress(printable(name));
    FormatOrder order{settings.config, feed, settings.formats, by_hand, name};
    if (auto manifest = manifest_beside(file); manifest && feed.manifest != ManifestRule::ignore) {
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

Result<int> run_process(const CommandCall& call) {
  const Arguments& arguments = call.arguments;
  const bool verify = arguments.has("verify");
  if (!verify && (arguments.has("since") || arguments.has("all"))) {
    return fail(ErrorKind::usage, "--since and --all go with --verify");
  }
  if (arguments.operands.empty() && !verify) {
    return fail(ErrorKind::usage, "process: names no file; see --help");
  }
  if (arguments.has("delete-stale") && !arguments.has("reprocess")) {
    return fail(ErrorKind::usage, "--delete-stale goes with --reprocess");
  }
  // A dry run asks no store, so it needs none of the passwords.
  const bool dry = arguments.has("dry-run") && !verify;
  CARAVEL_ASSIGN_OR_RETURN(const Settings settings,
                           load_settings(call, dry ? Secrets::leave : Secrets::read));
  CARAVEL_ASSIGN_OR_RETURN(const ByHand by_hand, by_hand_of(arguments, settings.formats));
  // All that the ledger knows: of the feed that is named, or of each.
  if (verify && arguments.operands.empty() && !arguments.has("feed")) {
    return verify_by_hand(call, settings, {}, by_hand);
  }
  CARAVEL_ASSIGN_OR_RETURN(const FeedConfig* const feed,
                           choose_feed(settings.config, arguments.get("feed")));
  // Every argument is looked at before the first file is loaded.
  CARAVEL_ASSIGN_OR_RETURN(const auto files, find_files(arguments.operands, *feed));
  if (verify) return verify_by_hand(call, settings, files, by_hand);
  if (dry) return dry_run_all(call, settings, *feed, files, by_hand);
  return load_by_hand(call, settings, *feed, files, [&](const std::string&, ExtractJob& job) {
    job.origin = Origin::process;
    job.by_hand = by_hand;
    job.reprocess = arguments.has("reprocess");
    job.delete_stale = arguments.has("delete-stale");
  });
}

}  // namespace

Command process_command() {
  return {
      .name = "process",
      .about = "load old extracts by hand, from any place",
      .usage = "[options] FILE|DIR…  |  --verify [--since DATE|--all]",
      .help =
          "Loads old extracts from any place, in any of the formats, .gz and .zst too. The\n"
          "files stay as they are. Rows that are stored already are not stored again.",
      .options = {value("feed=NAME",
                        "the feed that they belong to; not needed if there is only one"),
                  value("format=NAME", "their format, instead of the feed's"),
                  value("year=YEAR", "the year of dates that have none"),
                  flag("dry-run", "only say what would come of them"), wait_option(),
                  flag("verify", "ask the store for their rows and send only what it lacks"),
                  value("since=DATE",
                        "with --verify: all that was loaded since then (YYYY-MM-DD, UTC)"),
                  flag("all", "with --verify: all that the ledger knows as done"),
                  flag("reprocess", "replace stored rows that come out different now"),
                  flag("delete-stale",
                       "with --reprocess: then remove rows that no longer come out (not those that "
                       "another extract may have brought: they are listed)")},
      .operands = Operands::many,
      .run = run_process};
}

}  // namespace caravel::watcher
