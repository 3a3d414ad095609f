// What each option of the agent means, wherever it is given: on the command line or in a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/tail/agent.h"

namespace caravel::tail {

/// An option that takes a value. A new one is a row of the table in settings.cc, a line of
/// help_text(), and a line of docs/tail.md if it needs explaining.
struct Setting {
  std::string_view name;
  /// Relative paths are relative to `directory`. Errors are of kind usage, and do not name it.
  Result<> (*set)(AgentOptions&, const std::string& value, const std::string& directory);
};

/// Null if there is none of that name.
[[nodiscard]] const Setting* find_setting(std::string_view name);

/// The error for a name that there is not: "`what`; did you mean …?", the nearest of the settings
/// and `others`, with `dashes` before it.
[[nodiscard]] tl::unexpected<Error> unknown_setting(std::string_view what, std::string_view name,
                                                    std::string_view dashes,
                                                    std::vector<std::string> others);

/// `path` in its one spelling, from `directory` if it is relative.
[[nodiscard]] std::string absolute(const std::string& path, const std::string& directory);

}  // namespace caravel::tail
