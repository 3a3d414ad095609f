#include "watcher/serve/delay_counter.h"

namespace caravel::watcher {

Result<> DelayCounter::advance(Ledger& ledger, Time now) {
  const Time to = now - kMostCommit;
  // Also after the clock was set back.
  if (to <= counted_to_) return {};
  CARAVEL_ASSIGN_OR_RETURN(const auto delays, ledger.history().delays(counted_to_, to));
  for (const auto& [place, more] : delays) {
    sums_[place].since_drop += more.since_drop;
    sums_[place].since_line += more.since_line;
  }
  counted_to_ = to;
  return {};
}

}  // namespace caravel::watcher
