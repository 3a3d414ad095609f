#include "watcher/commands/setup.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "uploader/utc_time.h"
#include "watcher/commands/store_types.h"

namespace caravel::watcher {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string shipped_formats() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto beside = program.parent_path().parent_path() / "share/caravel/formats";
    if (std::filesystem::is_directory(beside, error)) return beside.string();
  }
  return CARAVEL_SOURCE_FORMATS;
}

Result<Settings> load_settings(const CommandCall& call, bool secrets) {
  // Sockets and pipes that the other side closed are errors of calls, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  const std::string file = find_config(call.config, std::getenv("CARAVEL_CONFIG"));
  ConfigOptions options;
  options.secrets = secrets;
  options.credentials_directory = environment("CREDENTIALS_DIRECTORY");
  CARAVEL_ASSIGN_OR_RETURN(auto config, load_config(file, all_store_types(), options));
  std::vector<std::string> folders = config.formats;
  folders.insert(folders.begin(), shipped_formats());
  CARAVEL_ASSIGN_OR_RETURN(auto formats, formatter::FormatSet::load(folders));
  for (const FeedConfig& feed : config.feeds) {
    if (feed.format != "auto" && formats.find(feed.format) == nullptr) {
      return fail(ErrorKind::usage, fmt::format("{}: {}", feed.format_place,
                                                formats.unknown_name_message(feed.format)));
    }
    if (feed.timezone.empty()) continue;
    if (auto known = uploader::validate_timezone(feed.timezone); !known) {
      return fail(ErrorKind::usage,
                  fmt::format("{}: {}", feed.timezone_place, known.error().message));
    }
  }
  for (const std::string& warning : config.warnings) {
    fmt::print(stderr, "caravel: warning: {}\n", warning);
  }
  return Settings{std::move(config), std::move(formats)};
}

void start_logging(const std::string& level, bool for_people) {
  auto logger = spdlog::stderr_color_mt("caravel");
  logger->set_level(spdlog::level::from_str(level));
  // journald stamps the lines itself (sd-daemon(3) sets JOURNAL_STREAM).
  const bool stamped = !for_people && environment("JOURNAL_STREAM").empty();
  logger->set_pattern(for_people ? "caravel: %v"
                      : stamped  ? "%Y-%m-%dT%H:%M:%S.%eZ %l: %v"
                                 : "%l: %v",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(logger);
}

Progress::Progress(std::string what)
    : what_(std::move(what)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      began_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::show(std::string_view stage, std::uint64_t done, std::uint64_t of,
                    std::string_view unit) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - began_ < std::chrono::seconds(1) || now - drawn_ < std::chrono::milliseconds(100)) {
    return;
  }
  drawn_ = now;
  shown_ = true;
  constexpr std::uint64_t kWidth = 30;
  const std::uint64_t filled = of > 0 ? std::min(kWidth, done * kWidth / of) : 0;
  fmt::print(stderr, "\r\033[K{} {} [{:#<{}}{:.<{}}] {}/{} {}", what_, stage, "", filled, "",
             kWidth - filled, done, of, unit);
  std::fflush(stderr);
}

void Progress::say(const std::string& text) {
  clear();
  fmt::print(stderr, "caravel: {}\n", text);
}

void Progress::clear() {
  if (std::exchange(shown_, false)) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
  }
}

}  // namespace caravel::watcher
