// What capture hosts owe us: manifests whose extracts do not come, and sources that fell silent.
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
  bool one_of_several = false;  // others that send have the same name
  Time last_at;
  Time since;              // when expect_every was over
  bool forgotten = false;  // for longer than forget_source: not expected any more
};

struct OverdueManifests {
  std::vector<OpenManifest> newest;
  std::uint64_t total = 0;
};

/// Of runs, those that no newer one replaced. What came is no silence, be it in work still. If all
/// runs of a feed are forgotten, the feed itself is expected.
[[nodiscard]] Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                               Ledger& ledger, Time now);

/// Manifests that came longer than manifest_wait ago, at `since` or later, and whose extracts are
/// neither loaded nor here.
[[nodiscard]] Result<OverdueManifests> overdue_manifests(const std::vector<FeedConfig>& feeds,
                                                         Ledger& ledger, Time now, Time since = {});

/// Looks now and then, and says once what begins or ends: the ledger remembers what was said, for
/// each pass of cron has a watch of its own. The gaps of sequences are not its matter: an arrival
/// tells of them.
class SourceWatch {
 public:
  /// Both must outlive it.
  SourceWatch(const Config& config, Ledger& ledger) : config_(config), ledger_(ledger) {}

  /// Messages for the log; none between two looks, which are a minute apart.
  [[nodiscard]] std::vector<std::string> step(Time now);

 private:
  const Config& config_;
  Ledger& ledger_;
  std::optional<Time> next_;
};

}  // namespace caravel::watcher
