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
#include "watcher/ledger/manifests.h"
#include "watcher/ledger/news.h"
#include "watcher/ledger/sources.h"

namespace caravel::watcher {
namespace {

using std::chrono::milliseconds;

/// A look costs a few queries of the ledger; what it finds lasts for minutes or for days.
constexpr std::chrono::minutes kLookEvery{1};
/// More than this at a time is a flood; `status` counts on.
constexpr std::size_t kMostManifests = 1000;
/// Manifests that are overdue for longer than this are no news: a flood of them stays bounded.
constexpr std::chrono::hours kNewsFor{24};
/// What the key of every silence in the ledger's news begins with.
constexpr std::string_view kSilence = "silence\n";

const FeedConfig* find_feed(const std::vector<FeedConfig>& feeds, const std::string& name) {
  const auto feed = std::find_if(feeds.begin(), feeds.end(),
                                 [&](const FeedConfig& each) { return each.name == name; });
  return feed == feeds.end() ? nullptr : &*feed;
}

/// The key of a source's silence, within its feed; of the feed's own, if both are empty.
std::string silence_of(const std::string& source, const std::string& run) {
  return std::string(kSilence) + source + "\n" + run;
}

std::string ago(Time then, Time now) {
  return duration_for_people(std::chrono::duration_cast<milliseconds>(now - then));
}

/// What one look at the ledger finds.
struct Findings {
  News lasting;                          // what lasts, and what is to be said at its end
  std::map<NewsKey, std::string> texts;  // what is to be said when it begins
  News forgotten;                        // silences that are not expected to end: what is said then

