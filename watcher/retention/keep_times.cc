#include "watcher/retention/keep_times.h"

#include <algorithm>

#include "watcher/files/name_rules.h"
#include "watcher/spool/archive.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

void cut_ending(std::string_view& name, std::string_view ending) {
  if (name.ends_with(ending)) name.remove_suffix(ending.size());
}

/// The name that an extract came with, from the path of a file relative to the spool. In done/ a
/// file is called NAME, or as original_name() has it, in csv/ NAME.<claim id>.csv or NAME.<claim
/// id>.csv.sidecar.
std::string_view name_it_came_with(std::string_view relative) {
  const bool in_csv = relative.starts_with("csv/");
  std::string_view name = relative.substr(relative.rfind('/') + 1);
  if (in_csv) {
    std::string_view stem = name;
    cut_ending(stem, ".sidecar");
    const std::size_t whole = stem.size();
    cut_ending(stem, ".csv");
    const std::string_view id = claim_id_at_end(stem);
    // Without a claim id it is no file of ours, but one that a person put there.
    if (stem.size() < whole && !id.empty()) name = stem.substr(0, stem.size() - id.size() - 1);
  }
  return in_csv ? name : original_name(name);
}

/// The longest time among the feeds that `is_its`; among all if it is none's.
template <class IsIts>
milliseconds longest(const std::vector<FeedConfig>& feeds, KeepKey keep, const IsIts& is_its) {
  milliseconds of_its_feeds{0};
  milliseconds of_all{0};
  bool known = false;
  for (const FeedConfig& feed : feeds) {
    of_all = std::max(of_all, feed.*keep);
    if (!is_its(feed)) continue;
    of_its_feeds = std::max(of_its_feeds, feed.*keep);
    known = true;
  }
  return known ? of_its_feeds : of_all;
}

}  // namespace

milliseconds keep_time_of_file(const std::vector<FeedConfig>& feeds, std::string_view relative,
                               KeepKey keep) {
  const std::string_view name = name_it_came_with(relative);
  return longest(feeds, keep, [&](const FeedConfig& feed) {
    const NameKind kind = judge_name(name, feed.match).kind;
    return kind == NameKind::candidate || kind == NameKind::manifest;
  });
}

milliseconds keep_time_of_feed(const std::vector<FeedConfig>& feeds, std::string_view feed,
                               KeepKey keep) {
  return longest(feeds, keep, [&](const FeedConfig& one) { return one.name == feed; });
}

}  // namespace caravel::watcher
