// The HTTP server: a place to listen at, and the connections.
#pragma once

#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "watcher/config/serve.h"
#include "watcher/serve/access.h"
#include "watcher/serve/site.h"
#include "watcher/service/reload.h"

namespace caravel::watcher {

/// One thread serves all connections: an answer is a few milliseconds of work, and whoever asks too
/// often gets what was asked a moment ago (Snapshots). Idle it wakes up for nobody.
///
/// With kMostConnections of them, the one that has waited longest for a request makes room for the
/// next: clients that hold connections and say nothing keep nobody out.
inline constexpr std::size_t kMostConnections = 64;
inline constexpr std::size_t kMostListeners = 16;

/// Serves until `stop` is requested, or `reload` accepts a request. A Unix socket is open to its
/// owner and group; one that a killed server left behind is replaced. Errors: kind usage, if the
/// place cannot be listened at.
[[nodiscard]] Result<> serve(const ListenPlace& place, const Access& access, Site& site,
                             const StopSignal& stop, Reload& reload);

}  // namespace caravel::watcher