  void add(const NewsKey& key, std::string text, std::string at_end) {
    texts.emplace(key, std::move(text));
    lasting.emplace(key, std::move(at_end));
  }
};

void add_silences(const std::vector<SilentSource>& sources, Time now, Findings& findings) {
  for (const SilentSource& source : sources) {
    std::string name = source.source.empty() ? "the feed" : printable(source.source);
    if (source.one_of_several) name += fmt::format(" (run {})", source.run);
    name = fmt::format("{}: {}", source.feed, name);
    const NewsKey key{source.feed, silence_of(source.source, source.run)};
    const std::string silent_for = ago(source.last_at, now);
    if (source.forgotten) {
      findings.forgotten.emplace(
          key, fmt::format("{} sent nothing for {}: it is not expected any more (forget_source)",
                           name, silent_for));
      continue;
    }
    findings.add(key, fmt::format("{} is silent: nothing came for {}", name, silent_for),
                 fmt::format("{} is not silent any more{}", name,
                             source.one_of_several ? ", or a new run took its place" : ""));
  }
}

void add_overdue(const std::vector<OpenManifest>& manifests, const std::vector<FeedConfig>& feeds,
                 Time now, Findings& findings) {
  for (const OpenManifest& manifest : manifests) {
    // One ledger serves several processes. The manifest of a feed that is not in our configuration
    // is the business of the process that has that feed, and knows its manifest_wait.
    const FeedConfig* const feed = find_feed(feeds, manifest.feed);
    if (feed == nullptr) continue;
    // The limit is each feed's own, not that of the most patient feed that we happen to have.
    if (now - manifest.since > feed->manifest_wait + kNewsFor) continue;
    findings.add(
        {manifest.feed, "manifest\n" + manifest.name},
        fmt::format("{}: {} came {} ago, and its extract has not been loaded: late or lost",
                    manifest.feed, printable(manifest_name(manifest.name)),
                    ago(manifest.since, now)),
        "");
  }
}

/// The silence of a feed goes on as that of a source that became known meanwhile (its store was
/// down, and the first of its extracts is loaded only now): it has not ended. Keys sort by feed
/// first, and that of the feed itself before those of its sources.
bool goes_on(const NewsKey& silence, const News& lasting) {
  if (silence.second != silence_of("", "")) return false;
  const auto source = lasting.lower_bound(silence);
  return source != lasting.end() && source->first.first == silence.first &&
         source->first.second.starts_with(kSilence);
}

/// What is to be said now: of what lasts and did not last `before`, and the other way round.
std::vector<std::string> messages_of(Findings findings, const News& before,
                                     const std::vector<FeedConfig>& feeds) {
  std::vector<std::string> messages;
  for (auto& [key, text] : findings.texts) {
    if (!before.contains(key)) messages.push_back(std::move(text));
  }
  for (const auto& [key, at_end] : before) {
    const bool lasts = findings.lasting.contains(key) || goes_on(key, findings.lasting);
    if (lasts || at_end.empty()) continue;
    // Where `expect_every` was taken out of the configuration, a silence is over without an end.
    const FeedConfig* const feed = find_feed(feeds, key.first);
    if (feed == nullptr || !feed->expect_every) continue;
    const auto forgotten = findings.forgotten.find(key);
    messages.push_back(forgotten == findings.forgotten.end() ? at_end : forgotten->second);
  }
  return messages;
}

}  // namespace

Result<std::vector<SilentSource>> silent_sources(const std::vector<FeedConfig>& feeds,
                                                 Ledger& ledger, Time now) {
  std::vector<SilentSource> out;
  CARAVEL_ASSIGN_OR_RETURN(auto sources, ledger.sources().all());
  for (const FeedConfig& feed : feeds) {
    if (!feed.expect_every) continue;
    std::vector<SilentSource> expected;
    // Several runs may have one source's name: messages then name the run as well.
    std::map<std::string, unsigned> of_this_name;
    for (const SourceStatus& source : sources) {
      // What a person loads is no sign of life of the host.
      const bool only_by_hand = source.last_at == Time{};
      if (source.run.feed != feed.name || source.replaced || only_by_hand) continue;
      // After the clock was set back the difference may be negative: then nothing is forgotten.
      const bool forgotten = now - source.last_at > feed.forget_source;
      expected.push_back(
          {feed.name, source.run.source, source.run.run, false, source.last_at, {}, forgotten});
      ++of_this_name[source.run.source];
    }
    // No host is expected by its name: then anything that comes for the feed will do.
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
    const FeedConfig* const feed = find_feed(feeds, manifest.feed);
    const milliseconds wait = feed == nullptr ? milliseconds(0) : feed->manifest_wait;
    if (now - manifest.since <= wait) return;
    if (out.newest.size() < kMostManifests) out.newest.push_back(std::move(manifest));
    ++out.total;
  }));
  return out;
}

std::vector<std::string> SourceWatch::step(Time now) {
  // A clock that was set back must not silence this for hours.
  if (next_ && now < *next_ && *next_ - now <= kLookEvery) return {};
  // Set before the look: after an error the ledger is asked, and complained of, a minute later and
  // not at once.
  next_ = now + kLookEvery;
  auto messages = look(now);
  if (!messages) return {messages.error().message};
  return *std::move(messages);
}

Result<std::vector<std::string>> SourceWatch::look(Time now) {
  std::set<std::string> names;
  milliseconds longest_wait{0};
  for (const FeedConfig& feed : config_.feeds) {
    names.insert(feed.name);
    longest_wait = std::max(longest_wait, feed.manifest_wait);
  }
  CARAVEL_ASSIGN_OR_RETURN(auto silent, silent_sources(config_.feeds, ledger_, now));
  CARAVEL_ASSIGN_OR_RETURN(
      auto overdue, overdue_manifests(config_.feeds, ledger_, now, now - longest_wait - kNewsFor));
  Findings findings;
  add_silences(silent, now, findings);
  add_overdue(overdue.newest, config_.feeds, now, findings);
  // Committed before it is said: a crash in between leaves one message unsaid, the other way round
  // each restart would say it again. `status` shows what lasts in any case.
  CARAVEL_ASSIGN_OR_RETURN(auto before, ledger_.news().replace(names, findings.lasting));
  return messages_of(std::move(findings), before, config_.feeds);
}

}  // namespace caravel::watcher
