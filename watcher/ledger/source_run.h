// The extracts of capture hosts, which are numbered, and what is missing of them: values only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "watcher/files/time_text.h"

namespace caravel::watcher {

/// One run of a capture host's agent: the extracts of one log, numbered without gaps from 1.
struct SourceRun {
  std::string feed;
  std::string run;
  std::string source;         // the log and its host, in words; may hold anything: printable()
  bool by_name_only = false;  // no manifest says so: the words of a manifest, if one came, stay
};

/// Sequence numbers of a run that have not come though later ones have: late, or lost.
struct SequenceGap {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  Time since;
};

/// What an extract's sequence number changed.
struct Arrival {
  std::vector<SequenceGap> opened;  // of those that are not here
  bool closed = false;              // it was missing
  std::uint64_t gaps = 0;           // that the run still has
};

struct SourceStatus {
  SourceRun run;
  std::uint64_t last_sequence = 0;  // of those that are done or failed
  Time first_at;
  Time last_at;           // an extract of it came, be it in work still; the epoch: only by hand
  bool replaced = false;  // a newer run of the same source goes on in its place
  std::vector<SequenceGap> gaps;  // the newest Sources::kMaxGaps, in order
  std::uint64_t gaps_total = 0;
};

}  // namespace caravel::watcher
