// caravel: the list of its commands, and the two signals that stop it.
#include <csignal>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/stop_signal.h"
#include "watcher/commands/command.h"
#include "watcher/store_types.h"

/// Every command, in the order of `caravel --help`. NAME is a file commands/NAME.cc that defines
/// `Command NAME_command()`; a new command gets a line here and nowhere else.
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
  COMMAND(check)

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

// A signal handler gets no argument, so what it works on must be reachable from everywhere.
caravel::StopSignal* stop_on_signal = nullptr;

void request_stop(int) { stop_on_signal->request(); }

}  // namespace

int main(int argc, char** argv) {
  caravel::hold_standard_files();
  caravel::StopSignal stop;
  stop_on_signal = &stop;
  struct sigaction action {};
  action.sa_handler = request_stop;
  // A second Ctrl-C ends the program the hard way, which is safe at any instant.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return caravel::watcher::run_program(all_commands(), caravel::watcher::all_store_types(),
                                       std::vector<std::string>(argv + 1, argv + argc), stop);
}
