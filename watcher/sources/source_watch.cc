#include "watcher/sources/source_watch.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/files/name_rules.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/news.h"
#include "watcher/ledger/sources.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes kLookEvery{1};
/// More than this at a time is a flood; `status` counts on.
constexpr std::size_t kMostManifests = 1000;
/// Manifests that are overdue for longer than this are no news: a flood of them stays bounded.
constexpr std::chrono::hours kNewsFor{24};
constexpr std::string_view kSilence = "silence\n";

/// Of a source; of a feed, if both are empty.
std::string silence_of(const std::string& source, const std::string& run) {
  return std::string(kSilence) + source + "\n" + run;
}

}  // namespace

Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                 Ledger& ledger, Time now) {
  std::vector<SilentSource> out;
  CARAVEL_ASSIGN_OR_RETURN(auto sources, ledger.sources().all());
  for (const FeedConfig& feed : feeds) {
    if (!feed.expect_every) continue;
    std::vector<SilentSource> expected;
    std::map<std::string, unsigned> of_this_name;
    for (const SourceStatus& source : sources) {
      const bool only_by_hand = source.last_at == Time{};
      if (source.run.feed != feed.name || source.replaced || only_by_hand) continue;
      const bool forgotten = now - source.last_at > feed.forget_source;
      expected.push_back(
          {feed.name, source.run.source, source.run.run, false, source.last_at, {}, forgotten});
      ++of_this_name[source.run.source];
    }
    if (std::all_of(expected.begin(), expected.end(),
                    [](const SilentSource& source) { return source.forgotten; })) {
      CARAVEL_ASSIGN_OR_RETURN(auto claim, ledger.history().last_claim(feed.name));
      // One that never had an extract has no silence to measure yet.
      if (claim) expected.push_back({feed.name, "", "", false, *claim, {}, false});
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
  CARAVEL_TRY(ledger.manifests().without_extract(since, [&](OpenManifest manifest) {
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
  auto silent = silent_sources(config_.feeds, ledger_, now);
  if (!silent) return {silent.error().message};
  std::set<std::string> feeds;
  std::set<std::string> expecting;
  std::map<std::string, milliseconds> waits;
  milliseconds longest_wait{0};
  for (const FeedConfig& feed : config_.feeds) {
    feeds.insert(feed.name);
    waits.emplace(feed.name, feed.manifest_wait);
    if (feed.expect_every) expecting.insert(feed.name);
    longest_wait = std::max(longest_wait, feed.manifest_wait);
  }
  auto overdue = overdue_manifests(config_.feeds, ledger_, now, now - longest_wait - kNewsFor);
  if (!overdue) return {overdue.error().message};

  News lasting;
  News forgotten;
  std::map<NewsKey, std::string> texts;
  const auto lasts = [&](NewsKey key, std::string text, std::string at_end) {
    texts.emplace(key, std::move(text));
    lasting.emplace(std::move(key), std::move(at_end));
  };
  const auto ago = [&](Time then) {
    return duration_for_people(std::chrono::duration_cast<milliseconds>(now - then));
  };
  for (const SilentSource& source : *silent) {
    std::string name = source.source.empty() ? "the feed" : printable(source.source);
    if (source.one_of_several) name += fmt::format(" (run {})", source.run);
    name = fmt::format("{}: {}", source.feed, name);
    NewsKey key{source.feed, silence_of(source.source, source.run)};
    if (source.forgotten) {
      forgotten.emplace(std::move(key),
                        fmt::format("{} sent nothing for {}: it is not expected any more "
                                    "(forget_source)",
                                    name, ago(source.last_at)));
      continue;
    }
    lasts(std::move(key),
          fmt::format("{} is silent: nothing came for {}", name, ago(source.last_at)),
          fmt::format("{} is not silent any more{}", name,
                      source.one_of_several ? ", or a new run took its place" : ""));
  }
  for (const OpenManifest& manifest : overdue->newest) {
    // Another process's, which knows its patience.
    if (!feeds.contains(manifest.feed)) continue;
    // By its own feed's: another process may have others beside it.
    if (now - manifest.since > waits[manifest.feed] + kNewsFor) continue;
    lasts({manifest.feed, "manifest\n" + manifest.name},
          fmt::format("{}: {} came {} ago, and its extract has not been loaded: late or lost",
                      manifest.feed, printable(manifest_name(manifest.name)), ago(manifest.since)),
          "");
  }
  auto before = ledger_.news().replace(feeds, lasting);
  if (!before) return {before.error().message};

  std::vector<std::string> messages;
  for (auto& [key, text] : texts) {
    if (!before->contains(key)) messages.push_back(std::move(text));
  }
  // A feed's silence may go on as that of a source that became known.
  const auto goes_on = [&](const NewsKey& key) {
    if (key.second != silence_of("", "")) return false;
    const auto source = lasting.lower_bound(key);
    return source != lasting.end() && source->first.first == key.first &&
           source->first.second.starts_with(kSilence);
  };
  for (const auto& [key, at_end] : *before) {
    // Where nothing is expected any more, no silence ended.
    if (lasting.contains(key) || goes_on(key) || at_end.empty() || !expecting.contains(key.first)) {
      continue;
    }
    const auto forgot = forgotten.find(key);
    messages.push_back(forgot == forgotten.end() ? at_end : forgot->second);
  }
  return messages;
}

}  // namespace caravel::watcher
