// caravel format
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "watcher/commands/command_line.h"
#include "watcher/commands/setup.h"
#include "watcher/commands/store_types.h"
#include "watcher/files/name_rules.h"
#include "watcher/pipeline/extract_time.h"

namespace caravel::watcher {
namespace {

/// The shipped formats, and those of the configuration if there is one.
Result<formatter::FormatSet> load_formats(const CommandCall& call) {
  const char* const env = std::getenv("CARAVEL_CONFIG");
  const bool named = call.config || (env != nullptr && *env != '\0');
  const std::string file = find_config(call.config, env);
  std::vector<std::string> folders = {shipped_formats()};
  if (named || ::access(file.c_str(), R_OK) == 0) {
    ConfigOptions options;
    options.secrets = false;
    CARAVEL_ASSIGN_OR_RETURN(auto config, load_config(file, all_store_types(), options));
    folders.insert(folders.end(), config.formats.begin(), config.formats.end());
  }
  return formatter::FormatSet::load(folders);
}

struct Source {
  UniqueFd fd;
  std::string name;  // "" for stdin
  struct stat status {};
};

Result<Source> open_source(const std::vector<std::string>& arguments) {
  Source source;
  if (arguments.empty() || arguments[0] == "-") {
    source.fd = UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!source.fd) return fail_with_errno("stdin", errno);
  } else {
    auto fd = open_file(arguments[0], O_RDONLY);
    if (!fd) return fail(ErrorKind::usage, fd.error().message);
    source.fd = std::move(*fd);
    source.name = std::filesystem::path(arguments[0]).filename().string();
  }
  if (::fstat(source.fd.get(), &source.status) != 0) return fail_with_errno("stat", errno);
  if (S_ISDIR(source.status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("{}: is a directory", arguments[0]));
  }
  return source;
}

/// Writing over what is being read would destroy it.
Result<> expect_other_file(const std::string& path, const Source& source) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  if (status.st_dev == source.status.st_dev && status.st_ino == source.status.st_ino) {
    return fail(ErrorKind::usage, fmt::format("{}: is the extract itself", path));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("{}: is there and is no regular file", path));
  }
  return {};
}

/// What `--rejects PATH` writes.
formatter::Rejects::Paths reject_paths(const std::string& path) {
  return {path, path + ".reasons.csv", path + ".cut"};
}

/// What an earlier run left under these names does not speak of this one.
void remove_leftovers(const formatter::Rejects::Paths& paths) {
  for (const std::string& file : {paths.lines, paths.reasons, paths.cut}) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode)) ::unlink(file.c_str());
  }
}

/// Whether two paths lead to one place, also if nothing is there yet.
bool is_same_place(const std::string& a, const std::string& b) {
  const auto place_of = [](const std::string& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    auto place = std::filesystem::weakly_canonical(absolute, error);
    return error ? absolute.lexically_normal() : place;
  };
  return place_of(a) == place_of(b);
}

/// Before anything is opened for writing: no two of the files that we read and write are the same.
Result<> expect_other_files(const std::optional<formatter::Rejects::Paths>& rejects,
                            const std::optional<std::string>& sidecar, const Source& source) {
  if (sidecar) CARAVEL_TRY(expect_other_file(*sidecar, source));
  if (!rejects) return {};
  for (const std::string& file : {rejects->lines, rejects->reasons, rejects->cut}) {
    CARAVEL_TRY(expect_other_file(file, source));
    if (sidecar && is_same_place(file, *sidecar)) {
      return fail(ErrorKind::usage,
                  fmt::format("{}: is wanted for the sidecar and for rejects", file));
    }
  }
  return {};
}

