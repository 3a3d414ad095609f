#include "watcher/ledger/upkeep/folding.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/sqlite/transaction.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

/// What may be folded as far as the ledger knows. An extract of a drop directory without a
/// `done_path` is not archived yet.
constexpr std::string_view kIsOver =
    "(state = 'done' OR (state = 'failed' AND settled <> '')) "
    "AND (done_path <> '' OR origin IN ('process', 'upload')) "
    "AND NOT EXISTS (SELECT 1 FROM retries WHERE extract = extracts.id)";

/// The columns that `remembered` shares with `extracts`.
constexpr std::string_view kRemembered =
    "id, feed, name, origin, state, why, claimed_at, done_at, size, sha256, format, time_used, "
    "time_source, year_guessed, lines, rows, dropped, rejected, stored, already_there, differs, "
    "replaced, failed, first_time, last_time, store, done_path, host, settled";

/// A day takes over the row times of extracts that are forgotten: rows of theirs hinder
/// --delete-stale as before, though nobody knows any more which of the day's rows they are.
constexpr std::string_view kWidenDays =
    "UPDATE daily SET forgotten = min(done + not_done, forgotten + gone.extracts), "
    "first_time = coalesce(min(daily.first_time, gone.first), daily.first_time, gone.first), "
    "last_time = coalesce(max(daily.last_time, gone.last), daily.last_time, gone.last) "
    "FROM (SELECT feed, substr(done_at, 1, 10) AS day, count(*) AS extracts, "
    "min(CASE WHEN state = 'done' AND first_time <> '' THEN first_time END) AS first, "
    "max(CASE WHEN state = 'done' AND last_time <> '' THEN last_time END) AS last "
    "FROM remembered WHERE id IN (SELECT value FROM json_each(?)) GROUP BY 1, 2) AS gone "
    "WHERE daily.feed = gone.feed AND daily.day = gone.day";

/// The year's source of a content goes with the last extract that had it.
constexpr std::string_view kForgetTimes =
    "DELETE FROM known_times WHERE sha256 IN (SELECT sha256 FROM remembered WHERE id IN "
    "(SELECT value FROM json_each(?1))) "
    "AND NOT EXISTS (SELECT 1 FROM extracts AS e WHERE e.sha256 = known_times.sha256) "
    "AND NOT EXISTS (SELECT 1 FROM remembered AS r WHERE r.sha256 = known_times.sha256 "
    "AND r.id NOT IN (SELECT value FROM json_each(?1)))";

/// A manifest may speak of the unpacked bytes, so that no extract has its SHA-256: it goes by its
/// age.
constexpr std::string_view kOldManifests =
    "FROM manifests AS m INDEXED BY manifests_came_at WHERE came_at < ?1 "
    "AND coalesce(loaded_at, '') < ?1 "
    "AND NOT EXISTS (SELECT 1 FROM extracts AS e WHERE e.sha256 = m.sha256) "
    "AND NOT EXISTS (SELECT 1 FROM remembered AS r WHERE r.sha256 = m.sha256)";

/// Runs of which nothing came, ended or was missed for so long. One that sends again after that
/// counts as new: what it sent before is then a gap.
constexpr std::string_view kOldSources =
    "FROM sources AS s WHERE max(last_at, changed_at) < ?1 AND max(last_at, changed_at) <> '' "
    "AND NOT EXISTS (SELECT 1 FROM gaps AS g WHERE g.feed = s.feed AND g.run = s.run "
    "AND g.since >= ?1)";

void add_id(std::string& ids, std::int64_t id) {
  ids += fmt::format("{}{}", ids.empty() ? "[" : ",", id);
}

Result<std::uint64_t> count_of(Sqlite& database, const std::string& sql, const std::string& value) {
  std::uint64_t count = 0;
  CARAVEL_TRY(database.each(
      sql, [&](const Statement& row) { count = row.count(0); }, value));
  return count;
}

}  // namespace

