// How long the files of the spool are kept: each by the feed that its name says it belongs to.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "watcher/config/config.h"

namespace caravel::watcher {

/// What a feed says of one folder: FeedConfig::keep_done, say.
using KeepKey = std::chrono::milliseconds FeedConfig::*;

/// The time for a file of done/ or csv/, by its path relative to the spool. The name that the
/// extract came with says which feeds it can belong to; the one that keeps longest counts. A file
/// of no feed (one that is not configured any more) is kept as long as any says.
[[nodiscard]] std::chrono::milliseconds keep_time_of_file(const std::vector<FeedConfig>& feeds,
                                                          std::string_view relative, KeepKey keep);
/// The same for what is known to be of this feed.
[[nodiscard]] std::chrono::milliseconds keep_time_of_feed(const std::vector<FeedConfig>& feeds,
                                                          std::string_view feed, KeepKey keep);

}  // namespace caravel::watcher
