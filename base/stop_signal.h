// The one way to end a wait: set once, seen by every poll(2).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/unique_fd.h"

namespace caravel {

/// An eventfd that becomes readable, and stays so, once request() was called. request() is safe in
/// a signal handler and from any thread; everything else only reads.
class StopSignal {
 public:
  StopSignal() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void request() {
    requested_.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    // The write can only fail if the counter is full, and then the descriptor is readable already.
    [[maybe_unused]] const ssize_t put = ::write(fd_.get(), &one, sizeof one);
  }
  [[nodiscard]] bool requested() const { return requested_.load(std::memory_order_acquire); }
  /// For poll(2): readable once stopped. Never read from it.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  std::atomic<bool> requested_{false};
  UniqueFd fd_;
};

/// Sleeps until `wake`, or until `stop` is requested. True if it is requested.
[[nodiscard]] bool stopped_before(const StopSignal& stop,
                                  std::chrono::steady_clock::time_point wake);
/// The same, for so long from now on.
[[nodiscard]] bool stopped_within(const StopSignal& stop, std::chrono::milliseconds wait);

/// The timeout of a poll(2) that waits so long for more than a StopSignal: milliseconds, rounded up
/// (who wakes a moment too early only polls once more), never negative.
[[nodiscard]] int poll_timeout(std::chrono::steady_clock::duration wait);

}  // namespace caravel
