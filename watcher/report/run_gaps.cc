#include "watcher/report/run_gaps.h"

#include <fmt/format.h>

#include "watcher/report/words.h"
#include "watcher/sources/sequence.h"

namespace caravel::watcher {

std::vector<SequenceGap> gaps_of_run(const std::vector<SourceStatus>& sources,
                                     const std::string& feed, const std::string& run) {
  std::vector<SequenceGap> gaps;
  for (const SourceStatus& source : sources) {
    // A run is known by its feed and its name together, as in the table `sources`.
    if (source.run.feed != feed || source.run.run != run) continue;
    gaps.insert(gaps.end(), source.gaps.begin(), source.gaps.end());
  }
  return gaps;
}

void add_gaps(std::string& out, const std::vector<SourceStatus>& sources, const std::string& feed,
              const std::string& run, Time now) {
  for (const SequenceGap& gap : gaps_of_run(sources, feed, run)) {
    add_fact(
        out, "missing",
        fmt::format("{} of its run, for {}: late or lost", describe(gap), ago(now, gap.since)));
  }
}

}  // namespace caravel::watcher
