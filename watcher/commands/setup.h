// What most commands begin with: the configuration with its formats, the log, the ledger.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "formatter/formats/format.h"
#include "watcher/commands/command.h"
#include "watcher/config/config.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// The folder of the shipped formats: beside the installed program, or of the source tree it was
/// built in.
[[nodiscard]] std::string shipped_formats();

/// What ${NAME} in the configuration stands for.
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);

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

/// The configuration alone, for a command that needs no format. Warnings and errors as above.
[[nodiscard]] Result<Config> load_only_config(const CommandCall& call, Secrets secrets);

/// The ledger, for a command that answers questions. Loads whose command was killed look alive in
/// it: they are settled first, and that is said on stderr. Only the ledger's own user does so, for
/// what another one writes there may be closed to the service.
[[nodiscard]] Result<Ledger> open_ledger_to_ask(const Config& config);

}  // namespace caravel::watcher
