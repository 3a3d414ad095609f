// The sign of life that systemd waits for (WatchdogSec= of the unit).
#pragma once

#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstdint>

namespace caravel::watcher {

/// Owned and called by the loop itself, once a pass, and not by a thread or a timer: a loop that
/// hangs gives no sign, and is ended and started anew (sd_watchdog_enabled(3)).
class Watchdog {
 public:
  Watchdog() {
    std::uint64_t limit = 0;
    if (::sd_watchdog_enabled(0, &limit) > 0) every_ = std::chrono::microseconds(limit) / 3;
  }

  /// Says that a pass is done; a third of the limit apart at most, as passes come by thousands.
  void pass_done(std::chrono::steady_clock::time_point now) {
    if (every_.count() == 0 || now < next_) return;
    ::sd_notify(0, "WATCHDOG=1");
    next_ = now + every_;
  }
  /// Until when the next pass must come.
  [[nodiscard]] std::chrono::steady_clock::time_point due() const {
    return every_.count() == 0 ? std::chrono::steady_clock::time_point::max() : next_;
  }

 private:
  std::chrono::microseconds every_{0};  // 0: nobody waits for a sign
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace caravel::watcher
