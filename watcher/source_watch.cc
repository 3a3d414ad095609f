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
/// What lasts longer than this is no news: cron would mail it every five minutes for ever.
constexpr std::chrono::hours kNewsFor{24};

}  // namespace

Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                 Ledger& ledger, Time now) {
  std::vector<SilentSource> out;
  auto sources = ledger.sources();
  if (!sources) return tl::unexpected(sources.error());
  for (const FeedConfig& feed : feeds) {
    if (!feed.expect_every) continue;
    std::vector<SilentSource> expected;
    std::map<std::string, unsigned> of_this_name;
    for (const SourceStatus& source : *sources) {
      const bool only_by_hand = source.last_at == Time{};
      if (source.run.feed != feed.name || source.replaced || only_by_hand) continue;
      expected.push_back({feed.name, source.run.source, source.run.run, false, source.last_at, {}});
      ++of_this_name[source.run.source];
    }
    if (expected.empty()) {
      auto claim = ledger.last_claim(feed.name);
      if (!claim) return tl::unexpected(claim.error());
      // One that never had an extract has no silence to measure yet.
      if (*claim) expected.push_back({feed.name, "", "", false, **claim, {}});
    }
    for (SilentSource& source : expected) {
      source.since = source.last_at + *feed.expect_every;
      if (now <= source.since) continue;
      source.one_of_several = of_this_name[source.source] > 1;
      out.push_back(std::move(source));
    }
  }
  return out;
}

Result<OverdueManifests> overdue_manifests(const std::vector<FeedConfig>& feeds, Ledger& ledger,
                                           Time now, Time since) {
  OverdueManifests out;
  CARAVEL_TRY(ledger.open_manifests(since, [&](OpenManifest manifest) {
    const auto feed = std::find_if(feeds.begin(), feeds.end(), [&](const FeedConfig& candidate) {
      return candidate.name == manifest.feed;
    });
    const milliseconds wait = feed == feeds.end() ? milliseconds(0) : feed->manifest_wait;
    if (now - manifest.since <= wait) return;
    if (out.newest.size() < kMostManifests) out.newest.push_back(std::move(manifest));
    ++out.total;
  }));
  return out;
}

std::vector<std::string> SourceWatch::step(Time now) {
  // A clock that was set back must not silence this for hours.
  if (next_ && now < *next_ && *next_ - now <= kLookEvery) return {};
  next_ = now + kLookEvery;
  std::vector<std::string> messages;
  std::map<std::string, std::string> lasting;
  const auto say = [&](const std::string& key, Time since, const std::string& text,
                       const std::string& end) {
    lasting.emplace(key, end);
    if (!said_.contains(key) && now - since <= kNewsFor) messages.push_back(text);
  };
  auto silent = silent_sources(config_.feeds, ledger_, now);
  milliseconds longest_wait{0};
  for (const FeedConfig& feed : config_.feeds) {
    longest_wait = std::max(longest_wait, feed.manifest_wait);
  }
  auto overdue = overdue_manifests(config_.feeds, ledger_, now, now - longest_wait - kNewsFor);
  if (!silent || !overdue) {
    messages.push_back(silent ? overdue.error().message : silent.error().message);
    return messages;
  }
  for (const SilentSource& source : *silent) {
    std::string name = source.source.empty() ? "the feed" : printable(source.source);
    if (source.one_of_several) name += fmt::format(" (run {})", source.run);
    say("silent " + source.feed + "\n" + source.source + "\n" + source.run, source.since,
        fmt::format(
            "{}: {} is silent: nothing came for {}", source.feed, name,
            duration_for_people(std::chrono::duration_cast<milliseconds>(now - source.last_at))),
        fmt::format("{}: {} is not silent any more{}", source.feed, name,
                    source.one_of_several ? ", or a new run took its place" : ""));
  }
  for (const OpenManifest& manifest : overdue->newest) {
    say("manifest " + manifest.feed + "\n" + manifest.name, now,
        fmt::format(
            "{}: {} came {} ago, and its extract has not been loaded: late or lost", manifest.feed,
            printable(manifest_name(manifest.name)),
            duration_for_people(std::chrono::duration_cast<milliseconds>(now - manifest.since))),
        "");
  }
  // A feed's silence may go on as that of a source that became known.
  const auto goes_on = [&](const std::string& key) {
    if (!key.ends_with("\n\n")) return false;
    const std::string feed = key.substr(0, key.size() - 1);
    const auto source = lasting.lower_bound(feed);
    return source != lasting.end() && source->first.starts_with(feed);
  };
  for (const auto& [key, end] : said_) {
    if (!lasting.contains(key) && !goes_on(key) && !end.empty()) messages.push_back(end);
  }
  said_ = std::move(lasting);
  return messages;
}

}  // namespace caravel::watcher
