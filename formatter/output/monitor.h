// What whoever waits for a run over an extract wants to know of it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "base/stop_signal.h"

namespace caravel::formatter {

struct SeenLine;  // formatter.h

/// What a run reports now and then, and what ends it.
struct FormatMonitor {
  std::function<void(std::uint64_t packed_bytes)> on_progress;
  const StopSignal* stop = nullptr;
  /// Called for every line, for people who ask what becomes of each; an error ends the run. Runs
  /// without it do not pay for it. The reason of a reject has been given to the Rejects before.
  std::function<Result<>(const SeenLine&)> on_line{};
};

}  // namespace caravel::formatter
