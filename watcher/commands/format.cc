// caravel format
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "formatter/formatter.h"
#include "formatter/suggest/summary.h"
#include "watcher/commands/format_files.h"
#include "watcher/commands/setup.h"
#include "watcher/describe/describe.h"
#include "watcher/files/file_stamp.h"
#include "watcher/files/name_rules.h"
#include "watcher/pipeline/extract_time.h"
#include "watcher/privacy/private_copy.h"
#include "watcher/service/console.h"
#include "watcher/spool/room.h"
#include "watcher/terminal/progress.h"

namespace caravel::watcher {
namespace {

struct FormatSettings {
  Config config;  // its limits
  formatter::FormatSet formats;
};

/// The shipped formats, and those of the configuration if there is one, with its limits.
Result<FormatSettings> load_formats(const CommandCall& call) {
  FormatSettings settings;
  const char* const env = std::getenv("CARAVEL_CONFIG");
  // A configuration that a person names must be there. The one at the usual place may be missing,
  // for a filter needs none.
  const bool named = call.config || (env != nullptr && *env != '\0');
  const std::string file = find_config(call.config, env);
  std::vector<std::string> folders = {shipped_formats()};
  if (named || ::access(file.c_str(), R_OK) == 0) {
    ConfigOptions options;
    options.secrets = false;
    options.variables = environment_variable;
    CARAVEL_ASSIGN_OR_RETURN(settings.config, load_config(file, call.stores, options));
    const auto& own = settings.config.formats;
    folders.insert(folders.end(), own.begin(), own.end());
  }
  CARAVEL_ASSIGN_OR_RETURN(settings.formats, formatter::FormatSet::load(folders));
  return settings;
}

/// The time that says which year dates without one are in: that of the file, by name or mtime.
ExtractTime time_of(const FormatSource& source) {
  FileStamp stamp = stamp_of(source.status);
  if (!S_ISREG(source.status.st_mode)) {
    // What comes through a pipe comes now.
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    stamp.mtime_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    stamp.ctime_ns = stamp.mtime_ns;
  }
  return ExtractTime::of_file(source.name, stamp);
}

/// What is known before the first byte is read.
struct FormatPlan {
  formatter::FormatRequest request;
  ExtractTime time;
  /// Only an mtime says which year the dates are in: nothing is shown before the last line has
  /// confirmed it.
  bool doubtful = false;
};

Result<FormatPlan> plan_for(const Arguments& arguments, const formatter::FormatSet& formats,
                            const FormatSource& source) {
  FormatPlan plan;
  plan.request.formats = &formats;
  if (const auto name = arguments.get("format"); name && *name != "auto") {
    plan.request.format = formats.find(*name);
    if (plan.request.format == nullptr) {
      return fail(ErrorKind::usage, formats.unknown_name_message(*name));
    }
  }
  plan.request.accept_unterminated = arguments.has("accept-unterminated");
  CARAVEL_ASSIGN_OR_RETURN(const auto year, arguments.year());
  plan.time = year ? ExtractTime::of_year(*year) : time_of(source);
  plan.request.years = plan.time.years;
  plan.doubtful =
      plan.time.only_mtime && (plan.request.format == nullptr || plan.request.format->needs_year());
  return plan;
}

/// What is written to files has the limits that it has in the spool. What goes to stdout and stderr
/// is somebody else's, and is streamed whatever comes.
formatter::FormatRequest limited(formatter::FormatRequest request, const FormatFiles& files,
                                 const Config& config) {
  constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();
  request.max_unpacked = files.any() ? config.max_unpacked : kNoLimit;
  request.max_ratio = files.any() ? config.max_ratio : kNoLimit;
  return request;
}

/// Rejected lines go to their files or, without any, to stderr.
formatter::Rejects rejects_for(const FormatFiles& files, const formatter::RejectLimits& limits,
                               Progress& progress) {
  if (files.rejects) {
    return formatter::Rejects(*files.rejects, formatter::Rejects::Mode::fresh, limits);
  }
  return formatter::Rejects([&progress](std::uint64_t number, std::uint64_t offset,
                                        std::string_view reason, std::string_view bytes) {
    progress.say(format_shown("line {}, offset {}: {}: {}", number, offset, reason, bytes));
  });
}

/// Whether the year that was taken from an mtime agrees with the last line.
Result<> confirm_year(const formatter::FormatResult& result, const ExtractTime& time) {
  // The format that `auto` found may have dates with years: then the mtime was not needed.
  if (result.format != nullptr && result.format->needs_year() && result.last_date &&
      !formatter::mtime_is_credible(*result.last_date, time.time)) {
    return fail(ErrorKind::usage,
                "the year of its dates cannot be known: its last line lies more than 30 days from "
                "its " +
                    time.known.time_source + ". Name the year with --year");
  }
  return {};
}

void tell_by_place(std::uint64_t rejects, const FormatSource& source) {
  if (rejects == 0) return;
  say("{} rejects are kept by their place only, since they take more than max_reject_bytes: keep "
      "{} as long as the files of --rejects",
      rejects, source.name);
}

CopyOrder copy_order(const FormatSettings& settings, const FormatPlan& plan,
                     const FormatSource& source) {
  CopyOrder order{settings.config, *plan.request.format, source.name, plan.request.years};
  order.accept_unterminated = plan.request.accept_unterminated;
  order.digest = false;
  return order;
}

/// `--anonymise`: the filter alone, from lines to lines.
Result<int> anonymise_source(const CommandCall& call, const FormatSettings& settings) {
  CARAVEL_ASSIGN_OR_RETURN(const auto source, open_format_source(call.arguments.operands));
  CARAVEL_ASSIGN_OR_RETURN(const FormatPlan plan,
                           plan_for(call.arguments, settings.formats, source));
  if (plan.request.format == nullptr || !plan.request.format->privacy) {
    return fail(ErrorKind::usage, "--anonymise needs --format with a format that has `privacy`");
  }
  for (const char* option : {"rejects", "sidecar"}) {
    if (call.arguments.has(option)) {
      return fail(ErrorKind::usage, fmt::format("--{} does not go with --anonymise", option));
    }
  }
  CopyOrder order = copy_order(settings, plan, source);
  order.plain = true;
  formatter::FormatMonitor monitor;
  monitor.stop = &call.stop;
  CARAVEL_ASSIGN_OR_RETURN(const auto written,
                           write_private_copy(source.fd.get(), STDOUT_FILENO, order, monitor));
  if (const auto why = why_not_loaded(written, order.format); !why.empty()) {
    return fail(ErrorKind::content, why);
  }
  say("{} lines: {} of them could not be made anonymous and were removed", written.lines,
      written.removed);
  return written.removed > 0 ? kExitRejects : kExitGood;
}

/// Neither stdout nor a message may show what the format hides: from here on there is only the
/// copy.
Result<> make_anonymous(const FormatSettings& settings, const FormatPlan& plan,
                        const formatter::FormatMonitor& monitor, FormatSource& source) {
  if (plan.request.format == nullptr || !plan.request.format->privacy) return {};
  CARAVEL_ASSIGN_OR_RETURN(source.fd,
                           unnamed_private_copy(source.fd.get(), temporary_folder(),
                                                copy_order(settings, plan, source), monitor));
  return {};
}

Result<formatter::FormatResult> format_source(const CommandCall& call,
                                              const FormatSettings& settings) {
  CARAVEL_ASSIGN_OR_RETURN(auto source, open_format_source(call.arguments.operands));
  CARAVEL_ASSIGN_OR_RETURN(const FormatPlan plan,
                           plan_for(call.arguments, settings.formats, source));
  CARAVEL_ASSIGN_OR_RETURN(const FormatFiles files,
                           open_format_files(call.arguments.get("rejects"),
                                             call.arguments.get("sidecar"), source, plan.doubtful));
  Progress progress(source.name.empty() ? "stdin" : printable(source.name));
  formatter::FormatMonitor monitor;
  monitor.stop = &call.stop;
  monitor.on_progress = [&](std::uint64_t bytes) {
    progress.show("formatting", bytes, static_cast<std::uint64_t>(source.status.st_size), "bytes");
  };
  CARAVEL_TRY(make_anonymous(settings, plan, monitor, source));
  formatter::Input::Options options;
  options.digest = static_cast<bool>(files.sidecar);  // only a sidecar names the extract's SHA-256
  options.name = source.name;
  options.max_window = settings.config.max_window;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(source.fd), options));
  const Room room(settings.config.min_free);
  formatter::Space space(ask_room(room, settings.config.max_unpacked));
  formatter::RejectLimits limits;
  limits.max_bytes = settings.config.max_reject_bytes;
  limits.has_original = S_ISREG(source.status.st_mode);
  limits.space = &space;
  // Rows of a doubtful year go to the file without a name first, see unnamed_file().
  formatter::Output csv(files.held ? files.held.get() : STDOUT_FILENO,
                        files.held ? &space : nullptr);
  formatter::Output sidecar(files.sidecar ? files.sidecar.get() : -1, &space);
  formatter::Rejects rejects = rejects_for(files, limits, progress);
  CARAVEL_ASSIGN_OR_RETURN(auto result,
                           format_extract(input, limited(plan.request, files, settings.config),
                                          {csv, sidecar, rejects}, monitor));
  tell_by_place(rejects.by_place(), source);
  if (plan.doubtful) {
    CARAVEL_TRY(confirm_year(result, plan.time));
    CARAVEL_TRY(copy_to_stdout(files.held.get()));
  }
  return result;
}

