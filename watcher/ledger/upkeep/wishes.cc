#include "watcher/ledger/upkeep/wishes.h"

#include "watcher/ledger/rows.h"

namespace caravel::watcher {

Result<> Wishes::ask(std::string_view what, Time now) {
  return in_context("ask", [&]() -> Result<> {
    CARAVEL_TRY(database_.run("INSERT OR IGNORE INTO wishes (what, asked_at) VALUES (?, ?)", what,
                              time_text(now)));
    return {};
  });
}

Result<bool> Wishes::take(std::string_view what) {
  return in_context("wishes", [&]() -> Result<bool> {
    // A look first: whoever looks each minute must not take the write lock each minute.
    bool asked = false;
    CARAVEL_TRY(database_.each(
        "SELECT 1 FROM wishes WHERE what = ?", [&](const Statement&) { asked = true; }, what));
    if (!asked) return false;
    CARAVEL_TRY(database_.run("DELETE FROM wishes WHERE what = ?", what));
    return true;
  });
}

}  // namespace caravel::watcher
