// SIGHUP: a service reads its configuration again (systemctl reload) and goes on with it.
#pragma once

#include <functional>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"

namespace caravel::watcher {

/// From listen() on, SIGHUP no longer stops the program. The service checks the configuration, ends
/// in order, and the command starts the program anew in the same process (start_anew()), so that
/// every key may change, and the program itself too. A configuration that is wrong leaves all as it
/// is.
///
/// At a terminal SIGHUP keeps its meaning, "the terminal is gone": then listen() does nothing, and
/// the program stops.
class Reload {
 public:
  /// `check`: whether the configuration that is there now would do.
  explicit Reload(std::function<Result<>()> check) : check_(std::move(check)) {}

  /// Takes SIGHUP for as long as the process lives. To be called in the main thread, before others
  /// are started.
  void listen();

  /// For poll(2): readable once somebody asked; -1 where nobody can.
  [[nodiscard]] int fd() const { return signals_ ? signals_.get() : -1; }

  /// Looks whether somebody asked, and says what follows. True: the service is to end and the
  /// program to start anew. Each request is answered once.
  [[nodiscard]] bool take_request();

  [[nodiscard]] bool accepted() const { return accepted_; }

 private:
  std::function<Result<>()> check_;
  UniqueFd signals_;
  bool accepted_ = false;
};

/// Runs the program again with the same arguments in the place of this process. Everything must be
/// closed and given back: locks, ledger, threads. Returns only if that fails.
[[nodiscard]] Error start_anew();

}  // namespace caravel::watcher
