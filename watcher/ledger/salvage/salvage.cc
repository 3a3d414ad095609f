#include "watcher/ledger/salvage/salvage.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "watcher/exchange/manifest.h"
#include "watcher/ledger/rows.h"
#include "watcher/ledger/salvage/records.h"
#include "watcher/ledger/stores.h"
#include "watcher/ledger/upkeep/folding.h"

namespace caravel::watcher {
namespace {

using Values = std::vector<RecordValue>;

/// The columns of `extracts` in the first schema. A row that was written before a column was added
/// has fewer values; a newer schema has more behind.
constexpr std::size_t kExtractValues = 36;
constexpr std::size_t kWithSettled = 39;

bool is_text(const RecordValue& value) { return value.type == RecordValue::Type::text; }
bool is_null(const RecordValue& value) { return value.type == RecordValue::Type::null; }
bool is_count(const RecordValue& value) {
  return value.type == RecordValue::Type::integer && value.integer >= 0;
}
bool is_time(const RecordValue& value) {
  return is_text(value) && parse_time_text(value.text).has_value();
}
bool is_sha256(const RecordValue& value) { return is_text(value) && is_hex(value.text, 64); }
bool is_time_source(const RecordValue& value) {
  constexpr std::array<std::string_view, 4> kSources{"manifest", "name", "mtime", "option"};
  return is_text(value) && std::ranges::find(kSources, value.text) != kSources.end();
}

/// Whether the values are of these types: t text, i a count, x a SHA-256, T a time, e a time or "",
/// n a time or NULL, b a text or NULL. A record does not say which table it is of: its values have
/// to.
bool has_shape(const Values& values, std::string_view shape) {
  if (values.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const RecordValue& value = values[i];
    const char type = shape[i];
    const bool good = type == 't'   ? is_text(value)
                      : type == 'i' ? is_count(value)
                      : type == 'x' ? is_sha256(value)
                      : type == 'T' ? is_time(value)
                      : type == 'b' ? is_null(value) || is_text(value)
                      : type == 'e' ? is_time(value) || (is_text(value) && value.text.empty())
                                    : is_null(value) || is_time(value);
    if (!good) return false;
  }
  return true;
}

std::optional<Time> time_of(const RecordValue& value) { return parse_time_text(value.text); }

/// A row of `extracts` with a claim, checked value by value; nothing for any other record.
std::optional<Extract> extract_in(const DatabaseRecord& record) {
  const Values& v = record.values;
  if (record.row <= 0 || v.size() < kExtractValues || !is_null(v[0])) return std::nullopt;
  constexpr std::size_t kTexts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 29, 30, 31, 32, 35};
  for (const std::size_t text : kTexts) {
    if (!is_text(v[text])) return std::nullopt;
  }
  for (std::size_t i = 18; i <= 28; ++i) {
    if (!is_count(v[i])) return std::nullopt;
  }
  const auto state = state_of(v[6].text);
  const auto origin = origin_of(v[4].text);
  const bool good = state && origin && !v[1].text.empty() && is_time(v[8]) && is_time(v[9]) &&
                    is_count(v[12]) && v[13].type == RecordValue::Type::integer &&
                    (v[14].text.empty() || is_sha256(v[14])) && is_count(v[33]);
  if (!good) return std::nullopt;
  Extract out;
  out.id = record.row;
  out.claim = v[1].text;
  out.feed = v[2].text;
  out.name = v[3].text;
  out.origin = *origin;
  out.path = v[5].text;
  out.state = *state;
  out.why = v[7].text;
  out.since = *time_of(v[8]);
  out.seen_at = *time_of(v[9]);
  out.claimed_at = time_of(v[10]);
  out.done_at = time_of(v[11]);
  const auto count = [&](std::size_t i) { return static_cast<std::uint64_t>(v[i].integer); };
  out.size = count(12);
  out.mtime_ns = v[13].integer;
  out.sha256 = v[14].text;
  out.format = v[15].text;
  out.time_used = v[16].text;
  out.time_source = v[17].text;
  out.year_guessed = v[18].integer != 0;
  out.counts = {count(19), count(20), count(21), count(22), count(23),
                count(24), count(25), count(26), count(27)};
  out.acknowledged = count(28);
  out.first_time = v[29].text;
  out.last_time = v[30].text;
  out.store = v[31].text;
  out.done_path = v[32].text;
  out.attempts = static_cast<unsigned>(count(33));
  out.next_try = time_of(v[34]);
  out.host = v[35].text;
  if (v.size() >= kWithSettled && is_text(v[36]) && is_text(v[38])) {
    out.settled = settled_of(v[36].text).value_or(Settled::open);
    out.settled_at = time_of(v[37]);
    out.settled_why = v[38].text;
  }
  return out;
}

/// A row of `remembered`.
bool is_remembered(const DatabaseRecord& record) {
  const Values& v = record.values;
  return record.row > 0 && has_shape(v, "ntttttnTittttiiiiiiiiiitttttt") && is_null(v[0]) &&
         origin_of(v[3].text) && (v[4].text == "done" || v[4].text == "failed");
}

/// A row of `daily` whose counts add up.
bool is_day(const Values& v) {
  if (!has_shape(v, "ttiiiiiiiiiiiiinibb") || v[1].text.size() != 10) return false;
  const auto count = [&](std::size_t i) { return v[i].integer; };
  // In their order: lines, rows, dropped, rejected, stored, already_there, differs, replaced,
  // failed.
  return count(5) == count(7) + count(8) + count(9) + count(10) + count(13) &&
         count(16) <= count(2) + count(3);
}

/// How far an extract is on its way: of two copies of its row the newer one is further.
int progress_of(State state, bool archived, bool settled) {
  return 4 * static_cast<int>(state == State::failed ? State::done : state) + (settled ? 2 : 0) +
         (archived ? 1 : 0);
}

/// Takes rows out of records, one after the other.
class Salvage {
 public:
  explicit Salvage(Sqlite& fresh) : fresh_(fresh) {}

