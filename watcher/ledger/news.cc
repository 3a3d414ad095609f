#include "watcher/ledger/news.h"

#include <algorithm>

#include "base/sqlite/transaction.h"
#include "watcher/ledger/rows.h"

namespace caravel::watcher {
namespace {

Result<News> read_news(Sqlite& database, const std::set<std::string>& feeds) {
  News out;
  CARAVEL_TRY(database.each("SELECT feed, what, at_end FROM news", [&](const Statement& row) {
    // Feeds of other processes have their news in the same table.
    if (feeds.contains(row.text(0))) out[{row.text(0), row.text(1)}] = row.text(2);
  }));
  return out;
}

bool same_keys(const News& a, const News& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& one, const auto& other) { return one.first == other.first; });
}

}  // namespace

Result<News> LastingNews::replace(const std::set<std::string>& feeds, const News& news) {
  return in_context("news", [&]() -> Result<News> {
    // Without the lock first: mostly nothing has changed, and then nothing is written.
    CARAVEL_ASSIGN_OR_RETURN(auto before, read_news(database_, feeds));
    if (same_keys(before, news)) return before;
    CARAVEL_ASSIGN_OR_RETURN(auto transaction, Transaction::begin(database_));
    // Again, under the lock: another process may have told of the same in between.
    CARAVEL_ASSIGN_OR_RETURN(before, read_news(database_, feeds));
    for (const auto& [key, at_end] : before) {
      if (news.contains(key)) continue;
      CARAVEL_TRY(
          database_.run("DELETE FROM news WHERE feed = ? AND what = ?", key.first, key.second));
    }
    for (const auto& [key, at_end] : news) {
      if (before.contains(key)) continue;  // keeps the text that was made when it began
      CARAVEL_TRY(database_.run("INSERT INTO news (feed, what, at_end) VALUES (?, ?, ?)", key.first,
                                key.second, at_end));
    }
    // The caller says the news after this. A crash in between leaves it unsaid in the log; `status`
    // shows what lasts all the same. The other order would say it again after every such crash.
    CARAVEL_TRY(transaction.commit());
    return before;
  });
}

}  // namespace caravel::watcher
