// All that `status --watch`, /metrics and the page show, asked at one moment. The numbers are those
// of `status`: a StatusReport is in it, and nobody else counts anything.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "watcher/config/config.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/stores.h"
#include "watcher/report/status.h"

namespace caravel::watcher {

/// What a feed did in the last hours: one value for each span of time, the oldest first. The last
/// span is the one that `now` lies in.
struct Series {
  static constexpr std::chrono::minutes kSpan{5};
  static constexpr std::size_t kSpans = 72;  // six hours

  std::vector<double> rows = std::vector<double>(kSpans);    // stored
  std::vector<double> bytes = std::vector<double>(kSpans);   // of the extracts, as they came
  std::vector<double> latest = std::vector<double>(kSpans);  // seconds, the slowest extract
  std::vector<double> extracts = std::vector<double>(kSpans);
};

struct Overview {
  StatusReport report;
  std::map<std::string, Series> series;  // by feed; those that loaded something
  std::vector<Extract> recent;           // done, the newest first
  /// What stores took at a time, by feed and store, since the ledger was made.
  std::map<std::pair<std::string, std::string>, BatchSums> batches;
  Time first_span;  // the begin of the oldest one in `series`
};

/// Cuts what loads_since() said into the spans that end with `now`.
[[nodiscard]] std::map<std::string, Series> series_of(const std::vector<SpanOfLoads>& loads,
                                                      Time now);

/// The begin of the oldest span of series_of().
[[nodiscard]] Time first_span(Time now);

/// Asks the ledger; `question` as status_question() made it.
[[nodiscard]] Result<Overview> build_overview(Ledger& ledger, const StatusQuestion& question,
                                              Time now);

/// Opens the ledger, asks it, and closes it again: it may be replaced by a rebuilt one any time.
[[nodiscard]] Result<Overview> look(const Config& config, Time now);

}  // namespace caravel::watcher
