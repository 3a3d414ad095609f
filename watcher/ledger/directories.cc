#include "watcher/ledger/directories.h"

#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

constexpr WordTable<DirectoryState, 4> kDirectoryStates{{"well", "polled", "unmounted", "closed"}};
static_assert(kDirectoryStates.ends_with(DirectoryState::closed));

}  // namespace

std::string_view name_of(DirectoryState state) { return kDirectoryStates.word_of(state); }

Result<> Directories::set(const std::string& path, DirectoryState state, const std::string& why,
                          Time now) {
  return in_context("drop directory", [&]() -> Result<> {
    // Asked first: a directory is looked at every few seconds, and an idle watcher writes nothing.
    std::optional<std::pair<std::string, std::string>> known;
    CARAVEL_TRY(database_.each(
        "SELECT state, why FROM directories WHERE path = ?",
        [&](const Statement& row) {
          known = {row.text(0), row.text(1)};
        },
        path));
    if (state == DirectoryState::well) {
      if (known) CARAVEL_TRY(database_.run("DELETE FROM directories WHERE path = ?", path));
      return {};
    }
    if (known && known->first == name_of(state) && known->second == why) return {};
    CARAVEL_TRY(database_.run(
        "INSERT INTO directories (path, state, why, since) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (path) DO UPDATE SET why = excluded.why, "
        "since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, "
        "state = excluded.state",
        path, name_of(state), why, time_text(now)));
    return {};
  });
}

Result<std::vector<DirectoryRecord>> Directories::all() {
  return in_context("drop directories", [&]() -> Result<std::vector<DirectoryRecord>> {
    std::vector<DirectoryRecord> out;
    CARAVEL_TRY(database_.each(
        "SELECT path, state, why, since FROM directories ORDER BY path", [&](const Statement& row) {
          const auto state = kDirectoryStates.value_of(row.text_view(1));
          out.push_back(
              {row.text(0), state.value_or(DirectoryState::closed), row.text(2), time_at(row, 3)});
        }));
    return out;
  });
}

}  // namespace caravel::watcher