  [[nodiscard]] Result<> take(const DatabaseRecord& record) {
    const Values& v = record.values;
    if (const auto extract = extract_in(record)) return take_extract(*extract);
    if (v.size() == 3 && is_sha256(v[0]) && is_text(v[1]) && is_time_source(v[2])) {
      return enter("known_times (sha256, time_used, time_source)", v, "NOTHING");
    }
    if (has_shape(v, "ttxtitTni")) {
      // Its columns are copies of what its text says: a row whose two halves are of two rows shows.
      const auto manifest = parse_manifest(v[5].text);
      if (!manifest || manifest->sha256 != v[2].text || manifest->run != v[3].text) return {};
      return enter(
          "manifests (feed, name, sha256, run, sequence, text, came_at, loaded_at, too_late)", v,
          "UPDATE SET loaded_at = coalesce(loaded_at, excluded.loaded_at)");
    }
    if (has_shape(v, "ttnttTn") && is_store_state(v[3].text)) {
      return enter("stores (place, name, first_row_at, state, why, since, next_try)", v,
                   "UPDATE SET first_row_at = coalesce(first_row_at, excluded.first_row_at)");
    }
    if (has_shape(v, "tttiee") && is_hex(v[1].text, 8)) {
      return enter("sources (feed, run, source, next, first_at, last_at)", v,
                   "UPDATE SET next = max(next, excluded.next), "
                   "last_at = max(last_at, excluded.last_at)");
    }
    if (has_shape(v, "tttieee") && is_hex(v[1].text, 8)) {
      return enter("sources (feed, run, source, next, first_at, last_at, changed_at)", v,
                   "UPDATE SET next = max(next, excluded.next), "
                   "last_at = max(last_at, excluded.last_at), "
                   "changed_at = max(changed_at, excluded.changed_at)");
    }
    if (is_remembered(record)) {
      Values with_id = v;
      with_id[0] = {RecordValue::Type::integer, record.row};
      return enter("remembered", with_id, "NOTHING");
    }
    if (is_day(v)) {
      // A day only grows: of two copies of its row the larger one is the newer.
      return enter("daily", v,
                   "UPDATE SET (done, not_done, bytes, lines, rows, dropped, rejected, stored, "
                   "already_there, differs, replaced, failed, years_guessed, last_claim, "
                   "forgotten, first_time, last_time) = (excluded.done, excluded.not_done, "
                   "excluded.bytes, excluded.lines, excluded.rows, excluded.dropped, "
                   "excluded.rejected, excluded.stored, excluded.already_there, excluded.differs, "
                   "excluded.replaced, excluded.failed, excluded.years_guessed, "
                   "excluded.last_claim, excluded.forgotten, excluded.first_time, "
                   "excluded.last_time) WHERE excluded.done + excluded.not_done + "
                   "excluded.forgotten > done + not_done + forgotten");
    }
    if (has_shape(v, "ttiiTi") && is_hex(v[1].text, 8)) {
      return enter("gaps (feed, run, first, last, since, told)", v, "NOTHING");
    }
    return {};
  }