/// `--explain` and `--stats`: no row is made, so nothing has to be known for sure, not even a year.
Result<formatter::FormatResult> describe_source(const CommandCall& call,
                                                const FormatSettings& settings) {
  for (const char* const file : {"rejects", "sidecar"}) {
    if (!call.arguments.has(file)) continue;
    return fail(ErrorKind::usage,
                fmt::format("--explain and --stats write no file: leave out --{}", file));
  }
  CARAVEL_ASSIGN_OR_RETURN(auto source, open_format_source(call.arguments.operands));
  CARAVEL_ASSIGN_OR_RETURN(const FormatPlan plan,
                           plan_for(call.arguments, settings.formats, source));
  formatter::Input::Options options;
  options.digest = false;
  options.name = source.name;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(source.fd), options));
  const Description wanted{.lines = call.arguments.has("explain"),
                           .summary = call.arguments.has("stats")};
  return describe(input, limited(plan.request, {}, settings.config), wanted, call.stop);
}

/// `--suggest`: the format goes to stdout, ready to be saved; how well it fits, to stderr.
Result<int> suggest(const CommandCall& call, const formatter::FormatSet& known) {
  for (const auto& [option, value] : call.arguments.options) {
    if (option != "suggest") {
      return fail(ErrorKind::usage, fmt::format("--suggest does not go with --{}", option));
    }
  }
  CARAVEL_ASSIGN_OR_RETURN(auto source, open_format_source(call.arguments.operands));
  formatter::Input::Options options;
  options.digest = false;
  options.name = source.name;
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(source.fd), options));
  CARAVEL_ASSIGN_OR_RETURN(const auto sample, formatter::read_sample(input));
  CARAVEL_ASSIGN_OR_RETURN(const auto suggestion,
                           formatter::suggest_format(sample, source.name, known));
  CARAVEL_TRY(print(suggestion.yaml));
  for (const std::string& line : formatter::summary_of(suggestion, sample)) say("{}", line);
  return suggestion.trial.takes(formatter::kGoodPercent) ? kExitGood : kExitRejects;
}

