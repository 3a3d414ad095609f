// The command line of one command: Boost.Program_options with our error messages and help.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/commands/command.h"

namespace caravel::watcher {

/// Reads what stood behind the command's name. With --help (the option "help" is then there) the
/// operands are not counted. Errors: kind usage, one sentence, with the nearest known option.
[[nodiscard]] Result<Arguments> parse_arguments(const Command& command,
                                                const std::vector<std::string>& arguments);

/// All options of a command, those that every command has last. It refers to texts of `command`.
[[nodiscard]] std::vector<OptionHelp> option_table(const Command& command);

/// `caravel COMMAND --help`.
[[nodiscard]] std::string help_text(const Command& command);

/// Takes every `NAME VALUE` and `NAME=VALUE` up to "--" out of the arguments, and returns the last
/// value. `if_missing` is what an option without a value is told: "names no file".
[[nodiscard]] Result<std::optional<std::string>> take_value(std::vector<std::string>& arguments,
                                                            const std::string& name,
                                                            std::string_view if_missing);

}  // namespace caravel::watcher
