// Delays of extracts as counters, which never go back.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/ledger.h"

namespace caravel::watcher {

/// Counts each extract that is done once, from the start of this process on. The ledger itself
/// could not say that number: it forgets what is old, and Prometheus takes a counter that fell for
/// one that began anew. One thread.
class DelayCounter {
 public:
  using ByFeedAndStore = std::map<std::pair<std::string, std::string>, StoreDelays>;

  explicit DelayCounter(Time start) : counted_to_(start) {}

  /// Adds what is done since the last call. The last moments wait for the next one: who has said
  /// when an extract was done may still be about to commit that.
  [[nodiscard]] Result<> advance(Ledger& ledger, Time now);
  static constexpr std::chrono::seconds kMostCommit{15};

  [[nodiscard]] const ByFeedAndStore& sums() const { return sums_; }

 private:
  Time counted_to_;
  ByFeedAndStore sums_;
};

}  // namespace caravel::watcher
