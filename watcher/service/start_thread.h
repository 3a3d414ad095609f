// A thread, where the system grants one.
#pragma once

#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"

namespace caravel::watcher {

/// While it lives, the calling thread receives no signal, and neither does a thread that it starts,
/// for as long as that thread lives (pthread_sigmask(3)).
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~BlockSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t before_{};
};

/// Runs `run` in a new thread, which no signal interrupts: those for the process are the main
/// thread's. An error (retry), and no exception, if the system grants no further thread.
template <class Run>
[[nodiscard]] Result<std::thread> start_thread(Run run) {
  const BlockSignals blocked;
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error& refused) {
    return fail(ErrorKind::retry,
                "no thread can be started (" + refused.code().message() +
                    "): raise the limit of tasks (TasksMax= of the service, ulimit -u)");
  }
}

}  // namespace caravel::watcher
