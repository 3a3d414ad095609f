// What most commands begin with: configuration, formats, spool, log.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "watcher/commands/command_line.h"
#include "watcher/config/config.h"
#include "watcher/service/worker.h"
#include "watcher/spool/spool.h"

namespace caravel::watcher {

/// The folder of the shipped formats: beside the installed program, or of the source tree it was
/// built in.
[[nodiscard]] std::string shipped_formats();

/// Configuration and formats, checked against each other: every feed's format exists, every time
/// zone is known. Warnings are said on stderr. Errors: kind usage.
struct Settings {
  Config config;
  formatter::FormatSet formats;
};
[[nodiscard]] Result<Settings> load_settings(const CommandCall& call, bool secrets);

/// Messages go to stderr: plain for people, with time stamps where they are logged to a file.
void start_logging(const std::string& level, bool for_people);

/// A progress line on stderr, if that is a terminal and things take more than a second.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view stage, std::uint64_t done, std::uint64_t of, std::string_view unit);
  /// A line that stays; the progress line comes back below it.
  void say(const std::string& text);
  void clear();

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace caravel::watcher
