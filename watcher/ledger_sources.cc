// The ledger's part for capture hosts: manifests, the sequences of their extracts, and gaps in
// them.
#include <algorithm>
#include <set>

#include "watcher/ledger.h"
#include "watcher/ledger_rows.h"

namespace caravel::watcher {
namespace {

/// Takes one number out of the gap that holds it. False if none does.
Result<bool> take_from_gap(Sqlite& database, const SourceRun& run, std::uint64_t sequence) {
  std::optional<SequenceGap> gap;
  std::string since;
  CARAVEL_TRY(database.each(
      "DELETE FROM gaps WHERE feed = ? AND run = ? AND first <= ?3 AND last >= ?3 "
      "RETURNING first, last, since",
      [&](const Statement& row) {
        gap = SequenceGap{row.count(0), row.count(1), {}};
        since = row.text(2);
      },
      run.feed, run.run, sequence));
  if (!gap) return false;
  const auto keep = [&](std::uint64_t first, std::uint64_t last) -> Result<> {
    if (first > last) return {};
    auto put =
        database.run("INSERT INTO gaps (feed, run, first, last, since) VALUES (?, ?, ?, ?, ?)",
                     run.feed, run.run, first, last, since);
    if (!put) return tl::unexpected(std::move(put).error());
    return {};
  };
  CARAVEL_TRY(keep(gap->first, sequence - 1));
  CARAVEL_TRY(keep(sequence + 1, gap->last));
  return true;
}

using LastByRun = std::map<std::pair<std::string, std::string>, Time>;

/// By feed and run, when the last of the extracts came that no number tells of: those that are on
/// their way, and those in failed/ (broken transfers are a sign of life too).
Result<LastByRun> last_of_unfinished(Sqlite& database) {
  LastByRun out;
  CARAVEL_TRY(database.each(
      "SELECT feed, name, coalesce(claimed_at, seen_at), (SELECT run FROM manifests "
      "WHERE feed = extracts.feed AND name = extracts.name ORDER BY came_at DESC LIMIT 1) "
      "FROM extracts WHERE origin IN ('drop', 'capture') AND "
      "state IN ('seen', 'waiting', 'claimed', 'formatted', 'uploading', 'failed')",
      [&](const Statement& row) {
        std::string run = row.text(3);
        if (run.empty()) {
          const std::string name = row.text(1);
          if (const auto parts = parse_tail_name(name)) run = parts->run;
        }
        Time& last = out[{row.text(0), run}];
        last = std::max(last, time_at(row, 2));
      }));
  return out;
}

/// An agent that lost its state goes on under another run: the older one has sent nothing since.
/// One that has is a source of its own that has the same name.
void mark_replaced(std::vector<SourceStatus>& sources) {
  const SourceStatus* newest = nullptr;
  for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
    if (newest == nullptr || newest->run.feed != source->run.feed ||
        newest->run.source != source->run.source) {
      newest = &*source;
    } else {
      source->replaced = source->last_at <= newest->first_at;
    }
  }
}

}  // namespace

Result<> Ledger::add_manifest(const std::string& feed, const std::string& name,
                              const Manifest& manifest, Time now) {
  return in_context("manifest", [&]() -> Result<> {
    auto added = database_.run(
        "INSERT INTO manifests (feed, name, sha256, run, sequence, text, came_at, loaded_at, "
        "too_late) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, max(done_at), count(*) > 0 FROM extracts "
        "WHERE feed = ?1 AND name = ?2 AND sha256 = ?3 AND state <> 'failed' "
        "ON CONFLICT DO NOTHING",
        feed, name, manifest.sha256, manifest.run, manifest.sequence, format_manifest(manifest),
        time_text(now));
    if (!added) return tl::unexpected(std::move(added).error());
    return {};
  });
}

Result<std::vector<Manifest>> Ledger::manifests_for(const std::string& feed,
                                                    const std::string& name) {
  return in_context("manifests", [&]() -> Result<std::vector<Manifest>> {
    std::vector<Manifest> out;
    CARAVEL_TRY(database_.each(
        "SELECT text FROM manifests WHERE feed = ? AND name = ? ORDER BY came_at DESC LIMIT 100",
        [&](const Statement& row) {
          if (auto manifest = parse_manifest(row.text(0))) out.push_back(std::move(*manifest));
        },
        feed, name));
    return out;
  });
}

