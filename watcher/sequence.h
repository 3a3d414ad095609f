// Where an extract stands in the sequence of a capture host's agent. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "watcher/ledger.h"

namespace caravel::watcher {

struct SequencePlace {
  SourceRun run;
  std::uint64_t sequence = 0;
};

/// By its manifest, or else by a name of the agent's shape; nothing for any other extract.
[[nodiscard]] std::optional<SequencePlace> sequence_of(const std::string& feed,
                                                       const std::string& name,
                                                       const std::optional<Manifest>& manifest);

/// What a person should hear of an arrival: a gap that it opened, or the one that it closed.
[[nodiscard]] std::vector<std::string> describe(const SequencePlace& place, const Arrival& arrival);

/// "5", or "5 to 7".
[[nodiscard]] std::string describe(const SequenceGap& gap);

}  // namespace caravel::watcher
