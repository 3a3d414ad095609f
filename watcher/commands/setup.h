// What most commands begin with: the configuration with its formats, and the log.
#pragma once

#include <string>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "watcher/commands/command.h"
#include "watcher/config/config.h"

namespace caravel::watcher {

/// The folder of the shipped formats: beside the installed program, or of the source tree it was
/// built in.
[[nodiscard]] std::string shipped_formats();

/// Whether the command opens a store. One that does not is of use to people who may not read the
/// passwords.
enum class Secrets { read, leave };

/// Configuration and formats, checked against each other: every feed's format exists, every time
/// zone is known. Warnings are printed on stderr. Errors: kind usage.
struct Settings {
  Config config;
  formatter::FormatSet formats;
};
[[nodiscard]] Result<Settings> load_settings(const CommandCall& call, Secrets secrets);

}  // namespace caravel::watcher
