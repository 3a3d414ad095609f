// Commands that the page shows for copying into a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "watcher/ledger/extract.h"

namespace caravel::watcher {

/// One word for a POSIX shell, whatever bytes it holds: in single quotes unless it is plain.
[[nodiscard]] std::string shell_word(std::string_view text);

/// "caravel retry NAME", with --config unless the configuration lies where it is looked for anyway.
/// `arguments` are quoted here; they stand behind "--" if one of them begins with "-".
[[nodiscard]] std::string shell_command(std::string_view command, const std::string& config,
                                        const std::vector<std::string>& arguments);

/// How a command names this extract: by its name if that can be read and copied as it is shown,
/// else by its SHA-256; "" if neither will do.
[[nodiscard]] std::string operand_of(const Extract& extract);

}  // namespace caravel::watcher
