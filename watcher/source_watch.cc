#include "watcher/source_watch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "watcher/manifest.h"
#include "watcher/name_rules.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes kLookEvery{1};
/// More than this at a time is a flood; `status` counts on.
constexpr std::size_t kMostManifests = 1000;
/// Later than this, an overdue manifest is no news: cron would mail it every five minutes for ever.
constexpr std::chrono::hours kNewsFor{24};

}  // namespace

Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                 Ledger& ledger, Time now) {
  std::vector<SilentSource> out;
  auto sources = ledger.sources();
  if (!sources) return tl::unexpected(sources.error());
  for (const FeedConfig& feed : feeds) {
    if (!feed.expect_every) continue;
    std::map<std::string, Time> last;
    for (const SourceStatus& source : *sources) {
      if (source.run.feed != feed.name) continue;
      Time& at = last[source.run.source];
      at = std::max(at, source.last_at);
    }
    if (last.empty()) {
      auto claim = ledger.last_claim(feed.name);
      if (!claim) return tl::unexpected(claim.error());
      // One that never had an extract has no silence to measure yet.
      if (*claim) last[""] = **claim;
    }
    for (const auto& [source, at] : last) {
      if (now - at > *feed.expect_every) out.push_back({feed.name, source, at});
    }
  }
  return out;
}

Result<std::vector<OpenManifest>> overdue_manifests(const std::vector<FeedConfig>& feeds,
                                                    Ledger& ledger, Time now) {
  auto open = ledger.open_manifests(now, kMostManifests);
  if (!open) return tl::unexpected(open.error());
  std::vector<OpenManifest> out;
  for (OpenManifest& manifest : *open) {
    const auto feed = std::find_if(feeds.begin(), feeds.end(), [&](const FeedConfig& candidate) {
      return candidate.name == manifest.feed;
    });
    const milliseconds wait = feed == feeds.end() ? milliseconds(0) : feed->manifest_wait;
    if (now - manifest.since > wait) out.push_back(std::move(manifest));
  }
  return out;
}

std::vector<std::string> SourceWatch::step(Time now) {
  // A clock that was set back must not silence this for hours.
  if (next_ && now < *next_ && *next_ - now <= kLookEvery) return {};
  next_ = now + kLookEvery;
  std::vector<std::string> messages;
  std::map<std::string, std::string> lasting;
  const auto say = [&](const std::string& key, const std::string& text, const std::string& end) {
    lasting.emplace(key, end);
    if (!said_.contains(key)) messages.push_back(text);
  };
  auto silent = silent_sources(config_.feeds, ledger_, now);
  auto overdue = overdue_manifests(config_.feeds, ledger_, now);
  if (!silent || !overdue) {
    messages.push_back(silent ? overdue.error().message : silent.error().message);
    return messages;
  }
  for (const SilentSource& source : *silent) {
    const std::string name = source.source.empty() ? "the feed" : printable(source.source);
    say("silent " + source.feed + "\n" + source.source,
        fmt::format(
            "{}: {} is silent: nothing came for {}", source.feed, name,
            duration_for_people(std::chrono::duration_cast<milliseconds>(now - source.last_at))),
        fmt::format("{}: {} is not silent any more", source.feed, name));
  }
  for (const OpenManifest& manifest : *overdue) {
    if (now - manifest.since > kNewsFor) continue;
    say("manifest " + manifest.feed + "\n" + manifest.name,
        fmt::format(
            "{}: {} came {} ago, and its extract has not been loaded: late or lost", manifest.feed,
            printable(manifest_name(manifest.name)),
            duration_for_people(std::chrono::duration_cast<milliseconds>(now - manifest.since))),
        "");
  }
  for (const auto& [key, end] : said_) {
    if (!lasting.contains(key) && !end.empty()) messages.push_back(end);
  }
  said_ = std::move(lasting);
  return messages;
}

}  // namespace caravel::watcher