std::string daily_totals_of(std::string_view table, std::string_view where) {
  return fmt::format(
      "INSERT INTO daily (feed, day, done, not_done, bytes, lines, rows, dropped, rejected, "
      "stored, "
      "already_there, differs, replaced, failed, years_guessed, last_claim, forgotten) "
      "SELECT feed, substr(done_at, 1, 10), sum(state = 'done'), sum(state = 'failed'), "
      "sum(size), sum(lines), sum(rows), sum(dropped), sum(rejected), sum(stored), "
      "sum(already_there), sum(differs), sum(replaced), sum(failed), sum(year_guessed), "
      "max(CASE WHEN origin IN ('drop', 'capture') THEN claimed_at END), 0 FROM {} "
      "WHERE {} GROUP BY 1, 2 "
      "ON CONFLICT (feed, day) DO UPDATE SET done = done + excluded.done, "
      "not_done = not_done + excluded.not_done, bytes = bytes + excluded.bytes, "
      "lines = lines + excluded.lines, rows = rows + excluded.rows, "
      "dropped = dropped + excluded.dropped, rejected = rejected + excluded.rejected, "
      "stored = stored + excluded.stored, already_there = already_there + excluded.already_there, "
      "differs = differs + excluded.differs, replaced = replaced + excluded.replaced, "
      "failed = failed + excluded.failed, years_guessed = years_guessed + excluded.years_guessed, "
      "last_claim = coalesce(max(last_claim, excluded.last_claim), last_claim, "
      "excluded.last_claim)",
      table, where);
}

Folded& Folded::operator+=(const Folded& other) {
  extracts += other.extracts;
  forgotten += other.forgotten;
  manifests += other.manifests;
  sources += other.sources;
  more = other.more;
  return *this;
}

Result<Folding::Candidates> Folding::candidates(const FoldBounds& bounds, const IsGone& is_gone,
                                                Place& place) {
  // Read without a transaction: the files are looked for meanwhile, and nobody waits for that.
  CARAVEL_ASSIGN_OR_RETURN(
      const auto extracts,
      select_extracts(database_, "grown old",
                      fmt::format("INDEXED BY extracts_done_at WHERE (done_at, id) > (?, ?) "
                                  "AND done_at < ? AND {} ORDER BY done_at, id LIMIT ?",
                                  kIsOver),
                      place.done_at, place.id, time_text(bounds.fold_before), kBatch));
  Candidates out;
  for (const Extract& extract : extracts) {
    place = {time_text(extract.done_at.value_or(Time{})), extract.id};
    if (!is_gone(extract)) continue;
    add_id(out.ids, extract.id);
    ++out.gone;
  }
  if (out.gone > 0) out.ids += "]";
  out.more = extracts.size() == kBatch;
  if (!out.more) place = {};
  return out;
}

Result<std::uint64_t> Folding::fold(const std::string& ids) {
  return in_context("fold", [&]() -> Result<std::uint64_t> {
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    // Again under the lock: a person may have asked for one of them meanwhile. Those that are left
    // are the ones in `remembered` and in `extracts` both.
    CARAVEL_ASSIGN_OR_RETURN(
        const auto folded,
        database_.run(
            fmt::format("INSERT INTO remembered ({0}) SELECT {0} FROM extracts WHERE id IN "
                        "(SELECT value FROM json_each(?)) AND {1}",
                        kRemembered, kIsOver),
            ids));
    std::string taken;
    CARAVEL_TRY(database_.each(
        "SELECT id FROM remembered WHERE id IN (SELECT value FROM json_each(?))",
        [&](const Statement& row) { add_id(taken, row.integer(0)); }, ids));
    if (taken.empty()) return 0;
    taken += "]";
    CARAVEL_TRY(database_.run(daily_totals_of("extracts", "id IN (SELECT value FROM json_each(?))"),
                              taken));
    CARAVEL_TRY(
        database_.run("DELETE FROM extracts WHERE id IN (SELECT value FROM json_each(?))", taken));
    CARAVEL_TRY(transaction.commit());
    return static_cast<std::uint64_t>(folded);
  });
}