  /// A gap that has closed may still stand on an old page: one beyond what came is none. So may an
  /// extract that was folded, which is counted in its day already. Then the rows are counted.
  [[nodiscard]] Result<> finish(Salvaged& salvaged) {
    CARAVEL_TRY(fresh_.run("DELETE FROM extracts WHERE id IN (SELECT id FROM remembered)"));
    // Of those that are forgotten only their days are known: what was not over was not folded.
    CARAVEL_TRY(fresh_.run(
        "DELETE FROM extracts WHERE ((state = 'done' AND rejected = 0) OR (state = 'failed' AND "
        "settled <> '')) AND EXISTS (SELECT 1 FROM daily WHERE daily.feed = extracts.feed AND "
        "day = substr(done_at, 1, 10) AND forgotten > 0)"));
    // A day whose own row could not be read, or of which only an old copy was found, is counted
    // anew from what is remembered of it.
    CARAVEL_TRY(fresh_.run(
        "DELETE FROM daily WHERE forgotten = 0 AND done + not_done < (SELECT count(*) FROM "
        "remembered AS r WHERE r.feed = daily.feed AND substr(r.done_at, 1, 10) = daily.day)"));
    CARAVEL_TRY(fresh_.run(
        daily_totals_of("remembered",
                        "NOT EXISTS (SELECT 1 FROM daily WHERE daily.feed = remembered.feed AND "
                        "daily.day = substr(remembered.done_at, 1, 10))")));
    CARAVEL_TRY(
        fresh_.run("DELETE FROM gaps WHERE NOT EXISTS (SELECT 1 FROM sources AS s WHERE "
                   "s.feed = gaps.feed AND s.run = gaps.run AND gaps.last < s.next)"));
    return fresh_.each(
        "SELECT (SELECT count(*) FROM extracts), (SELECT count(*) FROM known_times), "
        "(SELECT count(*) FROM manifests), (SELECT count(*) FROM stores), "
        "(SELECT count(*) FROM sources), (SELECT count(*) FROM gaps)",
        [&](const Statement& row) {
          int column = 0;
          for (std::uint64_t* part : {&salvaged.extracts, &salvaged.years, &salvaged.manifests,
                                      &salvaged.stores, &salvaged.sources, &salvaged.gaps}) {
            *part = row.count(column++);
          }
        });
  }

 private:
  static bool is_store_state(std::string_view word) {
    return word == name_of(StoreState::ok) || word == name_of(StoreState::waiting) ||
           word == name_of(StoreState::fault);
  }

