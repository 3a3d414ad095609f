// Completion for shells, made of the tables that the program parses by.
#pragma once

#include <string>

#include "watcher/manual/program.h"

namespace caravel::watcher {

/// For /usr/share/bash-completion/completions: a function and `complete`. Needs nothing of the
/// package bash-completion.
[[nodiscard]] std::string bash_completion(const DescribedProgram& program);
/// For a folder of zsh's $fpath: the file _NAME (zshcompsys(1)).
[[nodiscard]] std::string zsh_completion(const DescribedProgram& program);
/// For /usr/share/fish/vendor_completions.d.
[[nodiscard]] std::string fish_completion(const DescribedProgram& program);

}  // namespace caravel::watcher
