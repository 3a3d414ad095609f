// A command of the user's, run by the shell beside us.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::tail {

struct ShellCommand {
  pid_t id = 0;  // of the shell, and of its process group: kill(2) with -id ends all of it
  UniqueFd fd;   // readable when the shell has ended; none before Linux 5.3 (pidfd_open(2))
};

/// Starts `/bin/sh -c command`: with /dev/null as its input, our stderr as its output (our stdout
/// is for data), every signal as at the start of a program, in a process group of its own. The
/// caller waits for it (waitpid(2)).
[[nodiscard]] Result<ShellCommand> start_shell(const std::string& command);

}  // namespace caravel::tail
