// What each option of the agent means, wherever it is given: on the command line or in a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watcher/tail/agent.h"

namespace caravel::tail {

/// An option that takes a value. A new one is a row of the table in settings.cc, a row of
/// option_table(), and a line of docs/tail.md if it needs explaining.
struct Setting {
  std::string_view name;
  /// Relative paths are relative to `directory`. Errors are of kind usage, and do not name
  /// the option: the caller does.
  Result<> (*set)(AgentOptions&, const std::string& value, const std::string& directory);
  bool repeatable = false;  // may be given more than once, and adds each time
};

/// The option of that name; null if there is none.
[[nodiscard]] const Setting* find_setting(std::string_view name);

/// The error for the unknown option `name`: "`what`; did you mean …?", with the most similar name
/// among the settings and `others`, and `dashes` before that.
[[nodiscard]] tl::unexpected<Error> unknown_setting(std::string_view what, std::string_view name,
                                                    std::string_view dashes,
                                                    std::vector<std::string> others);

/// `path` in its one spelling, from `directory` if it is relative.
[[nodiscard]] std::string absolute(const std::string& path, const std::string& directory);

}  // namespace caravel::tail
