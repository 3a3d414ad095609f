// The command line of caravel-tail, and the file that may hold the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/words/option_help.h"
#include "watcher/tail/agent.h"

namespace caravel::tail {

struct Options {
  enum class What { run, help, version, resend, explain };
  What what = What::run;
  AgentOptions agent;
  std::string resend_run;
  std::uint64_t resend_sequence = 0;
  std::string explained_log;
};

/// Every option, in the order of --help, the manual page and the completion.
[[nodiscard]] std::vector<OptionHelp> option_table();

/// The text of --help: one screen.
[[nodiscard]] std::string help_text();

/// Errors are of kind usage. Options come from the --config file first; the command line overrides
/// them, and its logs replace the file's. Relative paths are relative to `directory`, those of the
/// file to the file's place.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments,
                                            const std::string& directory);

/// The names that --config takes: "key = value" a line, # comments, `log` as often as needed.
[[nodiscard]] Result<> apply_config(std::string_view text, const std::string& file,
                                    Options& options);

}  // namespace caravel::tail
