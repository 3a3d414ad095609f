// What capture hosts owe us: manifests whose extracts do not come, and sources that fell silent.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "watcher/config.h"
#include "watcher/ledger.h"

namespace caravel::watcher {

/// A source, or a feed of which no source is known, that was silent for longer than expect_every.
struct SilentSource {
  std::string feed;
  std::string source;  // "" = the feed itself
  Time last_at;
};

/// Of each source its newest run counts: an agent that lost its state goes on under another.
[[nodiscard]] Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                               Ledger& ledger, Time now);

/// Manifests that came longer than manifest_wait ago and whose extracts are not loaded.
[[nodiscard]] Result<std::vector<OpenManifest>> overdue_manifests(
    const std::vector<FeedConfig>& feeds, Ledger& ledger, Time now);

/// Looks now and then, and says once what begins or ends; of a manifest whose extract does not come
/// for a day at most (`status` lists it on). The gaps of sequences are not its matter:
/// an arrival tells of them.
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
  std::map<std::string, std::string> said_;  // what lasts -> what to say when it ends, or nothing
};

}  // namespace caravel::watcher
