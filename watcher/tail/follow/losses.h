// Lines that nobody will get: said once, and remembered for --explain.
#pragma once

#include <string>

#include "base/notices.h"
#include "watcher/tail/files/log_file.h"
#include "watcher/tail/state/state.h"

namespace caravel::tail {

/// The caller marks the state as changed.
inline void say_loss(LogState& log, Notices& notices, const std::string& what) {
  notices.say(what);
  remember_loss(log, file_time(), what);
}

}  // namespace caravel::tail
