#include "watcher/tail/outbox/shell.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace caravel::tail {

Result<ShellCommand> start_shell(const std::string& command) {
  // posix_spawn(3), not fork(2): glibc shares the memory with the child until it executes the
  // shell, so nothing of the agent is copied, and returns after that. So the process group exists,
  // and can be killed, as soon as this function has returned.
  const char* const arguments[] = {"/bin/sh", "-c", command.c_str(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, 2, 1);
  // The agent blocks SIGTERM and ignores SIGPIPE, and a child inherits both (signal(7)). The
  // command must end by them: scp that cannot be stopped would outlive the agent.
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ShellCommand started;
  const int failed = ::posix_spawn(&started.id, arguments[0], &files, &attributes,
                                   const_cast<char* const*>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return fail_with_errno("/bin/sh", failed);
  // By its number, because glibc has no pidfd_open() before 2.36. A failure (an old kernel) leaves
  // `fd` empty; the caller then asks from time to time.
  started.fd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, started.id, 0)));
  if (started.fd) ::fcntl(started.fd.get(), F_SETFD, FD_CLOEXEC);
  return started;
}

}  // namespace caravel::tail
