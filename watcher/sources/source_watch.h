// What capture hosts owe us: manifests whose extracts do not come, and sources that fell silent.
//
//   ledger ──> silent_sources(), overdue_manifests()     what is so now; `status` shows all of it
//                  │
//                  └─> SourceWatch::step()  ──> log      what begins or ends, said once
//                        compares with what the ledger's `news` say was so at the last look
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/config/config.h"
#include "watcher/ledger/ledger.h"
#include "watcher/ledger/manifests.h"

namespace caravel::watcher {

/// A source, or a feed of which no source is known, that was silent for longer than expect_every.
struct SilentSource {
  std::string feed;
  std::string source;  // "" = the feed itself
  std::string run;
  bool one_of_several = false;  // other runs that are expected have the same source
  Time last_at;
  Time since;              // when expect_every was over
  bool forgotten = false;  // for longer than forget_source: not expected any more
};

struct OverdueManifests {
  std::vector<OpenManifest> newest;
  std::uint64_t total = 0;
};

/// Of the feeds with expect_every. A run that a newer one of its source replaced is not expected
/// any more. An extract counts when it came, not when it is loaded: a store that is down silences
/// no source. If all runs of a feed are forgotten, or none is known, the feed itself is expected.
[[nodiscard]] Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                               Ledger& ledger, Time now);

/// Manifests that came longer than manifest_wait ago, at `since` or later, and whose extracts are
/// neither loaded nor here. The newest 1000 are listed, all are counted. One of a feed that is not
/// among `feeds` is overdue at once.
[[nodiscard]] Result<OverdueManifests> overdue_manifests(const std::vector<FeedConfig>& feeds,
                                                         Ledger& ledger, Time now, Time since = {});

/// Looks now and then, and says once what begins or ends. What was said stands in the ledger, since
/// each pass of cron has a SourceWatch of its own. It says nothing of gaps in sequences: those are
/// told when an extract arrives that opens or closes one (sequence.h). One thread.
class SourceWatch {
 public:
  /// Both must outlive it.
  SourceWatch(const Config& config, Ledger& ledger) : config_(config), ledger_(ledger) {}

  /// Messages for the log; none between two looks, which are a minute apart. An error of the ledger
  /// is a message too.
  [[nodiscard]] std::vector<std::string> step(Time now);

 private:
  [[nodiscard]] Result<std::vector<std::string>> look(Time now);

  const Config& config_;
  Ledger& ledger_;
  std::optional<Time> next_;
};

}  // namespace caravel::watcher