ExtractTime time_of(const Source& source) {
  if (S_ISREG(source.status.st_mode)) {
    return ExtractTime::of_file(source.name,
                                source.status.st_mtim.tv_sec * std::int64_t{1'000'000'000});
  }
  // What comes through a pipe comes now.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return ExtractTime::of_file(source.name,
                              std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

/// A file without a name for CSV whose years are not believed yet.
Result<UniqueFd> unnamed_file() {
  const char* const folder = std::getenv("TMPDIR");
  const std::string path = folder != nullptr && *folder != '\0' ? folder : "/tmp";
  return open_file(path, O_RDWR | O_TMPFILE);
}

Result<> copy_to_stdout(int fd) {
  if (::lseek(fd, 0, SEEK_SET) != 0) return fail_with_errno("seek", errno);
  std::string chunk(256 * 1024, '\0');
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto got, read_some(fd, chunk.data(), chunk.size()));
    if (got == 0) return {};
    CARAVEL_TRY(write_all(STDOUT_FILENO, std::string_view(chunk).substr(0, got)));
  }
}

Result<formatter::FormatResult> format(const CommandCall& call, const CommandLine& line,
                                       const formatter::FormatSet& formats) {
  CARAVEL_ASSIGN_OR_RETURN(auto source, open_source(line.arguments()));
  formatter::FormatRequest request;
  request.formats = &formats;
  if (const auto name = line.get("format"); name && *name != "auto") {
    request.format = formats.find(*name);
    if (request.format == nullptr) {
      return fail(ErrorKind::usage, formats.unknown_name_message(*name));
    }
  }
  request.accept_unterminated = line.has("accept-unterminated");
  auto year = line.year();
  if (!year) return tl::unexpected(year.error());
  const ExtractTime time = *year ? ExtractTime::of_year(**year) : time_of(source);
  request.years = time.years;

  // If only an mtime speaks, nothing is shown before the last line has confirmed it.
  const bool doubtful =
      time.only_mtime && (request.format == nullptr || request.format->needs_year());
  UniqueFd held;
  if (doubtful) {
    CARAVEL_ASSIGN_OR_RETURN(auto fd, unnamed_file());
    held = std::move(fd);
  }
  std::optional<formatter::Rejects::Paths> reject_files;
  if (const auto path = line.get("rejects")) reject_files = reject_paths(*path);
  const auto sidecar_path = line.get("sidecar");
  CARAVEL_TRY(expect_other_files(reject_files, sidecar_path, source));
  if (reject_files) remove_leftovers(*reject_files);
  UniqueFd sidecar_fd;
  if (sidecar_path) {
    auto fd = open_file(*sidecar_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (!fd) return fail(ErrorKind::usage, fd.error().message);
    sidecar_fd = std::move(*fd);
  }

  formatter::Input::Options options;
  options.digest = static_cast<bool>(sidecar_fd);
  options.name = source.name;
  Progress progress(source.name.empty() ? "stdin" : printable(source.name));
  formatter::FormatMonitor monitor;
  monitor.stop = &call.stop;
  monitor.on_progress = [&](std::uint64_t bytes) {
    progress.show("formatting", bytes, static_cast<std::uint64_t>(source.status.st_size), "bytes");
  };
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(source.fd), options));
  formatter::Output csv(held ? held.get() : STDOUT_FILENO);
  formatter::Output sidecar(sidecar_fd ? sidecar_fd.get() : -1);
  formatter::Rejects rejects =
      reject_files ? formatter::Rejects(*reject_files)
                   : formatter::Rejects([&](std::uint64_t number, std::uint64_t offset,
                                            std::string_view reason, std::string_view bytes) {
                       progress.say(fmt::format("line {}, offset {}: {}: {}", number, offset,
                                                reason, printable(bytes)));
                     });
  CARAVEL_ASSIGN_OR_RETURN(auto result,
                           format_extract(input, request, {csv, sidecar, rejects}, monitor));
  if (doubtful) {
    if (result.format != nullptr && result.format->needs_year() && result.last_date &&
        !formatter::mtime_is_credible(*result.last_date, time.time)) {
      return fail(
          ErrorKind::usage,
          "the year of its dates cannot be known: its last line lies more than 30 days from "
          "its mtime. Name the year with --year");
    }
    CARAVEL_TRY(copy_to_stdout(held.get()));
  }
  return result;
}

}  // namespace

int run_format(const CommandCall& call) {
  CommandLine line(
      "caravel format [options] [FILE]",
      "A filter: an extract in (FILE or stdin; .gz and .zst too), CSV out on stdout.\n"
      "Rejected lines go to stderr. Dates without a year get the one that fits the date in\n"
      "FILE's name or its mtime.");
  line.positional(false)
      .value("format", "the format; without it, it is found from the first lines")
      .value("year", "the year of dates that have none")
      .value(
          "rejects",
          "write rejected lines to X, the reasons to X.reasons.csv, a cut-off last line to X.cut")
      .value("sidecar", "write what `upload` needs beside the CSV to X")
      .flag("accept-unterminated", "take a last line that has no line end");
  if (auto parsed = line.parse(call.arguments); !parsed) return report_error(parsed.error());
  if (line.help_wanted()) {
    fmt::print("{}", line.help());
    return kExitGood;
  }
  auto formats = load_formats(call);
  if (!formats) return report_error(formats.error());
  auto result = format(call, line, *formats);
  if (!result) return report_error(result.error());
  const formatter::Counts& counts = result->counts;
  fmt::print(stderr, "caravel: {} lines: {} rows, {} dropped, {} rejected{}\n", counts.lines,
             counts.rows, counts.dropped, counts.rejected,
             result->format != nullptr ? fmt::format(" ({})", result->format->name) : "");
  return counts.rejected > 0 ? kExitRejects : kExitGood;
}

}  // namespace caravel::watcher