Result<std::optional<Manifest>> Ledger::manifest_of(const std::string& feed,
                                                    const std::string& sha256,
                                                    const std::string& name) {
  return in_context("manifest", [&]() -> Result<std::optional<Manifest>> {
    std::optional<Manifest> out;
    CARAVEL_TRY(database_.each(
        "SELECT text FROM manifests WHERE sha256 = ? AND feed = ? AND NOT too_late "
        "ORDER BY name = ? DESC, loaded_at IS NULL, came_at DESC LIMIT 1",
        [&](const Statement& row) {
          if (auto manifest = parse_manifest(row.text(0))) out = std::move(*manifest);
        },
        sha256, feed, name));
    return out;
  });
}

Result<bool> Ledger::has_several_places(const std::string& feed, const std::string& sha256,
                                        const std::string& unpacked_sha256) {
  return in_context("places", [&]() -> Result<bool> {
    std::set<std::pair<std::string, std::uint64_t>> places;
    std::map<std::string, std::string> came_at;  // by the name of the extract
    CARAVEL_TRY(database_.each(
        "SELECT name, came_at, text FROM manifests WHERE sha256 IN (?, ?) AND feed = ? "
        "AND NOT too_late",
        [&](const Statement& row) {
          came_at[row.text(0)] = row.text(1);
          const auto manifest = parse_manifest(row.text(2));
          if (manifest) places.emplace(manifest->first_line, manifest->first);
        },
        sha256, unpacked_sha256, feed));
    // One that came without a manifest has the place that an earlier one of its content told.
    bool without = false;
    CARAVEL_TRY(database_.each(
        "SELECT name, coalesce(claimed_at, seen_at) FROM extracts WHERE sha256 = ? AND feed = ?",
        [&](const Statement& row) {
          const std::string came = row.text(1);
          without = without || (!came_at.contains(row.text(0)) &&
                                std::none_of(came_at.begin(), came_at.end(),
                                             [&](const auto& one) { return one.second <= came; }));
        },
        sha256, feed));
    return places.size() + (without ? 1 : 0) > 1;
  });
}

Result<Arrival> Ledger::arrived(const SourceRun& run, std::uint64_t sequence, State end,
                                std::optional<Time> came, Time now) {
  return in_context("sequence", [&]() -> Result<Arrival> {
    Arrival arrival;
    if (sequence == 0 || sequence > kMaxSequence) return arrival;
    auto transaction = Transaction::begin(database_);
    if (!transaction) return tl::unexpected(std::move(transaction).error());
    const std::string at = time_text(now);
    std::uint64_t next = 1;
    CARAVEL_TRY(database_.each(
        "SELECT next FROM sources WHERE feed = ? AND run = ?",
        [&](const Statement& row) { next = row.count(0); }, run.feed, run.run));
    if (sequence > next) {
      arrival.opened = SequenceGap{next, sequence - 1, now};
      auto put =
          database_.run("INSERT INTO gaps (feed, run, first, last, since) VALUES (?, ?, ?, ?, ?)",
                        run.feed, run.run, next, sequence - 1, at);
      if (!put) return tl::unexpected(std::move(put).error());
    } else if (sequence < next) {
      auto taken = take_from_gap(database_, run, sequence);
      if (!taken) return tl::unexpected(std::move(taken).error());
      arrival.closed = *taken;
    }
    auto kept = database_.run(
        "INSERT INTO sources (feed, run, source, next, first_at, last_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (feed, run) DO UPDATE SET "
        "next = max(next, excluded.next), last_at = max(last_at, excluded.last_at), "
        "first_at = CASE WHEN first_at = '' THEN excluded.first_at ELSE first_at END, "
        "source = CASE WHEN ?6 THEN source ELSE excluded.source END",
        run.feed, run.run, run.source, std::max(next, sequence + 1), came ? time_text(*came) : "",
        run.by_name_only);
    if (!kept) return tl::unexpected(std::move(kept).error());
    if (end == State::done) {
      auto loaded = database_.run(
          "UPDATE manifests SET loaded_at = ? WHERE feed = ? AND run = ? AND sequence = ? "
          "AND loaded_at IS NULL",
          at, run.feed, run.run, sequence);
      if (!loaded) return tl::unexpected(std::move(loaded).error());
    }
    CARAVEL_TRY(database_.each(
        "SELECT count(*) FROM gaps WHERE feed = ? AND run = ?",
        [&](const Statement& row) { arrival.gaps = row.count(0); }, run.feed, run.run));
    CARAVEL_TRY(transaction->commit());
    return arrival;
  });
}

