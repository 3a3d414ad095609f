// Where an extract stands in the sequence of a capture host's agent. Pure but for numbers_in().
//
// caravel-tail numbers the extracts of a log from 1 on, under a run of its own, in the manifest and
// in the name (<log>.<host>.<run>.<sequence>.log). So a number that is missing is an extract that
// is late or lost: Sources::arrived() keeps the gaps, and what it says of an arrival is described
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/exchange/manifest.h"
#include "watcher/ledger/source_run.h"

namespace caravel::watcher {

struct SequencePlace {
  SourceRun run;
  std::uint64_t sequence = 0;
};

/// By its manifest, which a sender cannot break by renaming the file; without one by a name of the
/// agent's shape; nothing for any other extract.
[[nodiscard]] std::optional<SequencePlace> sequence_of(const std::string& feed,
                                                       const std::string& name,
                                                       const std::optional<Manifest>& manifest);

/// The sequence numbers of a run's extracts that lie in a directory, by their names: the first
/// 10,000 that are found; none if the directory cannot be read.
[[nodiscard]] std::set<std::uint64_t> numbers_in(const std::string& directory,
                                                 std::string_view run);

/// What a person should hear of an arrival: a gap that it opened, or the one that it closed.
[[nodiscard]] std::vector<std::string> describe(const SequencePlace& place, const Arrival& arrival);

/// "5", or "5 to 7".
[[nodiscard]] std::string describe(const SequenceGap& gap);

}  // namespace caravel::watcher
