// The ledger's part for manifests, and for what was said of those that stay alone.
#include <algorithm>
#include <set>

#include "watcher/ledger/ledger.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {

Result<> Ledger::add_manifest(const std::string& feed, const std::string& name,
                              const Manifest& manifest, Time now) {
  return in_context("manifest", [&]() -> Result<> {
    CARAVEL_TRY(

        database_.run(
            "INSERT INTO manifests (feed, name, sha256, run, sequence, text, came_at, loaded_at, "
            "too_late) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, max(done_at), count(*) > 0 FROM extracts "
            "WHERE feed = ?1 AND name = ?2 AND sha256 = ?3 AND state <> 'failed' "
            "ON CONFLICT DO NOTHING",
            feed, name, manifest.sha256, manifest.run, manifest.sequence, format_manifest(manifest),
            time_text(now)));
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

Result<std::vector<NewestManifest>> Ledger::newest_manifests() {
  return in_context("manifests", [&]() -> Result<std::vector<NewestManifest>> {
    std::vector<NewestManifest> out;
    // With max(), the other columns are those of the row that holds the maximum.
    CARAVEL_TRY(
        database_.each("SELECT feed, name, text, max(sequence) FROM manifests GROUP BY feed, run",
                       [&](const Statement& row) {
                         auto manifest = parse_manifest(row.text(2));
                         if (manifest)
                           out.push_back({row.text(0), row.text(1), std::move(*manifest)});
                       }));
    return out;
  });
}

Result<bool> Ledger::has_several_places(const std::string& feed, const std::string& sha256,
                                        const std::string& unpacked_sha256, bool ignored) {
  return in_context("places", [&]() -> Result<bool> {
    std::set<std::pair<std::string, std::uint64_t>> places;
    std::set<std::string> with_manifest;  // names
    CARAVEL_TRY(database_.each(
        "SELECT name, text FROM manifests WHERE sha256 IN (?, ?) AND feed = ? AND NOT too_late",
        [&](const Statement& row) {
          with_manifest.insert(row.text(0));
          const auto manifest = parse_manifest(row.text(1));
          if (manifest) places.emplace(manifest->first_line, manifest->first);
        },
        sha256, unpacked_sha256, feed));
    // Whether one that came without a manifest was given the place of another's is not known: the
    // feed may have ignored manifests then.
    bool without = ignored;
    CARAVEL_TRY(database_.each(
        "SELECT name FROM extracts WHERE sha256 = ? AND feed = ?",
        [&](const Statement& row) { without = without || !with_manifest.contains(row.text(0)); },
        sha256, feed));
    return places.size() + (without ? 1 : 0) > 1;
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
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(read());  // under the lock: another may have come first
    for (const auto& [key, at_end] : before) {
      if (news.contains(key)) continue;
      CARAVEL_TRY(

          database_.run("DELETE FROM news WHERE feed = ? AND what = ?", key.first, key.second));
    }
    for (const auto& [key, at_end] : news) {
      if (before.contains(key)) continue;
      CARAVEL_TRY(database_.run("INSERT INTO news (feed, what, at_end) VALUES (?, ?, ?)",

                                key.first, key.second, at_end));
    }
    CARAVEL_TRY(transaction.commit());
    return before;
  });
}

}  // namespace caravel::watcher
