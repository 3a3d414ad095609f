#include "watcher/ledger/stores.h"

#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

// The words stand in the rows of every ledger in the field: one may be added, none changed.
constexpr WordTable<StoreState, 3> kStoreStates{{"ok", "waiting", "fault"}};
static_assert(kStoreStates.ends_with(StoreState::fault));

}  // namespace

std::string_view name_of(StoreState state) { return kStoreStates.word_of(state); }

Result<bool> StoreRecords::may_create(const std::string& place) {
  return in_context("store", [&]() -> Result<bool> {
    // A row alone does not count: set_state() makes one for a store that never answered.
    bool known = false;
    CARAVEL_TRY(database_.each(
        "SELECT 1 FROM stores WHERE place = ? AND first_row_at IS NOT NULL",
        [&](const Statement&) { known = true; }, place));
    return !known;
  });
}

Result<> StoreRecords::first_row_stored(const std::string& name, const std::string& place,
                                        Time now) {
  return in_context("store", [&]() -> Result<> {
    // Only the first call writes; the time of the first row never changes.
    CARAVEL_TRY(
        database_.run("INSERT INTO stores (place, name, first_row_at, state, since) "
                      "VALUES (?1, ?2, ?3, 'ok', ?3) ON CONFLICT (place) "
                      "DO UPDATE SET first_row_at = excluded.first_row_at "
                      "WHERE first_row_at IS NULL",
                      place, name, time_text(now)));
    return {};
  });
}

Result<> StoreRecords::set_state(const std::string& name, const std::string& place,
                                 StoreState state, const std::string& why,
                                 std::optional<Time> next_try, Time now) {
  return in_context("store", [&]() -> Result<> {
    // Called after each upload: a store that is well, and was, costs no write.
    bool is_known = false;
    CARAVEL_TRY(database_.each(
        "SELECT 1 FROM stores WHERE place = ? AND name = ? AND state = ? AND why = ? "
        "AND next_try IS ?",
        [&](const Statement&) { is_known = true; }, place, name, name_of(state), why,
        text_of(next_try)));
    if (is_known) return {};
    CARAVEL_TRY(database_.run(
        "INSERT INTO stores (place, name, state, why, since, next_try) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (place) DO UPDATE SET "
        "since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, "
        "name = excluded.name, state = excluded.state, why = excluded.why, "
        "next_try = excluded.next_try",
        place, name, name_of(state), why, time_text(now), text_of(next_try)));
    return {};
  });
}

Result<std::vector<StoreRecord>> StoreRecords::all() {
  return in_context("stores", [&]() -> Result<std::vector<StoreRecord>> {
    std::vector<StoreRecord> out;
    CARAVEL_TRY(
        database_.each("SELECT name, place, first_row_at, state, why, since, next_try FROM stores "
                       "ORDER BY name, place",
                       [&](const Statement& row) {
                         // A word that this program does not know is shown as a fault: with `why`.
                         const auto state = kStoreStates.value_of(row.text(3));
                         out.push_back({row.text(0), row.text(1), optional_time_at(row, 2),
                                        state.value_or(StoreState::fault), row.text(4),
                                        time_at(row, 5), optional_time_at(row, 6)});
                       }));
    return out;
  });
}

}  // namespace caravel::watcher
