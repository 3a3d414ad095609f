// caravel: the list of its commands, the signals that stop it, and those that must not.
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/ending/last_words.h"
#include "base/ending/stop_on_signal.h"
#include "base/file.h"
#include "base/stop_signal.h"
#include "watcher/commands/command.h"
#include "watcher/store_types.h"

/// Every command, in the order of `caravel --help`. NAME is a file commands/NAME.cc that defines
/// `Command NAME_command()` (upkeep/settle.cc has two, http/ has serve.cc); a new command gets a
/// line here and nowhere else.
#define CARAVEL_COMMANDS(COMMAND) \
  COMMAND(watch)                  \
  COMMAND(sweep)                  \
  COMMAND(process)                \
  COMMAND(capture)                \
  COMMAND(format)                 \
  COMMAND(upload)                 \
  COMMAND(mapping)                \
  COMMAND(status)                 \
  COMMAND(explain)                \
  COMMAND(retry)                  \
  COMMAND(ack)                    \
  COMMAND(prune)                  \
  COMMAND(serve)                  \
  COMMAND(check)                  \
  COMMAND(ledger)

namespace caravel::watcher {
#define CARAVEL_DECLARE(NAME) Command NAME##_command();
CARAVEL_COMMANDS(CARAVEL_DECLARE)
#undef CARAVEL_DECLARE
}  // namespace caravel::watcher

namespace {

std::vector<caravel::watcher::Command> all_commands() {
#define CARAVEL_CALL(NAME) caravel::watcher::NAME##_command(),
  return {CARAVEL_COMMANDS(CARAVEL_CALL)};
#undef CARAVEL_CALL
}

/// What would end the program without a word becomes an error of the call that met it.
void ignore_deadly_signals() {
  // A socket or a pipe whose other side is closed: EPIPE.
  std::signal(SIGPIPE, SIG_IGN);
  // A limit on the size of files (LimitFSIZE=, ulimit -f): EFBIG, treated like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
}

/// Each feed has a store connection and files of its own: as many descriptors as an unprivileged
/// process may have (the hard limit, setrlimit(2)). Without them, some hundred feeds would meet
/// EMFILE at the usual 1024.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  // Only a wish: what fails for want of descriptors later says so itself.
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  caravel::install_last_words("caravel");
  caravel::hold_standard_files();
  ignore_deadly_signals();
  caravel::StopSignal stop;
  caravel::stop_on_signals(stop);
  raise_file_limit();
  return caravel::watcher::run_program(all_commands(), caravel::watcher::all_store_types(),
                                       std::vector<std::string>(argv + 1, argv + argc), stop);
}
