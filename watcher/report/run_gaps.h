// The gaps in one run of a capture host's agent, for explain.
#pragma once

#include <string>
#include <vector>

#include "watcher/files/time_text.h"
#include "watcher/ledger/source_run.h"

namespace caravel::watcher {

/// The gaps of one run among all `sources`.
[[nodiscard]] std::vector<SequenceGap> gaps_of_run(const std::vector<SourceStatus>& sources,
                                                   const std::string& feed, const std::string& run);

/// Appends a line for each gap of the run: "missing  5 to 7 of its run, for 2 h: late or lost".
void add_gaps(std::string& out, const std::vector<SourceStatus>& sources, const std::string& feed,
              const std::string& run, Time now);

}  // namespace caravel::watcher