  [[nodiscard]] Result<> take_extract(const Extract& extract) {
    std::optional<int> known;
    CARAVEL_TRY(fresh_.each(
        "SELECT state, done_path, settled FROM extracts WHERE id = ?",
        [&](const Statement& row) {
          known = progress_of(state_of(row.text(0)).value_or(State::seen), !row.text(1).empty(),
                              !row.text(2).empty());
        },
        extract.id));
    if (known) {
      const int progress =
          progress_of(extract.state, !extract.done_path.empty(), extract.settled != Settled::open);
      if (*known >= progress) return {};
      CARAVEL_TRY(fresh_.run("DELETE FROM extracts WHERE id = ?", extract.id));
    }
    CARAVEL_TRY(enter_extract(fresh_, extract));
    return {};
  }

  /// A row as it is; `otherwise`: what is done if its key is there already.
  [[nodiscard]] Result<> enter(std::string_view table, const Values& values,
                               std::string_view otherwise) {
    std::string marks = "?";
    for (std::size_t i = 1; i < values.size(); ++i) marks += ", ?";
    CARAVEL_ASSIGN_OR_RETURN(
        auto statement, fresh_.prepare(fmt::format("INSERT INTO {} VALUES ({}) ON CONFLICT DO {}",
                                                   table, marks, otherwise)));
    for (const RecordValue& value : values) {
      if (is_null(value)) {
        statement.bind_null();
      } else if (is_text(value)) {
        statement.bind(value.text);
      } else {
        statement.bind(value.integer);
      }
    }
    return statement.finish();
  }

  Sqlite& fresh_;
};

}  // namespace

Result<Salvaged> salvage_ledger(const std::string& path, Sqlite& fresh) {
  CARAVEL_ASSIGN_OR_RETURN(const auto pages, DatabasePages::open(path));
  Salvage salvage(fresh);
  Salvaged salvaged;
  salvaged.pages = pages.count();
  for (std::uint32_t page = 1; page <= pages.count(); ++page) {
    Result<> written;
    const bool whole = each_record(pages, page, [&](const DatabaseRecord& record) {
      if (written) written = salvage.take(record);
    });
    if (!written) return tl::unexpected(std::move(written).error());
    if (!whole) ++salvaged.damaged_pages;
  }
  CARAVEL_TRY(salvage.finish(salvaged));
  return salvaged;
}

Result<bool> enter_extract(Sqlite& fresh, const Extract& e) {
  const LineCounts& c = e.counts;
  // OR IGNORE passes over a row that a UNIQUE or a CHECK of the table refuses (lang_conflict.html).
  CARAVEL_ASSIGN_OR_RETURN(
      auto statement,
      fresh.prepare(fmt::format("INSERT OR IGNORE INTO extracts ({}) VALUES (?, ?, ?, ?, ?, ?, ?, "
                                "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                "?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                kExtractColumns)));
  const auto bind_all = [&](const auto&... values) { (statement.bind(values), ...); };
  if (e.id > 0) {
    statement.bind(e.id);
  } else {
    statement.bind_null();  // SQLite chooses the next one
  }
  bind_all(e.claim, e.feed, e.name, name_of(e.origin), e.path, name_of(e.state), e.why,
           time_text(e.since), time_text(e.seen_at), text_of(e.claimed_at), text_of(e.done_at),
           e.size, e.mtime_ns, e.sha256, e.format, e.time_used, e.time_source, e.year_guessed,
           c.lines, c.rows, c.dropped, c.rejected, c.stored, c.already_there, c.differs, c.replaced,
           c.failed, e.acknowledged, e.first_time, e.last_time, e.store, e.done_path, e.attempts,
           text_of(e.next_try), e.host, name_of(e.settled), text_of(e.settled_at), e.settled_why);
  CARAVEL_TRY(statement.finish());
  return fresh.changes() == 1;
}

}  // namespace caravel::watcher
