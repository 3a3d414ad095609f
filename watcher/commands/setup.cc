#include "watcher/commands/setup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "uploader/utc_time.h"
#include "watcher/ledger/extracts.h"
#include "watcher/service/console.h"
#include "watcher/spool/by_hand.h"

namespace caravel::watcher {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<Config> read_config_file(const CommandCall& call, Secrets secrets) {
  const std::string file = find_config(call.config, std::getenv("CARAVEL_CONFIG"));
  ConfigOptions options;
  options.secrets = secrets == Secrets::read;
  options.credentials_directory = environment("CREDENTIALS_DIRECTORY");
  options.variables = environment_variable;
  return load_config(file, call.stores, options);
}

/// What the configuration alone cannot know: which formats and time zones there are.
Result<> check_feeds(const Config& config, const formatter::FormatSet& formats) {
  Errors errors;
  for (const FeedConfig& feed : config.feeds) {
    if (feed.format != "auto" && formats.find(feed.format) == nullptr) {
      errors.add(fail(ErrorKind::usage, fmt::format("{}: {}", feed.format_place,
                                                    formats.unknown_name_message(feed.format))));
    }
    if (feed.timezone.empty()) continue;
    if (auto known = uploader::validate_timezone(feed.timezone); !known) {
      errors.add(fail(ErrorKind::usage,
                      fmt::format("{}: {}", feed.timezone_place, known.error().message)));
    }
  }
  return errors.result();
}

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string shipped_formats() {
  std::error_code error;
  // argv[0] would be whatever the caller chose, and may be relative to a directory that is gone.
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    // The install rules put bin/caravel and share/caravel/formats under one prefix.
    const auto beside = program.parent_path().parent_path() / "share/caravel/formats";
    if (std::filesystem::is_directory(beside, error)) return beside.string();
  }
  // A program that was built but not installed uses the formats of its source tree.
  return CARAVEL_SOURCE_FORMATS;
}

Result<Config> load_only_config(const CommandCall& call, Secrets secrets) {
  CARAVEL_ASSIGN_OR_RETURN(auto config, read_config_file(call, secrets));
  for (const std::string& warning : config.warnings) say("warning: {}", warning);
  return config;
}

Result<Settings> load_settings(const CommandCall& call, Secrets secrets) {
  CARAVEL_ASSIGN_OR_RETURN(auto config, read_config_file(call, secrets));
  std::vector<std::string> folders = config.formats;
  folders.insert(folders.begin(), shipped_formats());
  CARAVEL_ASSIGN_OR_RETURN(auto formats, formatter::FormatSet::load(folders));
  // Only now are the formats known. The errors still name file and line of the configuration.
  CARAVEL_TRY(check_feeds(config, formats));
  for (const std::string& warning : config.warnings) {
    say("warning: {}", warning);
  }
  return Settings{std::move(config), std::move(formats)};
}

Result<Ledger> open_ledger_to_ask(const Config& config) {
  const std::string path = config.ledger_path();
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, Ledger::open(path, Ledger::Mode::read_only));
  bool any = false;
  for (const Origin origin : {Origin::process, Origin::upload}) {
    CARAVEL_ASSIGN_OR_RETURN(const auto open, ledger.extracts().unfinished(origin));
    any = any || !open.empty();
  }
  struct stat file {};
  if (!any || ::stat(path.c_str(), &file) != 0 || file.st_uid != ::geteuid()) return ledger;
  // What cannot be settled now, because another process writes or the disk is full, the next
  // command will settle: an answer that is late by a load is better than none.
  if (auto writable = Ledger::open(path)) {
    const auto now = std::chrono::system_clock::now();
    if (const auto said = settle_broken_off_loads(config.state, nullptr, *writable, now)) {
      for (const std::string& text : *said) say("{}", text);
    }
  }
  return ledger;
}

}  // namespace caravel::watcher
