#include "watcher/ledger/manifests.h"

#include <cstdint>
#include <set>
#include <utility>

#include "watcher/ledger/rows.h"

namespace caravel::watcher {

Result<> Manifests::add(const std::string& feed, const std::string& name, const Manifest& manifest,
                        Time now) {
  return in_context("manifest", [&]() -> Result<> {
    // Rows of an extract that was formatted before its manifest came have ids that were made
    // without it, and keep them: too_late marks such a manifest, in the same statement, so that no
    // extract is formatted between the question and the answer.
    CARAVEL_TRY(database_.run(
        "INSERT INTO manifests (feed, name, sha256, run, sequence, text, came_at, loaded_at, "
        "too_late) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, max(done_at), count(*) > 0 FROM "
        "(SELECT done_at, feed, name, sha256, state FROM extracts WHERE sha256 = ?3 UNION ALL "
        "SELECT done_at, feed, name, sha256, state FROM remembered WHERE sha256 = ?3) "
        "WHERE feed = ?1 AND name = ?2 AND state <> 'failed' ON CONFLICT DO NOTHING",
        feed, name, manifest.sha256, manifest.run, manifest.sequence, format_manifest(manifest),
        time_text(now)));
    return {};
  });
}

Result<> Manifests::add_copy(const std::string& feed, const std::string& name,
                             const std::string& original, const Manifest& manifest, Time now) {
  CARAVEL_TRY(add(feed, name, manifest, now));
  return in_context("manifest", [&]() -> Result<> {
    CARAVEL_TRY(database_.run(
        "UPDATE manifests SET loaded_at = ? WHERE feed = ? AND sha256 = ? AND loaded_at IS NULL",
        time_text(now), feed, original));
    return {};
  });
}

Result<std::vector<Manifest>> Manifests::for_name(const std::string& feed,
                                                  const std::string& name) {
  return in_context("manifests", [&]() -> Result<std::vector<Manifest>> {
    std::vector<Manifest> out;
    // The newest 100: a sender can send any number of manifests for one name.
    CARAVEL_TRY(database_.each(
        "SELECT text FROM manifests WHERE feed = ? AND name = ? ORDER BY came_at DESC LIMIT 100",
        [&](const Statement& row) {
          if (auto manifest = parse_manifest(row.text(0))) out.push_back(std::move(*manifest));
        },
        feed, name));
    return out;
  });
}

Result<std::optional<Manifest>> Manifests::of_content(const std::string& feed,
                                                      const std::string& sha256,
                                                      const std::string& name) {
  return in_context("manifest", [&]() -> Result<std::optional<Manifest>> {
    std::optional<Manifest> out;
    // "loaded_at IS NULL" is 0 for a manifest whose extract is loaded: among several, one that made
    // the ids of stored rows goes first, so that a replay makes the same ids.
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

Result<std::vector<NewestManifest>> Manifests::newest_of_runs() {
  return in_context("manifests", [&]() -> Result<std::vector<NewestManifest>> {
    std::vector<NewestManifest> out;
    // With max(), the other columns are those of the row that holds the maximum
    // (https://www.sqlite.org/lang_select.html, "Bare columns in an aggregate query").
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

Result<bool> Manifests::has_several_places(const std::string& feed, const std::string& sha256,
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
    // An extract without a manifest by its name may have been given the place that the manifest of
    // another name tells, or, if the feed ignored manifests then, a place of its own. The ledger
    // does not know which, so such an extract counts as a place of its own.
    bool without = ignored;
    CARAVEL_TRY(database_.each(
        "SELECT name FROM extracts WHERE sha256 = ?1 AND feed = ?2 UNION ALL "
        "SELECT name FROM remembered WHERE sha256 = ?1 AND feed = ?2",
        [&](const Statement& row) { without = without || !with_manifest.contains(row.text(0)); },
        sha256, feed));
    return places.size() + (without ? 1 : 0) > 1;
  });
}

Result<> Manifests::without_extract(Time since, const std::function<void(OpenManifest)>& each) {
  return in_context("manifests", [&]() -> Result<> {
    // An extract is here if one with that content is on its way or in failed/, or if one with that
    // name is on its way and its content was not read yet.
    return database_.each(
        "SELECT feed, name, came_at FROM manifests AS m WHERE loaded_at IS NULL AND came_at >= ? "
        "AND NOT EXISTS (SELECT 1 FROM extracts AS e WHERE e.sha256 = m.sha256 "
        "AND e.feed = m.feed AND e.state <> 'done') "
        "AND NOT EXISTS (SELECT 1 FROM extracts AS e WHERE e.name = m.name AND e.feed = m.feed "
        "AND e.sha256 = '' AND e.state NOT IN ('done', 'failed')) "
        "AND NOT EXISTS (SELECT 1 FROM remembered AS r WHERE r.sha256 = m.sha256 "
        "AND r.feed = m.feed AND r.state <> 'done') "
        "ORDER BY came_at DESC, name",
        [&](const Statement& row) {
          each({row.text(0), row.text(1), time_at(row, 2)});
        },
        time_text(since));
  });
}

}  // namespace caravel::watcher
