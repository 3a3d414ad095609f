#include "base/ending/stop_on_signal.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

namespace caravel {
namespace {

// A signal handler gets no argument, so what it works on must be reachable from everywhere.
StopSignal* stop_on_signal = nullptr;
volatile std::sig_atomic_t exit_code_at_stop = 1;

/// Only calls that signal-safety(7) lists: the thread that was interrupted may hold any lock.
void request_stop(int) {
  stop_on_signal->request();
  ::alarm(static_cast<unsigned>(kEndWithin.count()));
}

void end_now(int) {
  constexpr std::string_view kText =
      "caravel: could not end in order within 4 s; the next start takes up what is in work\n";
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, kText.data(), kText.size());
  ::_exit(exit_code_at_stop);
}

}  // namespace

void stop_on_signals(StopSignal& stop) {
  stop_on_signal = &stop;
  struct sigaction action {};
  action.sa_handler = end_now;
  sigaction(SIGALRM, &action, nullptr);
  action.sa_handler = request_stop;
  // A second Ctrl-C ends the program the hard way, which is safe at any instant.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigset_t ours;
  sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM}) {
    sigaction(signal, &action, nullptr);
    sigaddset(&ours, signal);
  }
  // SIGHUP: the terminal is gone. `watch` takes it for something else (watcher/service/reload.h).
  // Who started us with nohup(1) wants it ignored.
  struct sigaction given {};
  if (sigaction(SIGHUP, nullptr, &given) == 0 && given.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }
  // A program that starts itself anew blocks them until its successor has come so far. SIGHUP stays
  // blocked if it is: the successor reads it from a descriptor.
  sigprocmask(SIG_UNBLOCK, &ours, nullptr);
}

void set_exit_code_at_stop(int code) { exit_code_at_stop = code; }

}  // namespace caravel
