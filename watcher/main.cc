// caravel: parses the arguments and calls.
#include <csignal>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/stop_signal.h"
#include "watcher/commands/command_line.h"

namespace {

// A signal handler reaches nothing else.
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
  return caravel::watcher::run_program(std::vector<std::string>(argv + 1, argv + argc), stop);
}