Result<std::uint64_t> Folding::forget(const std::string& before) {
  return in_context("forget", [&]() -> Result<std::uint64_t> {
    std::string ids;
    std::uint64_t count = 0;
    CARAVEL_TRY(database_.each(
        "SELECT id FROM remembered WHERE done_at < ? ORDER BY done_at LIMIT ?",
        [&](const Statement& row) {
          add_id(ids, row.integer(0));
          ++count;
        },
        before, kBatch));
    if (count == 0) return 0;
    ids += "]";
    // Whoever holds the lock of the spool folds, and nobody else: what was read stays true.
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    CARAVEL_TRY(database_.run(kWidenDays, ids));
    CARAVEL_TRY(database_.run(kForgetTimes, ids));
    CARAVEL_TRY(
        database_.run("DELETE FROM remembered WHERE id IN (SELECT value FROM json_each(?))", ids));
    CARAVEL_TRY(transaction.commit());
    return count;
  });
}

Result<std::uint64_t> Folding::forget_manifests(const std::string& before) {
  return in_context("forget manifests", [&]() -> Result<std::uint64_t> {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto gone,
        database_.run(fmt::format("DELETE FROM manifests WHERE (feed, name, sha256) IN "
                                  "(SELECT feed, name, sha256 {} LIMIT {})",
                                  kOldManifests, kBatch),
                      before));
    return static_cast<std::uint64_t>(gone);
  });
}

Result<std::uint64_t> Folding::forget_sources(const std::string& before) {
  return in_context("forget sources", [&]() -> Result<std::uint64_t> {
    CARAVEL_ASSIGN_OR_RETURN(
        const auto old,
        count_of(database_, fmt::format("SELECT count(*) {}", kOldSources), before));
    if (old > 0) {
      CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
      CARAVEL_TRY(database_.run(
          fmt::format("DELETE FROM sources WHERE (feed, run) IN (SELECT feed, run {})",
                      kOldSources),
          before));
      CARAVEL_TRY(
          database_.run("DELETE FROM gaps WHERE NOT EXISTS (SELECT 1 FROM sources AS s "
                        "WHERE s.feed = gaps.feed AND s.run = gaps.run)"));
      CARAVEL_TRY(transaction.commit());
    }
    CARAVEL_TRY(database_.run("DELETE FROM closed_gaps WHERE closed_at < ?", before));
    return old;
  });
}

Result<Folded> Folding::step(const FoldBounds& bounds, const IsGone& is_gone) {
  Folded out;
  CARAVEL_ASSIGN_OR_RETURN(const Candidates found, candidates(bounds, is_gone, place_));
  if (found.gone > 0) {
    CARAVEL_ASSIGN_OR_RETURN(out.extracts, fold(found.ids));
  }
  const std::string before = time_text(bounds.forget_before);
  CARAVEL_ASSIGN_OR_RETURN(out.forgotten, forget(before));
  CARAVEL_ASSIGN_OR_RETURN(out.manifests, forget_manifests(before));
  out.more = found.more || out.forgotten == kBatch || out.manifests == kBatch;
  // Few rows, so at the end of a pass and at once.
  if (!out.more) {
    CARAVEL_ASSIGN_OR_RETURN(out.sources, forget_sources(before));
  }
  return out;
}

Result<Folded> Folding::look(const FoldBounds& bounds, const IsGone& is_gone) {
  Folded out;
  Place place;
  do {
    CARAVEL_ASSIGN_OR_RETURN(const Candidates found, candidates(bounds, is_gone, place));
    out.extracts += found.gone;
    out.more = found.more;
  } while (out.more);
  const std::string before = time_text(bounds.forget_before);
  return in_context("forget", [&]() -> Result<Folded> {
    CARAVEL_ASSIGN_OR_RETURN(
        out.forgotten,
        count_of(database_, "SELECT count(*) FROM remembered WHERE done_at < ?", before));
    CARAVEL_ASSIGN_OR_RETURN(
        out.manifests,
        count_of(database_, fmt::format("SELECT count(*) {}", kOldManifests), before));
    CARAVEL_ASSIGN_OR_RETURN(
        out.sources, count_of(database_, fmt::format("SELECT count(*) {}", kOldSources), before));
    return out;
  });
}

}  // namespace caravel::watcher