Result<int> run_format(const CommandCall& call) {
  CARAVEL_ASSIGN_OR_RETURN(const FormatSettings settings, load_formats(call));
  if (call.arguments.has("suggest")) return suggest(call, settings.formats);
  if (call.arguments.has("anonymise")) return anonymise_source(call, settings);
  const bool describes = call.arguments.has("explain") || call.arguments.has("stats");
  CARAVEL_ASSIGN_OR_RETURN(
      const formatter::FormatResult result,
      describes ? describe_source(call, settings) : format_source(call, settings));
  const formatter::Counts& counts = result.counts;
  say("{} lines: {} rows{}, {} dropped, {} rejected{}", counts.lines, counts.rows,
      counts.more_lines == 0 ? "" : fmt::format(" (of {} lines)", counts.row_lines()),
      counts.dropped, counts.rejected,
      result.format != nullptr ? fmt::format(" ({})", result.format->name) : "");
  return counts.rejected > 0 ? kExitRejects : kExitGood;
}

}  // namespace

Command format_command() {
  return {
      .name = "format",
      .about = "a filter: extract in, CSV out",
      .usage = "[options] [FILE]",
      .help =
          "A filter: an extract in (FILE or stdin; .gz and .zst too), CSV out on stdout.\n"
          "Rejected lines go to stderr. Dates without a year get the one that fits the\n"
          "date in FILE's name or its mtime.\n"
          "With --explain or --stats no CSV is written, but what the format makes of the\n"
          "lines. With --suggest: reads the first lines of FILE (at most 10 MiB) and prints\n"
          "a format for them, a YAML file that is ready to be saved; how well it fits goes\n"
          "to stderr. Exit code 3 then says that it takes less than 95 % of the lines.",
      .options =
          {value("format=NAME", "the format; without it, it is found from the first lines"),
           value("year=YEAR", "the year of dates that have none"),
           value("rejects=FILE",
                 "write rejected lines to FILE, the reasons to FILE.reasons.csv, a cut-off last "
                 "line to FILE.cut"),
           value("sidecar=FILE", "write what `upload` needs beside the CSV to FILE"),
           flag("anonymise", "lines out, as the `privacy` of --format has them (docs/privacy.md)"),
           flag("accept-unterminated", "take a last line that has no line end"),
           flag("explain", "show what becomes of each line, and why"),
           flag("stats", "show the kinds of lines, the reasons of rejects, the ranges of columns"),
           flag("suggest", "suggest a format for FILE instead of formatting it")},
      .operands = Operands::one,
      .run = run_format};
}

}  // namespace caravel::watcher
