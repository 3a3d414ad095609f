#include "watcher/ledger/stores.h"

#include <algorithm>

#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

// The words stand in the rows of every ledger in the field: one may be added, none changed.
constexpr WordTable<StoreState, 3> kStoreStates{{"ok", "waiting", "fault"}};
static_assert(kStoreStates.ends_with(StoreState::fault));

/// The number of the first class that holds the value.
template <std::size_t N>
std::size_t class_of(const std::array<double, N>& bounds, double value) {
  return static_cast<std::size_t>(std::ranges::lower_bound(bounds, value) - bounds.begin());
}

}  // namespace

void BatchSums::add(std::uint64_t rows, double seconds) {
  add({class_of(kBatchRowBounds, static_cast<double>(rows)), class_of(kBatchSecondBounds, seconds)},
      {1, rows, seconds});
}

void BatchSums::add(Classes classes, const Sum& sum) {
  Sum& all = sums_[classes];
  all.batches += sum.batches;
  all.rows += sum.rows;
  all.seconds += sum.seconds;
}

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

Result<> StoreRecords::add_batches(const std::string& feed, const std::string& store,
                                   const BatchSums& batches) {
  return in_context("batches", [&]() -> Result<> {
    for (const auto& [classes, sum] : batches.sums()) {
      CARAVEL_TRY(database_.run(
          "INSERT INTO batches (feed, store, rows_class, seconds_class, batches, rows, seconds) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
          "batches = batches + excluded.batches, rows = rows + excluded.rows, "
          "seconds = seconds + excluded.seconds",
          feed, store, classes.first, classes.second, sum.batches, sum.rows, sum.seconds));
    }
    return {};
  });
}

Result<std::map<std::pair<std::string, std::string>, BatchSums>> StoreRecords::batches() {
  using ByFeedAndStore = std::map<std::pair<std::string, std::string>, BatchSums>;
  return in_context("batches", [&]() -> Result<ByFeedAndStore> {
    ByFeedAndStore out;
    CARAVEL_TRY(database_.each(
        "SELECT feed, store, rows_class, seconds_class, batches, rows, seconds FROM batches",
        [&](const Statement& row) {
          out[{row.text(0), row.text(1)}].add({row.count(2), row.count(3)},
                                              {row.count(4), row.count(5), row.real(6)});
        }));
    return out;
  });
}

}  // namespace caravel::watcher