Result<std::vector<SourceStatus>> Ledger::sources() {
  return in_context("sources", [&]() -> Result<std::vector<SourceStatus>> {
    std::vector<SourceStatus> out;
    CARAVEL_TRY(
        database_.each("SELECT feed, run, source, next, first_at, last_at FROM sources "
                       "ORDER BY feed, source, first_at, last_at, run",
                       [&](const Statement& row) {
                         SourceStatus source;
                         source.run = {row.text(0), row.text(1), row.text(2)};
                         source.last_sequence = row.count(3) - 1;
                         source.first_at = time_at(row, 4);
                         source.last_at = time_at(row, 5);
                         out.push_back(std::move(source));
                       }));
    auto last = last_of_unfinished(database_);
    if (!last) return tl::unexpected(std::move(last).error());
    std::map<std::pair<std::string, std::string>, SourceStatus*> by_run;
    for (SourceStatus& source : out) {
      source.last_at = std::max(source.last_at, (*last)[{source.run.feed, source.run.run}]);
      by_run[{source.run.feed, source.run.run}] = &source;
    }
    CARAVEL_TRY(database_.each(
        "SELECT feed, run, first, last, since FROM gaps ORDER BY feed, run, since DESC, first",
        [&](const Statement& row) {
          const auto run = by_run.find({row.text(0), row.text(1)});
          if (run == by_run.end()) return;
          SourceStatus& source = *run->second;
          ++source.gaps_total;
          if (source.gaps.size() >= kMaxGaps) return;
          source.gaps.push_back({row.count(2), row.count(3), time_at(row, 4)});
        }));
    for (SourceStatus& source : out) {
      std::sort(source.gaps.begin(), source.gaps.end(),
                [](const SequenceGap& a, const SequenceGap& b) { return a.first < b.first; });
    }
    mark_replaced(out);
    return out;
  });
}

Result<> Ledger::open_manifests(Time since, const std::function<void(OpenManifest)>& each) {
  return in_context("manifests", [&]() -> Result<> {
    // Here is what is on its way or in failed/ with that content, and what has the name and was not
    // read yet.
    return database_.each(
        "SELECT feed, name, came_at FROM manifests AS m WHERE loaded_at IS NULL AND came_at >= ? "
        "AND NOT EXISTS (SELECT 1 FROM extracts AS e WHERE e.sha256 = m.sha256 "
        "AND e.feed = m.feed AND e.state <> 'done') "
        "AND NOT EXISTS (SELECT 1 FROM extracts AS e WHERE e.name = m.name AND e.feed = m.feed "
        "AND e.sha256 = '' AND e.state NOT IN ('done', 'failed')) "
        "ORDER BY came_at DESC, name",
        [&](const Statement& row) {
          each({row.text(0), row.text(1), time_at(row, 2)});
        },
        time_text(since));
  });
}

Result<News> Ledger::replace_news(const std::set<std::string>& feeds, const News& news) {
  return in_context("news", [&]() -> Result<News> {
    News before;
    const auto read = [&] {
      before.clear();
      return database_.each("SELECT feed, what, at_end FROM news", [&](const Statement& row) {
        if (feeds.contains(row.text(0))) before[{row.text(0), row.text(1)}] = row.text(2);
      });
    };
    const auto same_keys = [](const auto& a, const auto& b) { return a.first == b.first; };
    CARAVEL_TRY(read());
    if (std::equal(before.begin(), before.end(), news.begin(), news.end(), same_keys)) {
      return before;
    }
    auto transaction = Transaction::begin(database_);
    if (!transaction) return tl::unexpected(std::move(transaction).error());
    CARAVEL_TRY(read());  // under the lock: another may have come first
    for (const auto& [key, at_end] : before) {
      if (news.contains(key)) continue;
      auto gone =
          database_.run("DELETE FROM news WHERE feed = ? AND what = ?", key.first, key.second);
      if (!gone) return tl::unexpected(std::move(gone).error());
    }
    for (const auto& [key, at_end] : news) {
      if (before.contains(key)) continue;
      auto put = database_.run("INSERT INTO news (feed, what, at_end) VALUES (?, ?, ?)", key.first,
                               key.second, at_end);
      if (!put) return tl::unexpected(std::move(put).error());
    }
    CARAVEL_TRY(transaction->commit());
    return before;
  });
}

Result<std::optional<Time>> Ledger::last_claim(const std::string& feed) {
  return in_context("last claim", [&]() -> Result<std::optional<Time>> {
    std::optional<Time> out;
    CARAVEL_TRY(database_.each(
        "SELECT coalesce(claimed_at, seen_at) FROM extracts WHERE feed = ? "
        "AND origin IN ('drop', 'capture') ORDER BY id DESC LIMIT 1",
        [&](const Statement& row) { out = optional_time_at(row, 0); }, feed));
    return out;
  });
}

}  // namespace caravel::watcher
