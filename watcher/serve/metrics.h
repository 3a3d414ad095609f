// /metrics: the numbers of an Overview as Prometheus reads them. docs/monitoring.md lists them.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "watcher/serve/delay_counter.h"
#include "watcher/status/overview.h"

namespace caravel::watcher {

/// The Content-Type of the text (prometheus.io, "Exposition formats").
inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// What only the process knows.
struct ServeFigures {
  double look_seconds = 0;    // how long it took to ask the ledger
  double resident_bytes = 0;  // of this process
  std::string version{};      // of the program
};

/// Names and units as OpenMetrics wants them: base units, "_total" behind counters. Where the
/// ledger cannot be read, only that is said.
[[nodiscard]] std::string metrics_text(const Result<Overview>& overview,
                                       const DelayCounter::ByFeedAndStore& delays,
                                       const ServeFigures& figures);

}  // namespace caravel::watcher
